"""Runs the examples of a Markdown page from top to bottom, in a project folder of the page's own, as a reader would.

The folder is empty at first, that of a page in integrations/ a copy of the app there. What is done with a fenced block
is said by its kind and its first line:

| block | what is done |
|---|---|
| `python`, first line `# web/pages/api/user.py` | written to that file of the project |
| `python`, first line `# mysite/settings.py (added)` | added to the end of that file |
| `toml`, first line `# pyproject.toml` | written to that file of the project |
| `ini`, first line `# pytest.ini` | written to that file of the project |
| `python`, any other | run by Python in the project folder; it may print, and must not raise |
| `text` or `json` after a `python` block that was run | must be what that block printed |
| `text`, first line ends in `/` | a folder: what each line names must be there when the page has ended |
| `console`, `$ NAME=value gunicorn APP` | from here on requests go to this app, served on a free port of 127.0.0.1 |
| `console`, `$ curl ...` | sent to the app, by `http.client`; the lines below must be what is answered |
| `console`, `$ flask`, `$ python`, `$ django-admin` | run in the project folder; below stands what it prints |
| `console`, `$ nextapi` | the same; it may end with 1, for what it has found |
| `console`, `$ mypy`, `$ pyright`, `$ ruff`, `$ pytest` | the same; they may find faults, which then stand there |
| `ini`, first line `# setup.cfg` | must stand in that file of the repository |
| `mermaid` | every `.py` file that it names must be a file of the package |
| `diff` | must have been applied: what it leaves stands in the file of the project |
| `ts` | shown only: what a Python block is the port of |
| `sh` | shown only: each line must be in SHOWN, with the reason |

`...` in shown output stands for anything. Headers that only the server sets are not shown, see tests/support/curl.py. A
block of another kind, and anything else in a block, fails.

A page of ON_EVERY_HOST is run once for each host, whose `app.py` is there from the start. All its files are written
first, so they are one tree, and the server is started once.

As a command, it does the same in the environment of the Python that runs it, for which the standard library is enough:
there `pip install` is run as well, and every command, nextapi's too, is one that it has installed.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from doctest import ELLIPSIS, OutputChecker
from pathlib import Path
from typing import NamedTuple, Self

from tests.support.checkers import CHECKERS, check
from tests.support.curl import curl
from tests.support.hosts import HOSTS, write_app
from tests.support.servers import serve

REPOSITORY = Path(__file__).parents[2]
PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
    *sorted((REPOSITORY / "integrations").glob("*/README.md")),
]

ON_EVERY_HOST = {
    "cors.md",
    "edge.md",
    "examples.md",
    "from-next.md",
    "middleware.md",
    "route-handlers.md",
    "streaming.md",
    "uploads.md",
}
RUNS = [(page, host) for page in PAGES for host in (HOSTS if page.name in ON_EVERY_HOST else (None,))]
"""Each page, with the host that it is run on where it does not start one itself."""

DISTRIBUTION = "nextapi-wsgi"
_ENVIRONMENT = "the tests run in an environment that has it all"
_COPIED = "the tests run in a copy of it"
_CLI = "tests/cli runs it"
SHOWN = {
    "python3 -m venv .venv": _ENVIRONMENT,
    ". .venv/bin/activate": _ENVIRONMENT,
    "pip install nextapi-wsgi gunicorn": _ENVIRONMENT,
    "pip install 'nextapi-wsgi[flask]'": _ENVIRONMENT,
    "pip install 'nextapi-wsgi[flask]' gunicorn": _ENVIRONMENT,
    "pip install 'nextapi-wsgi[django]'": _ENVIRONMENT,
    "pip install 'nextapi-wsgi[django]' gunicorn": _ENVIRONMENT,
    "pip install 'nextapi-wsgi[preview]'": _ENVIRONMENT,
    "pip install 'nextapi-wsgi[fetch]'": _ENVIRONMENT,
    "pip install 'nextapi-wsgi[user-agent]'": _ENVIRONMENT,
    "pip install flask gunicorn": _ENVIRONMENT,
    "pip install flask-login": _ENVIRONMENT,
    "pip install flask-wtf": _ENVIRONMENT,
    "pip install django gunicorn": _ENVIRONMENT,
    "pip install . gunicorn": _ENVIRONMENT,
    "pip install '.[flask]' gunicorn": _ENVIRONMENT,
    "pip install '.[django]' gunicorn": _ENVIRONMENT,
    "cd integrations/flask_shop": _COPIED,
    "cd integrations/django_blog": _COPIED,
    "cd integrations/gunicorn_mount": _COPIED,
    "python manage.py createsuperuser": "it asks for a password",
    "nextapi dev web": _CLI,
    "nextapi dev web --port 0 --no-debug": _CLI,
    "make demo": "tests/integrations runs what it serves",
    "make test": "it runs this test",
    ".venv/bin/python -m pytest tests/docs -q": "it is this test",
}

_PART = re.compile(r"^```(?P<kind>.*)\n(?P<text>(?:.*\n)*?)```$|^#+ (?P<heading>.*)$", re.MULTILINE)
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_FILE = re.compile(r"# (\S+\.(?:py|cfg|ini|toml))(?: (\(added\)))?\n")
_COMMANDS = {"python": [], "flask": ["-m", "flask"], "django-admin": ["-m", "django"], "nextapi": ["-m", "nextapi"]}


class Block(NamedTuple):
    """A fenced block: its kind, its text, and where it stands."""

    kind: str
    text: str
    page: str
    line: int
    heading: str = ""

    def place(self, offset: int | None = None) -> str:
        """Return where the block begins, or where its line stands that has the character at `offset` of its text."""
        line = self.line if offset is None else self.line + 1 + self.text.count("\n", 0, offset)
        return f"{self.page}:{line}"


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in order, each with the heading that it stands below."""
    text = page.read_text(encoding="utf-8")
    found, heading = [], ""
    for part in _PART.finditer(text):
        heading = part["heading"] or heading
        if part["heading"] is None:
            line = text.count("\n", 0, part.start()) + 1
            found.append(Block(part["kind"], part["text"], page.name, line, heading))
    assert text.count("```") == 2 * len(found), f"{page.name}: a fence that is indented, or not closed"
    return found


class Hunk(NamedTuple):
    """A place in a file that a diff changes: what stood there `before`, and what stands there `after`."""

    file: str
    before: str
    after: str


def hunks(diff: str) -> list[Hunk]:
    """Return what a diff changes. A place begins with `@@`, a file with `--- NAME` and `+++ NAME`."""
    found = []
    for part in re.split(r"^--- .*\n\+\+\+ ", diff, flags=re.MULTILINE)[1:]:
        file, *places = re.split(r"\n@@.*", part)
        for place in places:
            lines = place.removeprefix("\n").splitlines(keepends=True)
            before, after = ("".join(line[1:] or line for line in lines if line[0] != mark) for mark in "+-")
            found.append(Hunk(file, before, after))
    return found


class Project(AbstractContextManager["Project"]):
    """The folder in which the blocks of one page are run, and the server that is at work in it.

    With a `wheel` of nextapi, `pip install` is run, and the environment knows nothing but what it has installed.
    """

    def __init__(self, folder: Path, app: Path | None = None, wheel: Path | None = None) -> None:
        if app is not None:
            shutil.copytree(app, folder, ignore=shutil.ignore_patterns("*.sqlite3*"), dirs_exist_ok=True)
        self._folder = folder
        self._wheel = wheel
        self._app = ""
        self._environment: dict[str, str] = {}
        self._port: int | None = None
        self._server = ExitStack()
        self._printed: str | None = None
        self._listings: list[Block] = []

    def run(self, block: Block) -> None:
        """Do with a block what its kind says; raise AssertionError, with its place, where it is not as it shows."""
        printed, self._printed = self._printed, None
        kind, text, place = block.kind, block.text, block.place()
        is_file = kind in ("python", "toml") or (kind == "ini" and text.startswith("# pytest.ini\n"))
        if is_file and (file := _FILE.match(text)):
            self._write(self._folder / file[1], text, added=bool(file[2]))
        elif kind == "python":
            self._printed = self._run(["python", "-W", "error", "-"], text, place)
        elif kind in ("text", "json") and printed is not None:
            _compare(text, printed, place)
        elif kind == "text" and text.partition("\n")[0].endswith("/"):
            self._listings.append(block)
        elif kind == "console" and text.startswith("$ "):
            for part in _COMMAND.finditer(text):
                self._command(shlex.split(part[1].replace("\\\n", "")), part[2], block.place(part.start()))
        elif kind == "ini" and (file := _FILE.match(text)):
            assert text[file.end() :] in (REPOSITORY / file[1]).read_text(), f"{place}: not in {file[1]}"
        elif kind == "diff":
            for file, _, after in hunks(text):
                assert after in (self._folder / file).read_text(), f"{place}: {file} is without\n{after}"
        elif kind == "mermaid":
            for name in re.findall(r"[\w/]+\.py", text):
                assert (REPOSITORY / "nextapi" / name).is_file(), f"{place}: there is no {name}"
        elif kind != "ts":
            unknown = [line for line in text.splitlines() if kind != "sh" or line not in SHOWN]
            assert not unknown, f"{place}: nothing is known to be done with {kind!r} {unknown}"
            for line in text.splitlines() if self._wheel is not None else ():
                if line.startswith("pip install "):
                    words = [word.replace(DISTRIBUTION, str(self._wheel)) for word in shlex.split(line)]
                    self._run(words, "", place)

    def __exit__(self, kind: object, *_: object) -> None:
        """Stop the server; if nothing has failed, look for the files that the page lists."""
        self._stop()
        for block in self._listings if kind is None else ():
            folders: list[str] = []
            for line in block.text.splitlines():
                folders[(len(line) - len(line.lstrip())) // 2 :] = [line.split()[0].rstrip("/")]
                assert self._folder.joinpath(*folders).exists(), f"{block.place()}: there is no {line.strip()}"

    def __enter__(self) -> Self:
        return self

    def _write(self, path: Path, text: str, added: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((path.read_text() if added else "") + text)
        self._stop()

    def _run(self, words: list[str], given: str, place: str) -> str:
        # The project's pytest is not to know of the one that runs this.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        if self._wheel is None:
            environment["PYTHONPATH"] = f"{self._folder}{os.pathsep}{REPOSITORY}"
            command = [sys.executable, *_COMMANDS[words[0]], *words[1:]]
        else:
            command = [str(Path(sys.executable).parent / words[0]), *words[1:]]
            assert Path(command[0]).exists(), f"{place}: {words[0]} is not installed"
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, cwd=self._folder, env=environment, timeout=300
        )
        assert done.returncode in (0, *[1] * ("nextapi" in words)), f"{place}: {done.stdout}{done.stderr}"
        return done.stdout

    def _command(self, words: list[str], shown: str, place: str) -> None:
        if words[-2:-1] == ["gunicorn"]:
            self._app = words[-1]
            self._environment = dict(word.split("=") for word in words[:-2])
            self._stop()
        elif words[0] == "curl":
            _compare(shown, self._curl(words[1:], place), place)
        elif words[0] in CHECKERS:
            _compare(shown, check(self._folder, *words), place)
        else:
            assert words[0] in _COMMANDS, f"{place}: {words[0]} is not run"
            _compare(shown, self._run(words, "", place), place)

    def _curl(self, words: list[str], place: str) -> str:
        try:
            return curl(words, self._serving(place), self._folder)
        except OSError as error:
            raise AssertionError(f"{place}: {(self._folder / 'log.txt').read_text()}") from error

    def _serving(self, place: str) -> int:
        if self._port is None:
            known = {} if self._wheel is None else {"PYTHONPATH": ""}
            server = serve(self._app, self._folder, "gunicorn-sync", environment=known | self._environment)
            try:
                self._port = self._server.enter_context(server)
            except RuntimeError as error:
                raise AssertionError(f"{place}: {error}") from error
        return self._port

    def _stop(self) -> None:
        self._server.close()
        self._port = None


def run_page(page: Path, folder: Path, host: str | None) -> None:
    """Run the blocks of a page in a folder, in order, or those of a page that is for every host in one of them."""
    found = blocks(page)
    if host is not None:
        write_app(host, folder / "web", folder)
        found.sort(key=lambda block: block.kind != "python" or _FILE.match(block.text) is None)
    with Project(folder, page.parent if page.parent.parent.name == "integrations" else None) as project:
        for block in found:
            project.run(block)


def _compare(shown: str, found: str, place: str) -> None:
    shown, found = (re.sub(r"[ \r]*\n", "\n", text.strip()) + "\n" for text in (shown, found))
    assert OutputChecker().check_output(shown, found, ELLIPSIS), f"{place} shows\n{shown}\nbut there is\n{found}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run pages in the environment of this Python; return 1, and say where, if something is not as they show."""
    parser = argparse.ArgumentParser(prog="python -m tests.docs.pages", description=main.__doc__)
    parser.add_argument("page", type=Path, nargs="+")
    parser.add_argument("--project", type=Path, required=True, help="the folder to do it in")
    parser.add_argument("--wheel", type=Path, required=True, help=f"what stands for {DISTRIBUTION} in `pip install`")
    parser.add_argument("--without", action="append", default=[], metavar="HEADING", help="a section to leave out")
    given = parser.parse_args(arguments)
    pages = [blocks(page) for page in given.page]
    if unknown := set(given.without) - {block.heading for page in pages for block in page}:
        parser.error(f"no section has an example and the heading {unknown.pop()!r}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # which stops the server
    given.project.mkdir(parents=True, exist_ok=True)
    try:
        for page in pages:
            with Project(given.project, wheel=given.wheel) as project:
                wanted = [block for block in page if block.heading not in given.without]
                for block in wanted:
                    project.run(block)
            print(f"  {page[0].page}: {len(wanted)} examples do what it shows")
    except AssertionError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
