"""Runs the examples of a Markdown page from top to bottom, in a project folder of the page's own, as a reader would.

What is done with a fenced block is said by its kind and its first line:

| block | what is done |
|---|---|
| `python`, first line `# web/pages/api/user.py` | written to that file of the project |
| `python`, first line `# mysite/settings.py (added)` | added to the end of that file |
| `python`, any other | run by Python in the project folder; it may print, and must not raise |
| `text` or `json` after a `python` block that was run | must be what that block printed |
| `text`, first line ends in `/` | a folder: what each line names must be there when the page has ended |
| `console`, `$ gunicorn ...` | from here on requests go to this app, served on a free port of 127.0.0.1 |
| `console`, `$ curl ...` | sent to the app, by `http.client`; the lines below must be what is answered |
| `console`, `$ flask`, `$ python`, `$ django-admin` | run in the project folder; the lines below must be what it prints |
| `ini`, `toml`, first line `# setup.cfg` | must stand in that file of the repository |
| `mermaid` | every `.py` file that it names must be a file of the package |
| `sh` | shown only: each line must be in SHOWN, with the reason |

`...` in shown output stands for anything. Headers that only the server sets, HIDDEN, are not shown. Anything else in a
block, or a block of another kind, fails.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import shlex
import subprocess
import sys
from contextlib import ExitStack
from doctest import ELLIPSIS, OutputChecker
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.support.servers import serve

REPOSITORY = Path(__file__).parents[2]
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").glob("*.md"))]

HIDDEN = {"server", "date", "connection"}

_THIS = "the tests run in the very environment that it makes"
SHOWN = {
    "pip install nextapi-wsgi": _THIS,
    "pip install nextapi-wsgi gunicorn": _THIS,
    "pip install 'nextapi-wsgi[flask]'": _THIS,
    "pip install 'nextapi-wsgi[django]'": _THIS,
    "make demo": "it serves until it is stopped; the demo's own tree is tested elsewhere",
    "make test": "it runs this test",
    "make check": "a part of what runs this test",
    ".venv/bin/python -m pytest tests/docs -q": "it is this test",
    ".venv/bin/python -m tests.conformance.replay": "tests/conformance/test_replay.py runs the same comparison",
    ".venv/bin/python -m tests.conformance.replay flask": "as above, for one host",
}

_BLOCK = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
_FILE = re.compile(r"# (\S+\.(?:py|cfg|toml))(?: (\(added\)))?\n")
_COMMANDS = {
    "python": [sys.executable],
    "flask": [sys.executable, "-m", "flask"],
    "django-admin": [sys.executable, "-m", "django"],
}


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


class Project:
    """The folder in which the blocks of one page are run, and the server that is at work in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._app = ""
        self._port: int | None = None
        self._server = ExitStack()
        self._printed: str | None = None
        self._listed: list[Block] = []

    def run(self, block: Block) -> None:
        """Do with a block what its kind says; raise AssertionError, with its place, where it is not as it shows."""
        printed, self._printed = self._printed, None
        if block.kind == "python":
            self._python(block)
        elif block.kind in ("text", "json") and printed is not None:
            self._compare(block, block.text, printed)
        elif block.kind == "text" and block.text.partition("\n")[0].endswith("/"):
            self._listed.append(block)
        elif block.kind == "console":
            for command, shown in _commands(block):
                self._command(block, command, shown)
        elif block.kind in ("ini", "toml"):
            file = _FILE.match(block.text)
            assert file and block.text[file.end() :] in (REPOSITORY / file[1]).read_text(), f"{block.place}: not there"
        elif block.kind == "mermaid":
            for name in re.findall(r"[\w/]+\.py", block.text):
                assert (REPOSITORY / "nextapi" / name).is_file(), f"{block.place}: there is no {name}"
        else:
            lines = block.text.splitlines() if block.kind == "sh" else ["a block that nothing is done with"]
            unknown = [line for line in lines if line.partition("  #")[0] not in SHOWN]
            assert not unknown, f"{block.place}: {unknown}"

    def end(self) -> None:
        """Stop the server, and look for the files that the page lists."""
        self._server.close()
        for block in self._listed:
            folders: list[str] = []
            for line in block.text.splitlines():
                name = line.split()[0]
                depth = (len(line) - len(line.lstrip())) // 2
                folders[depth:] = [name.rstrip("/")]
                assert self._folder.joinpath(*folders).exists(), f"{block.place}: there is no {line.strip()}"

    def _python(self, block: Block) -> None:
        if file := _FILE.match(block.text):
            path = self._folder / file[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            before = path.read_text() if file[2] else ""
            path.write_text(before + block.text)
            self._stop()
        else:
            self._printed = self._run(block, [sys.executable, "-W", "error", "-"], block.text)

    def _run(self, block: Block, arguments: list[str], given: str = "") -> str:
        environment = {**os.environ, "PYTHONPATH": f"{self._folder}{os.pathsep}{REPOSITORY}", "COLUMNS": "120"}
        done = subprocess.run(
            arguments, input=given, capture_output=True, text=True, cwd=self._folder, env=environment, timeout=60
        )
        assert done.returncode == 0, f"{block.place}: {done.stdout}{done.stderr}"
        return done.stdout

    def _command(self, block: Block, command: str, shown: str) -> None:
        program, *words = shlex.split(command)
        if program == "gunicorn":
            (self._app,) = words
            self._stop()
        elif program == "curl":
            self._compare(block, shown, self._curl(words))
        else:
            assert program in _COMMANDS, f"{block.place}: {command}"
            self._compare(block, shown, self._run(block, [*_COMMANDS[program], *words]))

    def _curl(self, words: list[str]) -> str:
        curl = argparse.ArgumentParser("curl")
        curl.add_argument("-i", action="store_true")
        curl.add_argument("-I", action="store_const", const="HEAD", dest="X")
        curl.add_argument("-X")
        curl.add_argument("-H", action="append", default=[])
        curl.add_argument("-d")
        curl.add_argument("--json")
        curl.add_argument("--path-as-is", action="store_true")
        curl.add_argument("url")
        asked = curl.parse_args(words)
        headers = {"User-Agent": "curl", "Accept": "*/*"}
        if asked.d is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if asked.json is not None:
            headers |= {"Content-Type": "application/json", "Accept": "application/json"}
        headers |= {name: value.strip() for name, _, value in (header.partition(":") for header in asked.H)}
        body = asked.d if asked.json is None else asked.json
        url = urlsplit(f"//{asked.url}")
        target = url.path + (f"?{url.query}" if url.query else "")
        connection = http.client.HTTPConnection("127.0.0.1", self._serving(), timeout=20)
        connection.putrequest(asked.X or ("GET" if body is None else "POST"), target, True, True)
        for name, value in ({"Host": url.netloc} | headers).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body.encode())))
        connection.endheaders(None if body is None else body.encode())
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        head = [f"HTTP/1.1 {response.status} {response.reason}"]
        head += [f"{name}: {value}" for name, value in response.getheaders() if name.lower() not in HIDDEN]
        return "\n".join([*head, "", text]) if asked.i or asked.X == "HEAD" else text

    def _serving(self) -> int:
        if self._port is None:
            self._port = self._server.enter_context(serve(self._app, self._folder, "gunicorn-sync"))
        return self._port

    def _stop(self) -> None:
        self._server.close()
        self._port = None

    def _compare(self, block: Block, shown: str, found: str) -> None:
        shown, found = (re.sub(r"[ \r]*\n", "\n", text.strip()) + "\n" for text in (shown, found))
        same = OutputChecker().check_output(shown, found, ELLIPSIS)
        assert same, f"{block.place} shows\n{shown}\nbut there is\n{found}"


def _commands(block: Block) -> list[tuple[str, str]]:
    """Return the commands of a console block, each with the output that is shown below it."""
    assert block.text.startswith("$ "), f"{block.place}: output without a command"
    text = block.text.replace(" \\\n", " ")
    return [
        (command, shown)
        for command, _, shown in (part.partition("\n") for part in re.split(r"^\$ ", text, flags=re.M)[1:])
    ]
