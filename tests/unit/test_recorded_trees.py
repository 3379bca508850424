"""The recorded trees that Next was given with `app`, `middleware` and `proxy` in them: what nextapi says of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from werkzeug.test import Client

from nextapi.adapters.wsgi import create_app
from nextapi.errors import BuildError, ConfigError, ConflictError, HandlerError, SegmentError, TreeError

pytestmark = pytest.mark.usefixtures("forget_modules")

CONFLICTS = json.loads((Path(__file__).parents[1] / "conformance/data/build_conflicts.json").read_text("utf-8"))

PAGE = "def handler(req, res):\n    res.send({file!r})\n"
ROUTE = "from nextapi import Response\n\ndef GET():\n    return Response({file!r})\n"
MIDDLEWARE = (
    "from nextapi import Response\n\ndef {name}(request):\n    return Response('before ' + request.next_url.pathname)\n"
)
TOO = "as in Next"

Served = dict[str, str]
TREES: dict[str, tuple[Served | list[type[BuildError]], str]] = {
    "pages-and-app-same": ([ConflictError], TOO),
    "pages-dynamic-app-dynamic": ([ConflictError], "Next's server dies at the first request"),
    "pages-catchall-app-dynamic": ({"/api/x": "app/api/[b]/route.py", "/api/x/y": "pages/api/[...a].py"}, TOO),
    "pages-dynamic-app-static": ({"/api/x": "pages/api/[a].py", "/api/s": "app/api/s/route.py"}, TOO),
    "app-page-and-route": ([ConflictError], TOO),
    "app-group-duplicate": ([ConflictError], "Next serves one of the two without a word"),
    "app-slug-names-differ": ([ConflictError], "Next's server dies at the first request"),
    "app-optional-and-index": (
        {"/o": "app/o/route.py", "/o/x": "app/o/[[...s]]/route.py"},
        "as in pages, where Next can",
    ),
    "rh-default-only": ([HandlerError], "Next answers 405 to everything"),
    "rh-lowercase": ([HandlerError], "Next answers 405 to everything"),
    "rh-no-exports": ([HandlerError], "Next answers 405 to everything"),
    "rh-not-function": ([HandlerError], "Next answers 500"),
    "rh-dynamic-bogus": ([ConfigError], TOO),
    "rh-revalidate-bogus": ([ConfigError], TOO),
    "rh-page-config": ([ConfigError], "Next ignores a config that says what nothing reads"),
    "matcher-no-slash": ([ConfigError], TOO),
    "matcher-none": ({"/api/a": "before /api/a", "/x": "before /x", "/favicon.ico": "before /favicon.ico"}, TOO),
    "proxy-named-export": ({"/api/a": "before /api/a"}, TOO),
    "proxy-wrong-export": ([HandlerError], TOO),
    "middleware-file": ({"/api/a": "before /api/a"}, TOO),
    "middleware-and-proxy": ([ConflictError], TOO),
    "app-private-index": ({"/_r": "app/%5Fr/route.py"}, TOO),
    "app-slot-route": ([SegmentError], TOO),
    "rh-root": ({"/": "app/route.py"}, TOO),
}
OTHERS = {
    "rh-dynamic-error": "what a handler asks for is known when it runs: an error then, see contract/test_routes.py",
    "proxy-runtime-config": "a runtime says nothing here: it is taken",
    "src-dir": "a root is the folder that is given: `src` is one",
}
SOURCES = {
    "rh-default-only": "def default(): ...",
    "rh-lowercase": "def get(request): ...",
    "rh-no-exports": "x = 1",
    "rh-not-function": "GET = 'x'",
    "rh-dynamic-bogus": ROUTE + "dynamic = 'bogus'\n",
    "rh-revalidate-bogus": ROUTE + "revalidate = 'x'\n",
    "rh-page-config": ROUTE + "config = {{'api': {{'bodyParser': False}}}}\n",
    "matcher-no-slash": MIDDLEWARE + "config = {{'matcher': 'api'}}\n",
    "proxy-wrong-export": "def other(request): ...",
}


def _write(root: Path, name: str) -> None:
    for recorded in CONFLICTS[name]["files"]:
        file = root / Path(recorded).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        kind = PAGE if recorded.startswith("pages/") else ROUTE if recorded.startswith("app/") else MIDDLEWARE
        source = kind if name in SOURCES and recorded.startswith("pages/") else SOURCES.get(name, kind)
        file.write_text(source.format(file=str(file.relative_to(root)), name=file.stem))


def test_table_of_trees_is_complete() -> None:
    """Every recorded tree with files outside of pages/api is in one of the tables."""
    assert {*TREES, *OTHERS} == {
        name for name, tree in CONFLICTS.items() if not all(file.startswith("pages/api/") for file in tree["files"])
    }


@pytest.mark.parametrize("name", TREES)
def test_recorded_tree(tmp_path: Path, name: str) -> None:
    """A tree that Next was given is refused or served as the table says, and the reason is why not as in Next."""
    _write(tmp_path, name)
    expected, reason = TREES[name]
    tree = CONFLICTS[name]
    if isinstance(expected, list):
        with pytest.raises(TreeError) as raised:
            create_app(tmp_path)
        assert [type(fault) for fault in raised.value.exceptions] == expected
        assert all(fault.files for fault in raised.value.exceptions if isinstance(fault, BuildError))
        assert (tree["build"] == "fails") is (reason == TOO)
        return
    client = Client(create_app(tmp_path))
    for target, text in expected.items():
        assert client.get(target).text == text
    for target, (status, _) in (tree.get("responses") or {}).items():
        if status == 404:
            assert client.get(target).status_code == 404
