"""`nextapi init`: what it writes runs, and nothing that is there is touched."""

from __future__ import annotations

import http.client
from io import StringIO
from pathlib import Path

import pytest

from nextapi.commands.init import init
from tests.cli.commands import FLASK, MANAGE, NEXTAPI, call
from tests.support.servers import serve

_APPS = {
    "wsgi": "nextapi.adapters.wsgi:create_app('web')",
    "flask": "app:app",
    "django": "mysite.wsgi:application",
}


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


@pytest.mark.parametrize(
    ("kind", "dialect"), [*((kind, "pages") for kind in _APPS), ("wsgi", "app"), ("flask", "app"), ("django", "app")]
)
def test_what_was_written_runs(kind: str, dialect: str, tmp_path: Path) -> None:
    """The tree answers on the host that it was written for, and has no faults and findings."""
    code, said = call(
        tmp_path, *NEXTAPI, "init", kind, "first", *([] if dialect == "pages" else ["--dialect", dialect])
    )
    assert code == 0, said
    folder = tmp_path / "first"
    assert "    cd first\n" in said
    command = {"wsgi": NEXTAPI, "flask": [*FLASK, "nextapi"], "django": [*MANAGE, "nextapi"]}[kind]
    assert call(folder, *command, "check") == (0, "No faults and no findings.\n")
    with serve(_APPS[kind], folder, "gunicorn-sync") as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        answers = []
        for method, path, body in [
            ("GET", "/api/hello", None),
            ("GET", "/api/post/abc", None),
            ("PUT", "/api/post/abc", '{"a":1}'),
            ("POST", "/api/post/abc", None),
        ]:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            answers.append((answer.status, answer.read()))
        connection.close()
    assert answers == [
        (200, b'{"name":"John Doe"}'),
        (200, b'{"pid":"abc"}'),
        (200, b'{"pid":"abc","saved":{"a":1}}'),
        (405, b"Method Not Allowed" if dialect == "pages" else b""),
    ]


@pytest.mark.parametrize("kind", _APPS)
def test_a_host_that_is_not_installed_is_to_be_installed(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has no Flask, or no Django, is told to install it before what it wrote is run."""
    for missing in (False, True):
        monkeypatch.setattr("nextapi.commands.init.find_spec", lambda name, missing=missing: None if missing else name)
        init(kind, tmp_path / str(missing), out := StringIO())
        assert (f"pip install 'nextapi-wsgi[{kind}]'" in out.getvalue()) == (missing and kind != "wsgi")


@pytest.mark.parametrize("kind", _APPS)
def test_no_file_is_overwritten(kind: str, tmp_path: Path) -> None:
    """Where a file of the tree is there already it is named, and nothing is written at all."""
    there = tmp_path / "web/pages/api/hello.py"
    there.parent.mkdir(parents=True)
    there.write_text("mine")
    code, said = call(tmp_path, *NEXTAPI, "init", kind)
    assert code == 2
    assert "nothing was written: web/pages/api/hello.py would be overwritten" in said
    assert _files(tmp_path) == {"web/pages/api/hello.py": b"mine"}


@pytest.mark.parametrize(
    ("kind", "file", "said"),
    [
        ("flask", "app.py", 'app.register_blueprint(create_blueprint("web"))'),
        ("django", "manage.py", 'include, path\n\n    path("", include("nextapi.adapters.django.urls"))'),
    ],
)
def test_an_app_that_is_there_is_added_to(kind: str, file: str, said: str, tmp_path: Path) -> None:
    """In a folder with an app only the tree is written, and it is said what to add to the app."""
    (tmp_path / file).write_text("mine")
    code, out = call(tmp_path, *NEXTAPI, "init", kind)
    assert code == 0, out
    assert said in out.replace("'", '"')
    assert sorted(_files(tmp_path)) == sorted([file, "web/pages/api/hello.py", "web/pages/api/post/[pid].py"])
    assert (tmp_path / file).read_text() == "mine"


@pytest.mark.parametrize("place", ["first", "first/web", "first/web/pages/api/hello.py"])
@pytest.mark.parametrize("is_link", [True, False])
def test_what_stands_in_the_way(place: str, is_link: bool, tmp_path: Path) -> None:
    """A file in the place of a folder, and a link that leads nowhere, are left as they are, and nothing is written."""
    way = tmp_path / place
    way.parent.mkdir(parents=True, exist_ok=True)
    if is_link:
        way.symlink_to(tmp_path / "elsewhere")
    else:
        way.write_text("")
    before = sorted(tmp_path.rglob("*"))
    code, said = call(tmp_path, *NEXTAPI, "init", "flask", "first")
    assert code == 2
    assert "nothing was written: " in said
    assert f"{place} would be overwritten" in said
    assert sorted(tmp_path.rglob("*")) == before
