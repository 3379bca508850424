"""In debug the files count as they are: edited, new and removed ones at once, without a restart."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug.test import Client

from tests.support.trees import route, write_tree

Serve = Callable[..., Client]


@pytest.fixture
def edit(tmp_path: Path) -> Callable[..., None]:
    """Return what writes files of the tree, each other than it was; None removes one."""

    def write(files: dict[str, str | None]) -> None:
        write_tree(tmp_path / "web", {name: text for name, text in files.items() if text is not None})
        for name in (name for name, text in files.items() if text is None):
            (tmp_path / "web" / "pages" / "api" / f"{name}.py").unlink()

    return write


def test_files_count_at_once(serve: Serve, edit: Callable[..., None]) -> None:
    """An edited file answers anew, a new one answers, a removed one does not."""
    client = serve({"a": "res.end('1')", "gone": "res.end()"}, debug=True)
    assert client.get("/api/a").data == b"1"
    edit({"a": "res.end('2')"})
    assert client.get("/api/a").data == b"2"
    edit({"new/[id]": "res.end(req.query['id'])", "gone": None})
    assert client.get("/api/new/x").data == b"x"
    assert client.get("/api/new/y").data == b"y"
    assert client.get("/api/gone").status_code == 404
    edit({"gone": "res.end('again')", "new/[id]": None})
    assert client.get("/api/gone").data == b"again"
    assert client.get("/api/new/x").status_code == 404


def test_without_debug_they_do_not(serve: Serve, edit: Callable[..., None]) -> None:
    """Otherwise a tree is as it was when it was mounted."""
    client = serve({"a": "res.end('1')"}, debug=False)
    edit({"a": "res.end('2')", "new": "res.end()"})
    assert client.get("/api/a").data == b"1"
    assert client.get("/api/new").status_code == 404


def test_a_fault_keeps_what_was_good(serve: Serve, edit: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    """While a file is faulty the last good version answers, and the log says where the fault is; then it counts."""
    client = serve({"a": "res.end('1')", "b": "res.end('b')"}, debug=True)
    edit({"a": "def handler(req, res):\n    res.end('2'\n"})
    assert client.get("/api/a").data == b"1"
    assert "a.py" in caplog.text
    assert "SyntaxError" in caplog.text
    assert "line 2" in caplog.text
    caplog.clear()
    assert client.get("/api/b").data == b"b"
    assert not caplog.records  # once is enough
    edit({"a": "res.end('3')"})
    assert client.get("/api/a").data == b"3"
    edit({"b": route("res.end('4')", {"apo": {}})})
    assert client.get("/api/b").data == b"b"
    assert "unknown key 'apo'" in caplog.text


def test_only_what_is_concerned_is_loaded_anew(serve: Serve, edit: Callable[..., None], tmp_path: Path) -> None:
    """A file keeps its state when another one is edited; who imports an edited helper is loaded with it."""
    lib = tmp_path / "web" / "lib"
    lib.mkdir(parents=True)
    (lib / "words.py").write_text("from .more import END\n\nWORD = 'one' + END\n")
    (lib / "more.py").write_text("END = '!'\n")
    count = route("seen.append(1)\nres.json(len(seen))", before="seen = []")
    client = serve({"count": count, "word": route("res.end(WORD)", before="from ...lib.words import WORD")}, debug=True)
    assert client.get("/api/count").json == 1
    assert client.get("/api/word").data == b"one!"
    (lib / "more.py").write_text("END = '?!'\n")
    assert client.get("/api/word").data == b"one?!"
    assert client.get("/api/count").json == 2
    (lib / "words.py").write_text("WORD = 'three'\n")
    assert client.get("/api/word").data == b"three"
    edit({"count": count + "\n# edited\n"})
    assert client.get("/api/count").json == 1


@pytest.mark.parametrize(
    ("before", "word"),
    [
        ("from ...lib import words", "words.WORD"),
        ("from ...lib.words import WORD", "WORD"),
        ("from ... import lib\nfrom ...lib import words as _", "lib.words.WORD"),
    ],
)
@pytest.mark.parametrize("init", [True, False])
def test_every_form_of_import(serve: Serve, tmp_path: Path, before: str, word: str, init: bool) -> None:
    """An edited helper counts however it is imported, in a package and in a folder without `__init__.py`."""
    lib = tmp_path / "web" / "lib"
    lib.mkdir(parents=True)
    (lib / "words.py").write_text("WORD = 'one'\n")
    if init:
        (lib / "__init__.py").write_text("")
    client = serve({"a": route(f"res.end({word})", before=before)}, debug=True)
    assert client.get("/api/a").data == b"one"
    (lib / "words.py").write_text("WORD = 'second'\n")
    assert client.get("/api/a").data == b"second"
    if init:
        (lib / "__init__.py").write_text("# edited\n")
        assert client.get("/api/a").data == b"second"


def test_a_helper_keeps_its_state(serve: Serve, edit: Callable[..., None], tmp_path: Path) -> None:
    """What relative imports have loaded is not loaded anew when another file is edited, or was faulty in between."""
    lib = tmp_path / "web" / "lib"
    lib.mkdir(parents=True)
    (lib / "store.py").write_text("seen = []\n")
    count = route("seen.append(1)\nres.json(len(seen))", before="from ...lib.store import seen")
    client = serve({"count": count, "b": "res.end()"}, debug=True)
    assert client.get("/api/count").json == 1
    edit({"b": "res.end('2')"})
    assert client.get("/api/count").json == 2
    edit({"b": "def handler(req, res):\n    res.end('2'\n"})
    assert client.get("/api/count").json == 3
    edit({"b": "res.end('three')"})
    assert client.get("/api/count").json == 4
    (lib / "store.py").write_text("seen = [0] * 10\n")
    assert client.get("/api/count").json == 11
    edit({"b": "res.end('four')"})
    assert client.get("/api/count").json == 12


def test_an_edit_that_bytecode_does_not_tell(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit within the same second that leaves the size alone counts, in a helper too."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file = tmp_path / "web" / "lib" / "words.py"
    file.parent.mkdir(parents=True)

    def write(word: str, nanoseconds: int) -> None:
        file.write_text(f"WORD = '{word}'\n")
        os.utime(file, ns=(10**18 + nanoseconds,) * 2)

    write("one", 0)
    client = serve({"a": route("res.end(WORD)", before="from ...lib.words import WORD")}, debug=True)
    assert client.get("/api/a").data == b"one"
    write("two", 1000)
    assert client.get("/api/a").data == b"two"
    write("six", 2000)
    assert client.get("/api/a").data == b"six"


def test_a_folder_and_a_file_of_one_name(serve: Serve, edit: Callable[..., None], tmp_path: Path) -> None:
    """A folder becomes a file and a file a folder, one comes beside the other, and a folder becomes a package."""
    client = serve({"a/index": "res.end('folder')", "b/[id]": "res.end('id')", "c/d": "res.end('bare')"}, debug=True)
    assert client.get("/api/a").data == b"folder"
    shutil.rmtree(tmp_path / "web/pages/api/a")
    edit({"a": "res.end('file')", "b": "res.end('beside')"})
    assert client.get("/api/a").data == b"file"
    assert client.get("/api/b").data == b"beside"
    assert client.get("/api/b/1").data == b"id"
    edit({"a": None, "a/index": "res.end('folder again')"})
    assert client.get("/api/a").data == b"folder again"
    (tmp_path / "web/pages/api/c/__init__.py").write_text("WORD = 'package'\n")
    edit({"c/d": route("res.end(WORD)", before="from . import WORD")})
    assert client.get("/api/c/d").data == b"package"


@pytest.mark.parametrize("error", [MemoryError, PermissionError, RecursionError])
def test_any_exception_keeps_what_was_good(
    serve: Serve,
    edit: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: type[Exception],
) -> None:
    """What is no fault of a file, such as a folder that cannot be read, leaves the last good version answering, too."""
    client = serve({"a": "res.end('1')"}, debug=True)

    def scan(*_: object) -> None:
        raise error("cannot be read")

    with monkeypatch.context() as patched:
        patched.setattr("nextapi.building.scan_root", scan)
        edit({"a": "res.end('second')"})
        assert client.get("/api/a").data == b"1"
    assert "cannot be read" in caplog.text
    edit({"a": "res.end('third one')"})
    assert client.get("/api/a").data == b"third one"


def test_a_file_too_deep_to_be_read(serve: Serve, edit: Callable[..., None]) -> None:
    """A file that Python's parser gives up on is a faulty file like any other."""
    client = serve({"a": "res.end('1')"}, debug=True)
    edit({"a": f"x = {'-' * 100_000}1\ndef handler(req, res): res.end()\n"})
    assert client.get("/api/a").data == b"1"
    edit({"a": "res.end('second')"})
    assert client.get("/api/a").data == b"second"


def test_a_fault_in_a_helper(serve: Serve, tmp_path: Path) -> None:
    """What imports a faulty helper goes on with the one that it has, also if it imports it as late as in a request."""
    lib = tmp_path / "web" / "lib"
    lib.mkdir(parents=True)
    (lib / "words.py").write_text("WORD = 'one'\n")
    client = serve({"a": "from ...lib.words import WORD\nres.end(WORD)"}, debug=True)
    assert client.get("/api/a").data == b"one"
    (lib / "words.py").write_text("WORD = \n")
    assert client.get("/api/a").data == b"one"
    (lib / "words.py").write_text("WORD = 'three'\n")
    assert client.get("/api/a").data == b"three"
