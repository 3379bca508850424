"""nextapi as a WSGI application by itself."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client, EnvironBuilder

from nextapi.adapters.wsgi import create_app
from tests.contract.test_external import APPS, EXTERNAL
from tests.support.trees import route, write_tree


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize(
    "body",
    ["res.json(req.body)", "res.status(204).end()", "res.send(b'x')", "res.set_header('Content-Type', 'a/b').end('x')"],
)
def test_it_is_a_wsgi_application(tmp_path: Path, method: str, body: str) -> None:
    """The standard library's validator finds nothing to say."""
    app = create_app(write_tree(tmp_path, {"a": body}))
    environ = EnvironBuilder("/api/a", method=method, json={"a": 1} if method == "POST" else None).get_environ()
    started: list[Any] = []
    result = validator(app)(environ, lambda *arguments: started.append(arguments) or io.BytesIO().write)
    assert b"".join(result) == b"" or method != "HEAD"
    result.close()  # type: ignore[attr-defined]  # the validator's iterator has it
    assert started


def old_app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"old {environ['PATH_INFO']} {environ['wsgi.input'].read().decode()}".encode()]


def test_fallback(tmp_path: Path) -> None:
    """What no route names goes to the fallback untouched, also below /api; what one names in any form does not."""
    client = Client(create_app(write_tree(tmp_path, {"a": "res.end('new')"}), fallback=old_app))
    assert client.get("/api/a").text == "new"
    assert client.get("/api/a/").status_code == 308
    assert client.post("/api/b//", data=b"body").text == "old /api/b// body"
    assert client.get("/").text == "old / "


@pytest.mark.parametrize("app", ["plain", "writes", "late", "again", "wrapped"])
@pytest.mark.parametrize("path", ["/other", "/api/relayed"])
def test_what_an_older_application_may_do(tmp_path: Path, app: str, path: str) -> None:
    """As a fallback and as what a handler returns, an application is called as the server would call it."""
    scope: dict[str, Any] = {}
    exec(APPS, scope)
    relay = route("return apps[req.query['app']]", EXTERNAL, "from tests.hosts.test_wsgi import apps")
    apps.update(scope)
    served = create_app(write_tree(tmp_path, {"relayed": relay}), fallback=scope[app])
    expected, answered = ([], []), ([], [])
    for application, (lines, body) in ((scope[app], expected), (served, answered)):
        environ = EnvironBuilder(path, query_string={"app": app}).get_environ()

        def start(line: str, headers: Any, exc_info: Any = None, /, *, lines: Any = lines, body: Any = body) -> Any:
            lines.append((line, headers, exc_info is not None))
            return body.append

        chunks = application(environ, start)
        body.extend(chunks)
        closed = len(scope["closed"])
        if close := getattr(chunks, "close", None):
            close()
        assert len(scope["closed"]) == closed + 1
    assert expected == answered


apps: dict[str, Any] = {}
"""What the route of the test above chooses from."""


def test_mounted_below_a_prefix(tmp_path: Path) -> None:
    """Below a dispatcher's prefix, `req.url` is the rest of the path and redirects have all of it."""
    app = DispatcherMiddleware(
        old_app, {"/base": create_app(write_tree(tmp_path, {"[id]": "res.json([req.url, req.params])"}))}
    )
    client = Client(app)
    raw = {"RAW_URI": "/base/api/a%2Fb?c=1", "PATH_INFO": "/base/api/a/b"}
    assert client.get("/?c=1", environ_overrides=raw).json == ["/api/a%2Fb?c=1", {"id": "a/b"}]
    assert client.get("/base/api/a/").headers["Location"] == "/base/api/a"
    assert client.get("/basex/api/a").text == "old /basex/api/a "


def test_a_target_that_was_rewritten_is_not_believed(tmp_path: Path) -> None:
    """Where a middleware rewrote the path, RAW_URI is another path, and the rewritten one counts."""
    client = Client(create_app(write_tree(tmp_path, {"[id]": "res.json(req.params)"})))
    assert client.get("/api/a b", environ_overrides={"RAW_URI": "/api/evil"}).json == {"id": "a b"}


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    """Only in debug does a 500 show what went wrong."""
    root = write_tree(tmp_path, {"a": "raise ValueError('detail')"})
    assert Client(create_app(root)).get("/api/a").text == "Internal Server Error"
    shown = Client(create_app(root, debug=True)).get("/api/a")
    assert "ValueError: detail" in shown.text
    assert shown.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_relative_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative root is looked for in the working directory."""
    write_tree(tmp_path / "web", {"a": "res.end('here')"})
    monkeypatch.chdir(tmp_path)
    assert Client(create_app("web")).get("/api/a").text == "here"


def test_page_extensions(tmp_path: Path) -> None:
    """With `page_extensions` only files that end so are routes, and the ending is no part of the URL."""
    root = write_tree(tmp_path, {"user.api": "res.end('route')", "helper": route("res.end('helper')")})
    client = Client(create_app(root, page_extensions=["api.py"]))
    assert client.get("/api/user").text == "route"
    assert client.get("/api/helper").status_code == 404


def test_mounting_twice_loads_once(tmp_path: Path) -> None:
    """A root is one package in a process: a second mount shares its modules and has options of its own."""
    root = write_tree(tmp_path, {"a": route("calls.append(1)\nres.json(len(calls))", before="calls = []")})
    one, two = Client(create_app(root)), Client(create_app(root, trusted_origins=["https://a.test"]))
    assert [one.get("/api/a").json, two.get("/api/a").json, one.get("/api/a").json] == [1, 2, 3]
    origin = {"Origin": "https://a.test"}
    assert (one.post("/api/a", headers=origin).status_code, two.post("/api/a", headers=origin).status_code) == (
        403,
        200,
    )


def test_a_prefix_that_a_proxy_took_off(tmp_path: Path) -> None:
    """Behind a proxy that strips a prefix and says so, the target is the rest of the path, and believed."""
    client = Client(create_app(write_tree(tmp_path, {"[id]": "res.json(req.params)"})))
    raw = {"SCRIPT_NAME": "/base", "RAW_URI": "/api/a%2Fb", "PATH_INFO": "/api/a/b"}
    assert client.get("/", environ_overrides=raw).json == {"id": "a/b"}


def test_a_folder_beside_a_file_of_its_name(tmp_path: Path) -> None:
    """A file's names are its own, whatever the files in the folder of its name are called."""
    files = {
        "user": route("res.json(config)", before="import json"),
        "user/config": "res.end('config')",
        "user/handler": "res.end('handler')",
        "user/json": "res.end('json')",
    }
    client = Client(create_app(write_tree(tmp_path, files)))
    assert client.get("/api/user").json == {}
    assert client.get("/api/user/handler").text == "handler"


def test_a_link_that_leads_upwards(tmp_path: Path) -> None:
    """A folder that links to one above it is not followed round and round."""
    root = write_tree(tmp_path, {"a/b": "res.end()"})
    (root / "pages/api/a/loop").symlink_to(root / "pages/api")
    assert [route.pattern for route in create_app(root).application.routes] == ["/api/a/b"]


def test_draft_mode_without_a_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Without the option, one process makes a secret up; for several, setting is an error that names it."""
    files = {"on": "res.set_draft_mode().end()", "read": "res.json(req.preview)"}
    client = Client(create_app(write_tree(tmp_path, files)), use_cookies=False)
    cookie = client.get("/api/on").headers["Set-Cookie"].partition(";")[0]
    assert client.get("/api/read", headers={"Cookie": cookie}).json is True
    assert client.get("/api/on", multiprocess=True).status_code == 500
    assert "set the option `secret`" in caplog.text
    assert client.get("/api/read").json is False
    answer = client.get("/api/read", headers={"Cookie": "__prerender_bypass=0123456789abcdef0123456789abcdef"})
    assert answer.json is False
    assert len(answer.headers.getlist("Set-Cookie")) == 2


def test_an_exit_before_the_first_chunk(tmp_path: Path) -> None:
    """What is no failure of the handler's passes through, and its stream is closed all the same."""
    before = """
        closed = []

        class Parts:
            def __iter__(self): return self
            def __next__(self): raise SystemExit(3)
            def close(self): closed.append(True)
    """
    files = {"a": route("res.json(closed) if 'closed' in req.query else res.send(Parts())", before=before)}
    client = Client(create_app(write_tree(tmp_path, files)))
    with pytest.raises(SystemExit):
        client.get("/api/a")
    assert client.get("/api/a?closed").json == [True]


def test_a_server_without_write(tmp_path: Path) -> None:
    """Where `start_response` returns nothing, what is written is sent at the end, and the answer begins once."""
    app = create_app(write_tree(tmp_path, {"a": "res.write('one')\nres.write('two')\nres.end('three')"}))
    begun = []

    def forgetful(environ: dict[str, Any], start_response: Any) -> Any:
        def start(*head: Any) -> None:
            begun.append(head)
            start_response(*head)

        return app(environ, start)

    assert Client(forgetful).get("/api/a").data == b"onetwothree"
    assert len(begun) == 1
