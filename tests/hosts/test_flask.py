"""nextapi in Flask: names, prefixes, options, hooks, errors."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import flask
import pytest
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client, EnvironBuilder, run_wsgi_app

from nextapi import TreeError
from nextapi.adapters.flask import create_blueprint
from nextapi.errors import OptionError
from tests.support.journal import ENTRIES
from tests.support.trees import NAMED, async_route, route, write_files, write_tree


@pytest.fixture
def app() -> flask.Flask:
    """Return an app that has nothing yet."""
    app = flask.Flask("host")
    app.secret_key = "secret"
    return app


def mount(app: flask.Flask, root: Path, files: dict[str, str], **options: Any) -> Client:
    app.register_blueprint(create_blueprint(write_tree(root, files)), **options)
    return Client(app)


def test_url_for(app: flask.Flask, tmp_path: Path) -> None:
    """Every route has a name; a value goes into the URL as it will come out of it."""
    mount(app, tmp_path, NAMED)
    with app.test_request_context():
        assert flask.url_for("nextapi.index") == "/api"
        assert flask.url_for("nextapi.post/[pid]", pid=1) == "/api/post/1"
        assert flask.url_for("nextapi.post/[pid]", pid="a/b c") == "/api/post/a%2Fb%20c"
        assert flask.url_for("nextapi.docs/[*slug]", slug=["a", "b/c"]) == "/api/docs/a/b%2Fc"
        assert flask.url_for("nextapi.docs/[*slug]", slug="a/b") == "/api/docs/a/b"
        assert flask.url_for("nextapi.opt/[[*slug]]") == "/api/opt"
        assert flask.url_for("nextapi.opt/[[*slug]]", slug=["a"]) == "/api/opt/a"
        assert flask.url_for("nextapi.data:json") == "/api/data.json"
        assert flask.url_for("nextapi.x/[some_id]", some_id="1") == "/api/x/1"


def test_flask_routes_lists_them(app: flask.Flask, tmp_path: Path) -> None:
    """`flask routes` shows every route under its name."""
    mount(app, tmp_path, NAMED)
    runner = app.test_cli_runner()
    listed = runner.invoke(flask.cli.FlaskGroup(create_app=lambda: app), ["routes"]).output
    for line in ("nextapi.post/[pid]", "/api/post/<pid>", "/api/docs/<path:slug>"):
        assert line in listed


def test_the_request_names_the_route_that_runs(app: flask.Flask, tmp_path: Path) -> None:
    """`endpoint`, `view_args` and `blueprint` are the route's for every hook, also where Flask saw another path."""
    seen = []
    app.before_request(lambda: seen.append((flask.request.endpoint, flask.request.view_args, flask.request.blueprint)))
    client = mount(app, tmp_path, {"items/[id]": "res.end()", "items/[id]/[sub]": "res.end()"})
    client.get("/api/items/1")
    client.get("/", environ_overrides={"RAW_URI": "/api/items/a%2Fb", "PATH_INFO": "/api/items/a/b"})
    client.post("/api/items/1/")
    assert seen == [
        ("nextapi.items/[id]", {"id": "1"}, "nextapi"),
        ("nextapi.items/[id]", {"id": "a/b"}, "nextapi"),
        ("nextapi.items/[id]", {"id": "1"}, "nextapi"),
    ]


@pytest.mark.parametrize("prefix", ["/v2", "/v2/", "/<lang>/v2"])
def test_prefixes(app: flask.Flask, tmp_path: Path, prefix: str) -> None:
    """A prefix is Next's basePath: `req.url` does not have it, redirects of nextapi's own do."""
    client = mount(app, tmp_path, {"a": "res.end(req.url)", "[id]/x": "res.json(req.params)"}, url_prefix=prefix)
    base = prefix.rstrip("/").replace("<lang>", "en")
    assert client.get(f"{base}/api/a?b=1").text == "/api/a?b=1"
    assert client.get(f"{base}/api/a/").headers["Location"] == f"{base}/api/a"
    raw = f"{base}/api/%2F/x"
    answer = client.get("/", environ_overrides={"RAW_URI": raw, "PATH_INFO": raw.replace("%2F", "/")})
    assert answer.json == {"id": "/"}
    assert client.get("/api/a").status_code == 404


def test_a_prefix_cannot_be_moved(app: flask.Flask, tmp_path: Path) -> None:
    """A slash that hides in a prefix's parameter does not lead to another file than the one that hooks saw."""
    files = {"admin": "res.end('admin')", "api/admin": "res.end('below')"}
    client = mount(app, tmp_path, files, url_prefix="/<org>/<repo>")
    raw = {"RAW_URI": "/acme%2Fx/api/api/admin", "PATH_INFO": "/acme/x/api/api/admin"}
    assert client.get("/", environ_overrides=raw).text == "below"


def test_a_prefix_is_no_other_site(app: flask.Flask, tmp_path: Path) -> None:
    """A redirect below a prefix that the client chooses stays on this site."""
    client = mount(app, tmp_path, {"a": "res.end()"}, url_prefix="/<org>")
    for target in ("//evil.test/api/a/", "/\\evil.test/api/a/", "///evil.test/api//a"):
        answer = client.get("/", environ_overrides={"RAW_URI": target, "PATH_INFO": target})
        assert not answer.headers.get("Location", "/").startswith(("//", "/\\")), target


def test_a_prefix_of_any_length(tmp_path: Path) -> None:
    """A prefix may have a parameter of several segments."""
    app = flask.Flask("host")
    client = mount(app, tmp_path, {"a": "res.end(req.url)"}, url_prefix="/<path:tenant>")
    assert client.get("/t/u/api/a").text == "/api/a"


def test_an_environ_that_is_used_again(app: flask.Flask, tmp_path: Path) -> None:
    """What was found for one request is not another's, though they share an environ."""
    client = mount(app, tmp_path, {"a": "res.end('a')", "b": "res.end('b')"})
    environ = client.get("/api/a").request.environ
    environ.update(PATH_INFO="/api/b")
    assert client.open(environ).text == "b"


def test_hooks_may_change_the_body(app: flask.Flask, tmp_path: Path) -> None:
    """A body that `after_request` sets has its own length."""
    app.after_request(lambda response: (response.set_data(b"a longer body"), response)[1])
    answer = mount(app, tmp_path, {"a": "res.json(1)"}).get("/api/a")
    assert (answer.data, answer.headers["Content-Length"]) == (b"a longer body", "13")


def test_rules_answer_for_themselves(app: flask.Flask, tmp_path: Path) -> None:
    """Once a request has its rule, the map can be asked for other paths, and the rules for their methods."""
    seen = []

    @app.before_request
    def look() -> None:
        adapter = app.create_url_adapter(flask.request)
        assert adapter is not None
        seen.append(adapter.match("/api/b")[0])
        seen.append(flask.url_for("nextapi.b", _method="POST"))

    mount(app, tmp_path, {"a": "res.end()", "b": "res.end()"}).get("/api/a")
    assert seen == ["nextapi.b", "/api/b"]


def test_parameters_of_any_name(app: flask.Flask, tmp_path: Path) -> None:
    """A parameter that is no ASCII identifier has `_` for the odd characters."""
    assert mount(app, tmp_path, {"[é]": "res.json(req.params)"}).get("/api/x").json == {"é": "x"}


def test_script_name(app: flask.Flask, tmp_path: Path) -> None:
    """Below a SCRIPT_NAME the same holds."""
    client = mount(app, tmp_path, {"a": "res.end(req.url)"})
    environ = {"SCRIPT_NAME": "/base", "RAW_URI": "/base/api/a"}
    assert client.get("/api/a", environ_overrides=environ).text == "/api/a"
    answer = client.get("/api/a/", environ_overrides={"SCRIPT_NAME": "/base", "RAW_URI": "/base/api/a/"})
    assert answer.headers["Location"] == "/base/api/a"


def test_two_trees(app: flask.Flask, tmp_path: Path) -> None:
    """Two trees in one app, and one tree twice, answer each for itself."""
    one = write_tree(tmp_path / "one", {"a": "res.end('one')", "same": "res.end('one')"})
    two = write_tree(tmp_path / "two", {"b": "res.end('two')", "same": "res.end('two')"})
    app.register_blueprint(create_blueprint(one))
    app.register_blueprint(create_blueprint(two, name="second"))
    app.register_blueprint(create_blueprint(one, name="third"), url_prefix="/v3")
    client = Client(app)
    for target, text in (("/api/a", "one"), ("/api/b", "two"), ("/api/same", "one"), ("/v3/api/a", "one")):
        assert client.get(target).text == text, target
    assert client.get("/v3/api/b").status_code == client.get("/api/c").status_code == 404
    with app.test_request_context():
        assert flask.url_for("second.b") == "/api/b"
        assert flask.url_for("third.a") == "/v3/api/a"


def test_nested_blueprints(app: flask.Flask, tmp_path: Path) -> None:
    """A tree inside another blueprint has its prefix and its hooks."""
    parent = flask.Blueprint("parent", __name__, url_prefix="/parent")
    parent.before_request(lambda: flask.g.setdefault("by", "parent") and None)
    files = {"a": route("res.end(g.by)", before="from flask import g")}
    parent.register_blueprint(create_blueprint(write_tree(tmp_path, files)))
    app.register_blueprint(parent)
    assert Client(app).get("/parent/api/a").text == "parent"


def test_root_is_relative_to_the_app(tmp_path: Path) -> None:
    """A relative root is looked for beside the app."""
    write_tree(tmp_path / "web", {"a": "res.end('here')"})
    app = flask.Flask("host", root_path=str(tmp_path))
    app.register_blueprint(create_blueprint("web"))
    assert Client(app).get("/api/a").text == "here"


def test_faults_come_when_mounted(app: flask.Flask, tmp_path: Path) -> None:
    """A tree with faults cannot be registered."""
    with pytest.raises(TreeError, match="2 faults"):
        mount(app, tmp_path, {"a": "def no_handler(): pass", "[b]c": "res.end()"} | {"a": "x = 1  # def handler"})


def test_options_from_config(app: flask.Flask, tmp_path: Path) -> None:
    """`NEXTAPI_*` of the app's config are the options that were not given."""
    app.config["NEXTAPI_TRUSTED_ORIGINS"] = ["https://friend.test"]
    client = mount(app, tmp_path, {"a": "res.end('done')"})
    assert client.post("/api/a", headers={"Origin": "https://friend.test"}).text == "done"
    app = flask.Flask("other")
    app.config["NEXTAPI_TRUSTED_ORIGIN"] = []
    with pytest.raises(OptionError, match="did you mean 'trusted_origins'"):
        app.register_blueprint(create_blueprint(tmp_path, name="second"))


def test_hooks_session_and_context(app: flask.Flask, tmp_path: Path) -> None:
    """Hooks, sessions and `g` work as around any view."""
    app.before_request(lambda: flask.g.setdefault("user", "me") and None)
    app.after_request(lambda response: (response.headers.add("X-After", "1"), response)[1])
    body = "session['n'] = session.get('n', 0) + 1\nres.json([g.user, session['n'], req.raw is not None])"
    app.register_blueprint(
        create_blueprint(write_tree(tmp_path, {"a": route(body, before="from flask import g, session")}))
    )
    client = Client(app)
    first, second = client.get("/api/a"), client.get("/api/a")
    assert (first.json, second.json) == (["me", 1, True], ["me", 2, True])
    assert first.headers["X-After"] == "1"
    assert first.headers["Vary"] == "Cookie"


def test_exceptions_belong_to_the_app(app: flask.Flask, tmp_path: Path) -> None:
    """Error handlers and the signal see an exception, and `abort` works."""
    reported = []
    flask.got_request_exception.connect(lambda sender, exception: reported.append(exception), app, weak=False)
    app.register_error_handler(KeyError, lambda error: (f"own {error}", 418))
    client = mount(
        app,
        tmp_path,
        {
            "key": "raise KeyError('k')",
            "value": "raise ValueError('v')",
            "late": "res.end('done')\nraise ValueError('late')",
            "abort": route("abort(403)", before="from flask import abort"),
        },
    )
    assert (client.get("/api/key").status_code, client.get("/api/key").text) == (418, "own 'k'")
    assert client.get("/api/value").status_code == 500
    assert client.get("/api/late").text == "done"
    assert client.get("/api/abort").status_code == 403
    assert [str(error) for error in reported] == ["v", "late"]


def test_exceptions_propagate_in_tests(app: flask.Flask, tmp_path: Path) -> None:
    """With TESTING an exception reaches the test, as from any view."""
    app.testing = True
    with pytest.raises(ValueError, match="boom"):
        mount(app, tmp_path, {"a": "raise ValueError('boom')"}).get("/api/a")


BODY = "res.json({'body': req.body, 'raw': req.raw_body.decode()})"


def test_bodies_that_the_app_has_read(app: flask.Flask, tmp_path: Path) -> None:
    """A body that a hook has read is there all the same."""

    @app.before_request
    def read() -> None:
        reader = flask.request.args.get("read")
        if reader:
            getattr(flask.request, reader) if reader == "form" else getattr(flask.request, reader)()

    client = mount(app, tmp_path, {"a": BODY})
    for reader in ("get_data", "get_json", ""):
        answer = client.post(f"/api/a?read={reader}", json={"a": 1})
        assert answer.json["body"] == {"a": 1}, reader
    answer = client.post("/api/a?read=form", data={"a": ["1", "2"], "b": "x y"})
    assert answer.json == {"body": {"a": ["1", "2"], "b": "x y"}, "raw": "a=1&a=2&b=x+y"}


def test_asking_for_a_form_loses_no_other_body(app: flask.Flask, tmp_path: Path) -> None:
    """A hook that looks for a form, as Flask-WTF does, leaves JSON and text to be read."""
    app.before_request(lambda: flask.request.form.get("csrf_token") and None)
    client = mount(app, tmp_path, {"a": BODY})
    assert client.post("/api/a", json={"a": 1}).json["body"] == {"a": 1}
    assert client.put("/api/a", data="text", content_type="text/plain").json["body"] == "text"


def test_a_stream_that_is_gone(app: flask.Flask, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A body that a hook took from the stream is the app's fault, and not the client's."""
    app.before_request(lambda: flask.request.stream.read() and None)
    assert mount(app, tmp_path, {"a": BODY}).put("/api/a", data="text").status_code == 500
    assert "request.get_data(), which keeps it" in caplog.text


def test_what_nextapi_reads_the_app_sees(app: flask.Flask, tmp_path: Path) -> None:
    """After the handler, Flask still has the body."""
    seen = []
    app.after_request(lambda response: (seen.append(flask.request.get_json()), response)[1])
    mount(app, tmp_path, {"a": BODY}).post("/api/a", json={"a": 1})
    assert seen == [{"a": 1}]


def test_a_form_that_the_app_has_read(app: flask.Flask, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The fields and files of a form are there also where the app has parsed it, up to the route's limit; its bytes are
    not.
    """
    app.before_request(lambda: flask.request.form and None)
    files = "res.json([req.body, {name: file.read().decode() for name, file in req.files.items()}])"
    small = {"api": {"bodyParser": {"sizeLimit": "1kb"}}}
    client = mount(app, tmp_path, {"a": route(files, small), "raw": "res.send(req.raw_body)"})
    form = {"a": ["1", "2"], "file": (BytesIO(b"text"), "a.txt")}
    assert client.post("/api/a", data=form).json == [{"a": ["1", "2"]}, {"file": "text"}]
    answer = client.post("/api/a", data={"a": "1" * 1024}, content_type="multipart/form-data")
    assert (answer.status_code, answer.text) == (413, "Body exceeded 1kb limit")
    assert client.post("/api/raw", data={"a": "1"}, content_type="multipart/form-data").status_code == 500
    assert "a multipart body is parsed as it comes, and not kept" in caplog.text


def test_what_is_left_of_a_form_that_the_app_has_read(
    app: flask.Flask, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With the parser off, the bytes of a form that the app has parsed are gone: the error says what to do."""
    app.before_request(lambda: flask.request.form and None)
    off = {"api": {"bodyParser": False}}
    bodies = {"a": route("res.send(req.raw_body)", off), "b": route("res.json(req.raw.form['a'])", off)}
    client = mount(app, tmp_path, bodies)
    assert client.post("/api/a", data={"a": "1"}, content_type="multipart/form-data").status_code == 500
    assert "such as req.raw.form and req.raw.files" in caplog.text
    assert client.post("/api/b", data={"a": "1"}, content_type="multipart/form-data").json == "1"


def test_host_limit_holds(app: flask.Flask, tmp_path: Path) -> None:
    """The app's own MAX_CONTENT_LENGTH is the app's own 413."""
    app.config["MAX_CONTENT_LENGTH"] = 5
    client = mount(app, tmp_path, {"a": BODY})
    assert client.put("/api/a", data=b"123456").status_code == 413
    answer = client.post("/api/a", data={"file": (BytesIO(b"text"), "a.txt")})
    assert (answer.status_code, answer.content_type) == (413, "text/html; charset=utf-8")
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
    answer = client.post(
        "/api/a",
        input_stream=BytesIO(part),
        content_type="multipart/form-data; boundary=x",
        environ_overrides=chunked,
    )
    assert (answer.status_code, answer.content_type) == (413, "text/html; charset=utf-8")


def test_flask_wtf(app: flask.Flask, tmp_path: Path) -> None:
    """Flask-WTF protects nextapi's routes like any, until the blueprint is exempt."""
    csrf = CSRFProtect(app)
    blueprint = create_blueprint(write_tree(tmp_path, {"a": "res.end('done')"}))
    app.register_blueprint(blueprint)
    client = Client(app)
    assert client.post("/api/a", json={}).status_code == 400
    csrf.exempt(blueprint)
    assert client.post("/api/a", json={}).text == "done"
    assert client.post("/api/a", headers={"Origin": "https://evil.test"}).status_code == 403


DRAFT = {
    "set": "res.set_preview_data({'a': 1}).end()",
    "read": "res.json([req.draft_mode, req.preview_data])",
}


def test_draft_mode_has_the_secret_of_the_app(app: flask.Flask, tmp_path: Path) -> None:
    """The secret is `app.secret_key` as it is when needed; SECRET_KEY_FALLBACKS read what was set before."""
    app.secret_key = None
    client = mount(app, tmp_path, DRAFT)
    assert client.get("/api/read").json == [False, False]
    assert client.get("/api/set", multiprocess=True).status_code == 500
    app.secret_key = "late"
    assert client.get("/api/set").status_code == 200
    assert client.get("/api/read").json == [True, {"a": 1}]
    app.config.update(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["late"])
    assert client.get("/api/read").json == [True, {"a": 1}]
    app.config["SECRET_KEY_FALLBACKS"] = None
    assert client.get("/api/read").json == [False, False]
    assert client.get_cookie("__prerender_bypass") is None


def test_draft_mode_with_a_secret_of_its_own(app: flask.Flask, tmp_path: Path) -> None:
    """With the option, the app's own key does not count."""
    app.config["NEXTAPI_SECRET"] = "a secret for the tests"
    client = mount(app, tmp_path, DRAFT)
    client.get("/api/set")
    app.secret_key = "another"
    assert client.get("/api/read").json == [True, {"a": 1}]


# externalResolver

EXTERNAL = {"api": {"bodyParser": False, "externalResolver": True}}


def test_a_response_of_the_apps_own(app: flask.Flask, tmp_path: Path) -> None:
    """`jsonify`, `redirect`, a file and an exception of werkzeug's are relayed as a view's would be."""
    (tmp_path / "data.txt").write_text("text")
    bodies = {
        "json": "return flask.jsonify({'a': 1}), 201",
        "jsonify": "return flask.jsonify(a=1)",
        "redirect": "return flask.redirect('/login', 303)",
        "file": f"return flask.send_file({str(tmp_path / 'data.txt')!r})",
        "abort": "flask.abort(410)",
        "session": "flask.session['a'] = 1\nreturn flask.make_response('kept')",
    }
    files = {name: route(body, EXTERNAL, "import flask") for name, body in bodies.items()}
    client = Client((mount(app, tmp_path / "tree", files)).application)
    assert client.get("/api/jsonify").json == {"a": 1}
    answer = client.get("/api/redirect")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    with client.get("/api/file") as answer:
        assert (answer.data, answer.mimetype) == (b"text", "text/plain")
    assert client.get("/api/abort").status_code == 410
    answer = client.get("/api/session")
    assert (answer.data, "session=" in answer.headers["Set-Cookie"]) == (b"kept", True)
    assert client.get("/api/json").status_code == 500  # a tuple is a view's, not a response


def test_after_request_sees_what_is_relayed(app: flask.Flask, tmp_path: Path) -> None:
    """The app's `after_request` has its way with a relayed response, and with one of a WSGI application."""

    @app.after_request
    def mark(response: flask.Response) -> flask.Response:
        response.headers["X-Seen"] = str(response.status_code)
        return response

    before = (
        "import flask\ndef other(environ, start_response):\n    start_response('202 OK', [])\n    return [b'other']"
    )
    body = "return flask.make_response('own', 201) if 'own' in req.query else other"
    client = mount(app, tmp_path, {"a": route(body, EXTERNAL, before)})
    assert client.get("/api/a?own").headers["X-Seen"] == "201"
    answer = client.get("/api/a")
    assert (answer.headers["X-Seen"], answer.headers["Content-Length"], answer.data) == ("202", "5", b"other")


# Streams


def test_a_stream_is_within_the_request(app: flask.Flask, tmp_path: Path) -> None:
    """Generators, async generators and coroutines that write see `request`, `session` and `g` to their end."""
    app.secret_key = "for this test"

    @app.before_request
    def begin() -> None:
        flask.g.name = "ada"

    before = (
        "import flask\n\ndef parts():\n    yield flask.g.name\n    yield flask.request.path\n\n"
        "async def async_parts():\n    for part in parts():\n        await asyncio.sleep(0)\n        yield part\n"
    )
    body = (
        "if 'def' in req.query: return res.send(parts())\nif 'async' in req.query: return res.send(async_parts())\n"
        "res.write('x')\nfor _ in range(9): await asyncio.sleep(0)\n"
        "async for part in async_parts(): res.write(part)\nres.end()"
    )
    client = mount(app, tmp_path, {"a": async_route(body, before=before)})
    for query, text in (("def", b"ada/api/a"), ("async", b"ada/api/a"), ("write", b"xada/api/a")):
        with client.get(f"/api/a?{query}") as answer:
            assert answer.data == text


def test_new_files_beside_the_hosts_rules(tmp_path: Path) -> None:
    """In debug a new file stands to the host's rules as one that was there: before a catch-all, after its own path."""
    app = flask.Flask("app")
    app.add_url_rule("/<path:rest>", view_func=lambda rest: f"host {rest}")
    app.add_url_rule("/api/own/<name>", "own", lambda name: f"own {name}")
    app.register_blueprint(create_blueprint(write_tree(tmp_path, {"a": "res.end('a')"}), debug=True))
    client = app.test_client()
    assert client.get("/api/new").text == "host api/new"
    files = {"new": "res.end('new')", "deep/[...rest]": "res.end(req.raw.endpoint)", "own/[name]": "res.end('tree')"}
    write_tree(tmp_path, files)
    assert client.post("/api/deep/x/y").text == "nextapi.deep/[*rest]"
    assert client.get("/api/new").text == "new"
    assert client.get("/api/own/x").text == "own x"
    assert client.get("/api/other").text == "host api/other"


# Routes outside of /api, middleware, after

SHOW = """
import flask
from nextapi import Response

def GET(request, context):
    raw = flask.request
    return Response.json([raw.endpoint, raw.view_args, str(raw.url_rule), raw.blueprint, context.params])

POST = GET
"""
OUTSIDE = {
    "app/route.py": SHOW,
    "app/feed.xml/route.py": SHOW,
    "app/users/[id]/route.py": SHOW,
    "app/(shop)/docs/[[...rest]]/route.py": SHOW,
}


def mount_files(app: flask.Flask, root: Path, files: dict[str, str], **options: Any) -> Client:
    app.register_blueprint(create_blueprint(write_files(root, files)), **options)
    return Client(app)


def test_names_outside_of_api(app: flask.Flask, tmp_path: Path) -> None:
    """A route outside of /api is named by its whole path, the one of the root "index"."""
    client = mount_files(app, tmp_path, OUTSIDE)
    with app.test_request_context():
        assert flask.url_for("nextapi.index") == "/"
        assert flask.url_for("nextapi.feed:xml") == "/feed.xml"
        assert flask.url_for("nextapi.users/[id]", id=1) == "/users/1"
        assert flask.url_for("nextapi.docs/[[*rest]]") == "/docs"
        assert flask.url_for("nextapi.docs/[[*rest]]", rest=["a", "b"]) == "/docs/a/b"
    assert client.get("/").json == ["nextapi.index", {}, "/", "nextapi", {}]
    assert client.get("/feed.xml").json[0] == "nextapi.feed:xml"
    assert client.post("/users/1/").json[:2] == ["nextapi.users/[id]", {"id": "1"}]
    raw = {"RAW_URI": "/users/a%2Fb", "PATH_INFO": "/users/a/b"}
    assert client.get("/", environ_overrides=raw).json[1] == {"id": "a/b"}
    runner = app.test_cli_runner()
    listed = runner.invoke(flask.cli.FlaskGroup(create_app=lambda: app), ["routes"]).output
    assert "nextapi.feed:xml" in listed


@pytest.mark.parametrize("prefix", ["/v2", "/<lang>/v2", "/<path:lang>/v2", "/<any(en, de):lang>"])
def test_prefixes_outside_of_api(app: flask.Flask, tmp_path: Path, prefix: str) -> None:
    """A prefix stands before every route; the 404s outside of /api are the app's."""
    client = mount_files(app, tmp_path, OUTSIDE, url_prefix=prefix)
    base = prefix.replace("<lang>", "en").replace("<path:lang>", "a/b").replace("<any(en, de):lang>", "de")
    outer = {} if prefix == "/v2" else {"lang": base.removesuffix("/v2")[1:]}
    assert client.get(base).json[:2] == ["nextapi.index", outer]
    assert client.get(f"{base}/feed.xml").json[:2] == ["nextapi.feed:xml", outer]
    assert client.get(f"{base}/feed.xml/").headers["Location"] == f"{base}/feed.xml"
    assert client.get(f"{base}/docs/a/b").json[4] == {"rest": ["a", "b"]}
    assert client.get(f"{base}/none").data == client.get("/none").data != b"Not Found"
    assert client.get(f"{base}/api/none").data == b"Not Found"
    assert client.get("/feed.xml").status_code == 404


def test_new_files_outside_of_api(app: flask.Flask, tmp_path: Path) -> None:
    """In debug a file that is new answers, under its name, also where the tree had none outside of /api."""
    app.debug = True
    client = mount(app, tmp_path, {"a": "res.end()"})
    assert client.get("/feed.xml").status_code == 404
    write_files(tmp_path, OUTSIDE)
    assert client.get("/feed.xml").json[0] == "nextapi.feed:xml"
    assert client.get("/users/1").json[1] == {"id": "1"}


def test_middleware_leads_on(app: flask.Flask, tmp_path: Path) -> None:
    """Where middleware leads a request on, Flask's request has the rule and the arguments of the route that runs."""
    seen = []
    app.teardown_request(lambda error: seen.append((flask.request.endpoint, flask.request.view_args)))
    rewrite = """
from nextapi import NextResponse

def middleware(request):
    if "/api/old" in request.url:
        return NextResponse.rewrite("/users/7")
"""
    files = {**OUTSIDE, "middleware.py": rewrite, "pages/api/old/[id].py": route("res.end()")}
    client = mount_files(app, tmp_path, files, url_prefix="/<lang>")
    expected = ["nextapi.users/[id]", {"lang": "en", "id": "7"}, "/<lang>/users/<id>", "nextapi", {"id": "7"}]
    assert client.get("/en/api/old/1").json == expected
    assert client.get("/en/api/old/unknown/path").json == expected
    assert seen == [("nextapi.users/[id]", {"lang": "en", "id": "7"})] * 2


def test_refused_hosts(app: flask.Flask, tmp_path: Path) -> None:
    """A host that the app does not trust is its own 400."""
    app.config["TRUSTED_HOSTS"] = ["good.test"]
    url = "from nextapi import Response\n\ndef GET(request):\n    return Response(request.url)\n"
    client = mount_files(app, tmp_path, {"app/a/route.py": url})
    assert client.get("/a", headers={"Host": "good.test"}).text == "http://good.test/a"
    assert client.get("/a", headers={"Host": "evil.test"}).status_code == 400
    assert client.get("/a", headers={"Host": "evil.test"}).data == client.get("/", headers={"Host": "evil.test"}).data


def test_no_host(app: flask.Flask, tmp_path: Path) -> None:
    """A host that cannot be is a 400 where it is asked for: a path is never taken for it."""
    url = "from nextapi import Response\n\ndef GET(request):\n    return Response(request.next_url.pathname)\n"
    client = mount_files(app, tmp_path, {"app/a/b/route.py": url})
    for host in ("a b", "evil/x", "[", "a:x"):
        environ = EnvironBuilder("/a/b", headers={"Host": host}).get_environ()
        # Not by the client, which parses the host for its cookies.
        assert run_wsgi_app(app, environ)[1].startswith("400 ")
    assert client.get("/a/b", headers={"Host": "[::1]:80"}).text == "/a/b"


def test_a_proxy_counts(app: flask.Flask, tmp_path: Path) -> None:
    """The origin is what ProxyFix has made of it."""
    app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1, x_host=1)  # type: ignore[method-assign]  # as its docs say
    url = "from nextapi import Response\n\ndef GET(request):\n    return Response(request.url)\n"
    client = mount_files(app, tmp_path, {"app/a/route.py": url})
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "front.test"}
    assert client.get("/a", headers=forwarded).text == "https://front.test/a"


def test_hooks_and_session_in_route_handlers(app: flask.Flask, tmp_path: Path) -> None:
    """A route handler has the app's session and `g`, sync and async, and hooks are around it."""
    seen = []
    app.before_request(lambda: flask.g.setdefault("user", "me") and None)
    app.teardown_request(lambda error: seen.append(error))
    body = """
from flask import g, session
from nextapi import Response

def GET():
    session["n"] = session.get("n", 0) + 1
    return Response.json([g.user, session["n"]])

async def POST():
    session["n"] = session.get("n", 0) + 1
    return Response.json([g.user, session["n"]])
"""
    client = mount_files(app, tmp_path, {"app/a/route.py": body})
    assert [client.get("/a").json, client.post("/a", json={}).json] == [["me", 1], ["me", 2]]
    assert seen == [None, None]


AFTER = """
import flask
from nextapi import Response, after
from tests.support.journal import note

def work():
    g = flask.g.get("user", "nobody")
    note(f"{flask.current_app.name} {g} {flask.has_request_context()}")

async def async_work():
    work()

def GET(request):
    flask.g.user = "me"
    after(work)
    after(async_work())
    if "fail" in request.url:
        raise ValueError("boom")
    if "file" in request.url:
        return Response("file")
    return Response("body")
"""


@pytest.fixture
def journal() -> Any:
    """Have what handlers note, from nothing on."""
    ENTRIES.clear()
    yield ENTRIES
    ENTRIES.clear()


def test_after_has_an_app_context_of_its_own(app: flask.Flask, tmp_path: Path, journal: list[str]) -> None:
    """Work after the answer has the app, and neither the request nor its `g`; its own app context ends with it."""
    ended = []
    app.teardown_appcontext(lambda error: ended.append(flask.g.get("user")))
    client = mount_files(app, tmp_path, {"app/a/route.py": AFTER})
    with client.get("/a") as answer:
        assert answer.text == "body"
        assert not journal
    assert journal == ["host nobody False"] * 2
    assert ended == ["me", None, None]


def test_after_a_response_of_the_apps(app: flask.Flask, tmp_path: Path, journal: list[str]) -> None:
    """It runs behind what the app answers in the end, whatever hooks and error handlers have made of it."""
    app.register_error_handler(ValueError, lambda error: ("own", 418))
    client = mount_files(app, tmp_path, {"app/a/route.py": AFTER})

    @app.after_request
    def replace(response: flask.Response) -> flask.Response:
        if "file" in flask.request.url:
            return flask.send_file(__file__)
        return flask.make_response(response.get_data(), response.status_code)

    for query, status in (("", 200), ("?fail", 418), ("?file", 200)):
        with client.get(f"/a{query}") as answer:
            assert answer.status_code == status
            assert answer.data
            assert not journal
        assert len(journal) == 2, query
        journal.clear()


def test_after_an_exception_that_propagates(app: flask.Flask, tmp_path: Path, journal: list[str]) -> None:
    """With TESTING, where no answer is made, it runs all the same."""
    app.testing = True
    client = mount_files(app, tmp_path, {"app/a/route.py": AFTER})
    with pytest.raises(ValueError, match="boom"):
        client.get("/a?fail")
    assert len(journal) == 2


def test_after_in_flasks_test_client(app: flask.Flask, tmp_path: Path, journal: list[str]) -> None:
    """Flask's test client ends a request where it is told to."""
    mount_files(app, tmp_path, {"app/a/route.py": AFTER})
    app.test_client().get("/a", buffered=True)
    assert len(journal) == 2


def test_own_responses_behind_middleware(app: flask.Flask, tmp_path: Path) -> None:
    """A response of Flask's is there for middleware of folders, and for that of the root."""
    folder = """
def middleware(request, call_next):
    response = call_next()
    response.headers.set("X-Folder", f"{response.status} {len(response.headers.get_set_cookie())}")
    return response
"""
    files = {
        "middleware.py": "from nextapi import NextResponse\n\n"
        "def middleware(request):\n    return NextResponse.next(headers={'X-Root': '1'})\n",
        "pages/api/folder/_middleware.py": folder,
    }
    own = """
response = flask.make_response("own", 201)
response.set_cookie("a", "1")
response.set_cookie("b", "2")
return response
"""
    external = {"api": {"externalResolver": True}}
    for name in ("folder/a", "a"):
        files[f"pages/api/{name}.py"] = route(own, external, before="import flask")
    files["pages/api/folder/file.py"] = route("return flask.send_file(__file__)", external, before="import flask")
    client = mount_files(app, tmp_path, files)
    for name in ("folder/a", "a"):
        answer = client.get(f"/api/{name}")
        assert (answer.status_code, answer.text, answer.headers["X-Root"]) == (201, "own", "1")
        assert answer.headers.getlist("Set-Cookie") == ["a=1; Path=/", "b=2; Path=/"]
    assert client.get("/api/folder/a").headers["X-Folder"] == "201 2"
    with client.get("/api/folder/file") as answer:
        assert "send_file" in answer.text
