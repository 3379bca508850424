"""Runs the examples of a Markdown page from top to bottom, in a project folder of the page's own, as a reader would.

What is done with a fenced block is said by its kind and its first line:

| block | what is done |
|---|---|
| `python`, first line `# web/pages/api/user.py` | written to that file of the project |
| `python`, first line `# mysite/settings.py (added)` | added to the end of that file |
| `python`, any other | run by Python in the project folder; it may print, and must not raise |
| `text` or `json` after a `python` block that was run | must be what that block printed |
| `text`, first line ends in `/` | a folder: what each line names must be there when the page has ended |
| `console`, `$ gunicorn APP` | from here on requests go to this app, served on a free port of 127.0.0.1 |
| `console`, `$ curl ...` | sent to the app, by `http.client`; the lines below must be what is answered |
| `console`, `$ flask`, `$ python`, `$ django-admin` | run in the project folder; below stands what it prints |
| `ini`, first line `# setup.cfg` | must stand in that file of the repository |
| `mermaid` | every `.py` file that it names must be a file of the package |
| `sh` | shown only: each line must be in SHOWN, with the reason |

`...` in shown output stands for anything. Headers that only the server sets, HIDDEN, are not shown. A block of another
kind, and anything else in a block, fails.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import shlex
import subprocess
import sys
from contextlib import AbstractContextManager, ExitStack
from doctest import ELLIPSIS, OutputChecker
from pathlib import Path
from typing import NamedTuple, Self

from tests.support.servers import serve

REPOSITORY = Path(__file__).parents[2]
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").glob("*.md"))]

HIDDEN = {"server", "date", "connection"}
_INSTALLED = "the tests run in the environment that it makes"
SHOWN = {
    "pip install nextapi-wsgi gunicorn": _INSTALLED,
    "pip install 'nextapi-wsgi[flask]'": _INSTALLED,
    "pip install 'nextapi-wsgi[django]'": _INSTALLED,
    "make demo": "tests/integrations runs what it serves",
    "make test": "it runs this test",
    ".venv/bin/python -m pytest tests/docs -q": "it is this test",
}

_BLOCK = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
_FILE = re.compile(r"# (\S+\.(?:py|cfg))(?: (\(added\)))?\n")
_COMMANDS = {"python": [], "flask": ["-m", "flask"], "django-admin": ["-m", "django"]}

_CURL = argparse.ArgumentParser("curl")
_CURL.add_argument("-i", dest="include", action="store_true")
_CURL.add_argument("-X", dest="method")
_CURL.add_argument("-H", dest="headers", action="append", default=[])
_CURL.add_argument("-d", dest="data")
_CURL.add_argument("--json")
_CURL.add_argument("--path-as-is", action="store_true")
_CURL.add_argument("url")


class Block(NamedTuple):
    """A fenced block: its kind, its text, and where it stands."""

    kind: str
    text: str
    place: str


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in order."""
    text = page.read_text(encoding="utf-8")
    found = [
        Block(match[1], match[2], f"{page.name}:{text.count(chr(10), 0, match.start()) + 1}")
        for match in _BLOCK.finditer(text)
    ]
    assert text.count("```") == 2 * len(found), f"{page.name}: a fence that is indented, or not closed"
    return found


class Project(AbstractContextManager["Project"]):
    """The folder in which the blocks of one page are run, and the server that is at work in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._app = ""
        self._port: int | None = None
        self._server = ExitStack()
        self._printed: str | None = None
        self._listings: list[Block] = []

    def run(self, block: Block) -> None:
        """Do with a block what its kind says; raise AssertionError, with its place, where it is not as it shows."""
        printed, self._printed = self._printed, None
        kind, text, place = block
        if kind == "python":
            self._python(text, place)
        elif kind in ("text", "json") and printed is not None:
            _compare(text, printed, place)
        elif kind == "text" and text.partition("\n")[0].endswith("/"):
            self._listings.append(block)
        elif kind == "console" and text.startswith("$ "):
            for part in re.split(r"^\$ ", text.replace(" \\\n", " "), flags=re.MULTILINE)[1:]:
                command, _, shown = part.partition("\n")
                self._command(shlex.split(command), shown, place)
        elif kind == "ini" and (file := _FILE.match(text)):
            assert text[file.end() :] in (REPOSITORY / file[1]).read_text(), f"{place}: not in {file[1]}"
        elif kind == "mermaid":
            for name in re.findall(r"[\w/]+\.py", text):
                assert (REPOSITORY / "nextapi" / name).is_file(), f"{place}: there is no {name}"
        else:
            unknown = [line for line in text.splitlines() if kind != "sh" or line not in SHOWN]
            assert not unknown, f"{place}: nothing is known to be done with {kind!r} {unknown}"

    def __exit__(self, kind: object, *_: object) -> None:
        """Stop the server; if nothing has failed, look for the files that the page lists."""
        self._stop()
        for block in self._listings if kind is None else ():
            folders: list[str] = []
            for line in block.text.splitlines():
                folders[(len(line) - len(line.lstrip())) // 2 :] = [line.split()[0].rstrip("/")]
                assert self._folder.joinpath(*folders).exists(), f"{block.place}: there is no {line.strip()}"

    def __enter__(self) -> Self:
        return self

    def _python(self, text: str, place: str) -> None:
        if file := _FILE.match(text):
            path = self._folder / file[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text((path.read_text() if file[2] else "") + text)
            self._stop()
        else:
            self._printed = self._run(["-W", "error", "-"], text, place)

    def _run(self, arguments: list[str], given: str, place: str) -> str:
        environment = {**os.environ, "PYTHONPATH": f"{self._folder}{os.pathsep}{REPOSITORY}"}
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, cwd=self._folder, env=environment, timeout=60
        )
        assert done.returncode == 0, f"{place}: {done.stdout}{done.stderr}"
        return done.stdout

    def _command(self, words: list[str], shown: str, place: str) -> None:
        if words[0] == "gunicorn":
            assert len(words) == 2, f"{place}: gunicorn is run with the app alone"
            self._app = words[1]
            self._stop()
        elif words[0] == "curl":
            _compare(shown, self._curl(words[1:]), place)
        else:
            assert words[0] in _COMMANDS, f"{place}: {words[0]} is not run"
            _compare(shown, self._run([*_COMMANDS[words[0]], *words[1:]], "", place), place)

    def _curl(self, words: list[str]) -> str:
        asked = _CURL.parse_args(words)
        host, slash, path = asked.url.partition("/")
        headers = {"Host": host, "User-Agent": "curl", "Accept": "*/*"}
        data = asked.data if asked.json is None else asked.json
        if data is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Content-Length"] = str(len(data.encode()))
        if asked.json is not None:
            headers |= {"Content-Type": "application/json", "Accept": "application/json"}
        headers |= {name: value.strip() for name, _, value in (header.partition(":") for header in asked.headers)}
        connection = http.client.HTTPConnection("127.0.0.1", self._serving(), timeout=20)
        try:
            connection.putrequest(asked.method or ("GET" if data is None else "POST"), slash + path, True, True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(None if data is None else data.encode())
            response = connection.getresponse()
            body = response.read().decode()
        except OSError as error:
            raise AssertionError((self._folder / "log.txt").read_text()) from error
        finally:
            connection.close()
        head = [f"{name}: {value}" for name, value in response.getheaders() if name.lower() not in HIDDEN]
        return "\n".join([f"HTTP/1.1 {response.status} {response.reason}", *head, "", body]) if asked.include else body

    def _serving(self) -> int:
        if self._port is None:
            self._port = self._server.enter_context(serve(self._app, self._folder, "gunicorn-sync"))
        return self._port

    def _stop(self) -> None:
        self._server.close()
        self._port = None


def _compare(shown: str, found: str, place: str) -> None:
    shown, found = (re.sub(r"[ \r]*\n", "\n", text.strip()) + "\n" for text in (shown, found))
    assert OutputChecker().check_output(shown, found, ELLIPSIS), f"{place} shows\n{shown}\nbut there is\n{found}"
