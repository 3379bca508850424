"""nextapi in Django: names, prefixes, settings, CSRF, transactions, errors."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import got_request_exception, request_finished
from django.http import HttpResponse
from django.test import Client as DjangoClient
from django.test import RequestFactory, override_settings
from django.urls import NoReverseMatch, include, path, resolve, reverse
from django.urls.converters import StringConverter, register_converter
from django.utils import timezone, translation
from django.utils.autoreload import StatReloader, autoreload_started, file_changed

from tests.support.journal import ENTRIES
from tests.support.mounts import configure_django, django_project
from tests.support.trees import NAMED, async_route, route, write_files, write_tree

configure_django()
from nextapi.adapters.django import create_urlpatterns  # noqa: E402  # Django's settings come first
from nextapi.adapters.django.apps import _check_trees  # noqa: E402
from nextapi.adapters.django.management.commands.nextapi import Command  # noqa: E402
from tests.support.models import Row, atomic_rows  # noqa: E402


def mount(root: Path, files: dict[str, str], prefix: str = "", **options: Any) -> list[Any]:
    return [path(prefix, include(create_urlpatterns(write_tree(root, files), **options)))]


def test_reverse(tmp_path: Path) -> None:
    """Every route has a name in the namespace."""
    with django_project(mount(tmp_path, NAMED)):
        assert reverse("nextapi:index") == "/api"
        assert reverse("nextapi:post/[pid]", kwargs={"pid": 1}) == "/api/post/1"
        assert reverse("nextapi:docs/[*slug]", kwargs={"slug": ["a", "b"]}) == "/api/docs/a/b"
        assert reverse("nextapi:opt/[[*slug]]") == "/api/opt"
        assert reverse("nextapi:opt/[[*slug]]", kwargs={"slug": "a"}) == "/api/opt/a"
        assert reverse("nextapi:data:json") == "/api/data.json"
        assert reverse("nextapi:x/[some_id]", kwargs={"some_id": "1"}) == "/api/x/1"


def test_the_match_names_the_route_that_runs(tmp_path: Path) -> None:
    """`resolver_match` has name, pattern and parameters of the file, also where Django saw another path."""
    body = "match = req.raw.resolver_match\nres.json([match.view_name, match.route, match.kwargs])"
    with django_project(mount(tmp_path, {"items/[id]": body, "items/[id]/[sub]": body}, "v2/")) as client:
        assert client.get("/v2/api/items/1").json == ["nextapi:items/[id]", "v2/api/items/[id]", {"id": "1"}]
        raw = {"RAW_URI": "/v2/api/items/a%2Fb", "PATH_INFO": "/v2/api/items/a/b"}
        assert client.get("/", environ_overrides=raw).json == ["nextapi:items/[id]", "v2/api/items/[id]", {"id": "a/b"}]
        assert resolve("/v2/api/items/1").url_name == "items/[id]"


@pytest.mark.parametrize("name", ["é", "中文"])
def test_paths_beyond_ascii(tmp_path: Path, name: str) -> None:
    """A path in any script leads to its file, an escaped slash stays in its segment, and the project's are its own."""
    patterns = mount(tmp_path, {"[id]": "res.json(req.params)", "docs/[[...slug]]": "res.json(req.params)"})
    patterns.append(path("<str:name>/", lambda _request, name: HttpResponse(name)))
    sent = quote(name)
    with django_project(patterns) as client:
        assert client.get(f"/{sent}/").text == name
        assert client.get(f"/api/{sent}").json == {"id": name}
        raw = {"RAW_URI": f"/api/{sent}%2Fb", "PATH_INFO": f"/api/{name}/b".encode().decode("latin-1")}
        assert client.get("/", environ_overrides=raw).json == {"id": f"{name}/b"}
        raw = {"RAW_URI": f"/api/docs/{sent}/..%2fa", "PATH_INFO": f"/api/docs/{name}/../a".encode().decode("latin-1")}
        assert client.get("/", environ_overrides=raw).json == {"slug": [name, "../a"]}


def test_prefixes(tmp_path: Path) -> None:
    """A prefix is Next's basePath: `req.url` does not have it, redirects of nextapi's own do."""
    files = {"a": "res.end(req.url)", "[id]/x": "res.json(req.params)"}
    for prefix, base in (("v2/", "/v2"), ("<str:lang>/v2/", "/en/v2")):
        with django_project(mount(tmp_path, files, prefix)) as client:
            assert client.get(f"{base}/api/a?b=1").text == "/api/a?b=1"
            assert client.get(f"{base}/api/a/").headers["Location"] == f"{base}/api/a"
            raw = {"RAW_URI": f"{base}/api/%2F/x", "PATH_INFO": f"{base}/api///x"}
            assert client.get("/", environ_overrides=raw).json == {"id": "/"}
            assert client.get("/api/a").status_code == 404


def test_two_trees(tmp_path: Path) -> None:
    """Two trees in one project answer each for itself, in the order of the URLconf."""
    one = mount(tmp_path / "one", {"a": "res.end('one')", "same": "res.end('one')"})
    two = mount(tmp_path / "two", {"b": "res.end('two')", "same": "res.end('two')"}, name="second")
    for patterns, same in ((one + two, "one"), (two + one, "two")):
        with django_project(patterns) as client:
            for target, text in (("/api/a", "one"), ("/api/b", "two"), ("/api/same", same)):
                assert client.get(target).text == text
            assert client.get("/api/c").text == "Not Found"
            assert reverse("second:b") == "/api/b"


def test_settings(tmp_path: Path) -> None:
    """The setting NEXTAPI has root and options, relative to BASE_DIR; what is missing is said."""
    write_tree(tmp_path / "web", {"a": "res.end('here')"})
    module = "nextapi.adapters.django.urls"
    setting = {"NEXTAPI": {"ROOT": "web", "TRUSTED_ORIGINS": ["https://friend.test"]}, "BASE_DIR": tmp_path}
    sys.modules.pop(module, None)
    with override_settings(**setting), django_project([path("", include(module))]) as client:
        assert client.get("/api/a").text == "here"
        assert client.post("/api/a", headers={"Origin": "https://friend.test"}).text == "here"
    sys.modules.pop(module, None)
    with override_settings(NEXTAPI={}), pytest.raises(ImproperlyConfigured, match="NEXTAPI = "):
        include(module)
    sys.modules.pop(module, None)


def test_csrf_trusted_origins_count(tmp_path: Path) -> None:
    """CSRF_TRUSTED_ORIGINS are trusted, with their wildcards."""
    with override_settings(CSRF_TRUSTED_ORIGINS=["https://*.friend.test"]):
        patterns = mount(tmp_path, {"a": "res.end('done')"})
    with django_project(patterns) as client:
        assert client.post("/api/a", headers={"Origin": "https://a.friend.test"}).text == "done"
        assert client.post("/api/a", headers={"Origin": "https://friend.test.evil"}).status_code == 403


def test_no_route_without_protection(tmp_path: Path) -> None:
    """With the guard on, Django's CSRF check is not in the way; with it off, it holds for who has a session."""
    off = {"api": {"sameOrigin": False}}
    files = {"on": "res.end('done')", "off": route("res.end('done')", off)}
    session = {"HTTP_COOKIE": f"{settings.SESSION_COOKIE_NAME}=x"}
    with django_project(mount(tmp_path, files)) as client:
        assert client.post("/api/on", json={}, environ_overrides=session).text == "done"
        assert client.post("/api/on", headers={"Origin": "https://evil.test"}).status_code == 403
        assert client.post("/api/off", headers={"Origin": "https://evil.test"}).text == "done"
        assert client.post("/api/off", json={}, environ_overrides=session).status_code == 403
        token = "a" * 32
        with_token = {"HTTP_COOKIE": f"{session['HTTP_COOKIE']}; csrftoken={token}", "HTTP_X_CSRFTOKEN": token}
        assert client.post("/api/off", json={}, environ_overrides=with_token).text == "done"


def test_the_test_client_keeps_cookies(tmp_path: Path) -> None:
    """Django's own test client sees the cookies that a handler sets."""
    files = {
        "set": "res.set_header('Set-Cookie', ['a=1; Path=/; HttpOnly', 'b=2']).end()",
        "get": "res.json(req.cookies)",
    }
    with django_project(mount(tmp_path, files)):
        client = DjangoClient()
        assert client.get("/api/set").cookies["a"].value == "1"
        assert client.get("/api/get").json() == {"a": "1", "b": "2"}


def test_middleware_may_change_headers(tmp_path: Path) -> None:
    """A middleware that sets a repeated header anew, or reads it, has Django's one value."""
    seen = []

    def change(response: Any) -> None:
        seen.append(response["X-A"])
        response["X-B"] = "changed"

    files = {"a": "res.set_header('X-A', ['1', '2']).set_header('X-B', ['1', '2']).end()"}
    with django_project(mount(tmp_path, files), MIDDLEWARE=[middleware("sets", after=change)]) as client:
        answer = client.get("/api/a")
    assert seen == ["1, 2"]
    assert answer.headers.getlist("X-A") == ["1", "2"]
    assert answer.headers.getlist("X-B") == ["changed"]


def middleware(
    name: str, change: Callable[[Any], None] | None = None, after: Callable[[Any], None] | None = None
) -> str:
    """Return the dotted path of a middleware that changes requests or responses."""

    def factory(get_response: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        def call(request: Any) -> HttpResponse:
            if change:
                change(request)
            response = get_response(request)
            if after:
                after(response)
            return response

        return call

    module = sys.modules.setdefault("middleware_of_tests", ModuleType("middleware_of_tests"))
    setattr(module, name, factory)
    return f"middleware_of_tests.{name}"


def test_a_rewritten_path_counts(tmp_path: Path) -> None:
    """Where a middleware rewrites the path, the handler gets what the project's checks saw."""

    def rewrite(request: Any) -> None:
        request.path_info = request.path = "/api/i/public"

    names = [middleware("rewrites", rewrite)]
    with django_project(mount(tmp_path, {"i/[id]": "res.json(req.params)"}), MIDDLEWARE=names) as client:
        answer = client.get("/", environ_overrides={"RAW_URI": "/api/i/secret", "PATH_INFO": "/api/i/secret"})
    assert answer.json == {"id": "public"}


def test_middleware_may_change_body_and_cookies(tmp_path: Path) -> None:
    """A changed body has its own length; a cookie that was changed, or dropped, goes out as it is then."""

    def change(response: Any) -> None:
        response.content += b" and more"
        response.set_cookie("a", "changed")
        response.cookies["b"]["samesite"] = "Lax"
        response.delete_cookie("c")

    lines = ["a=1; Path=/", "b=2; Path=/x; HttpOnly", "c=3; Path=/", "d=4; Weird"]
    common = "django.middleware.common.CommonMiddleware"
    files = {"a": f"res.set_header('Set-Cookie', {lines!r}).end('body')"}
    names = [common, middleware("changes", after=change)]
    with django_project(mount(tmp_path, files), MIDDLEWARE=names) as client:
        answer = client.get("/api/a")
    assert (answer.data, answer.headers["Content-Length"]) == (b"body and more", "13")
    sent = answer.headers.getlist("Set-Cookie")
    assert sent[0] == "a=changed; Path=/"
    assert sent[1] == "b=2; HttpOnly; Path=/x; SameSite=Lax"
    assert "Max-Age=0" in sent[2]
    assert sent[3] == "d=4; Weird"


def test_cached_responses_keep_their_cookies(tmp_path: Path) -> None:
    """A response can be pickled, as Django's cache does it."""
    with django_project(mount(tmp_path, {"a": "res.set_header('Set-Cookie', ['a=1; Path=/; Odd']).end()"})):
        response = resolve("/api/a").func(RequestFactory().get("/api/a"))
    copy = pickle.loads(pickle.dumps(response))
    assert [cookie.OutputString() for cookie in copy.cookies.values()] == ["a=1; Path=/; Odd"]


def test_the_same_urlconf_twice(tmp_path: Path) -> None:
    """A tree that is included twice, under two namespaces, answers in both places."""
    patterns = create_urlpatterns(write_tree(tmp_path, {"a": "res.end(req.url)"}))
    with django_project([path("", include(patterns)), path("v2/", include(patterns, namespace="v2"))]) as client:
        assert (reverse("nextapi:a"), reverse("v2:a")) == ("/api/a", "/v2/api/a")
        assert client.get("/api/a").text == client.get("/v2/api/a").text == "/api/a"


@pytest.mark.parametrize("told", [{}, {"RAW_URI": "", "REQUEST_URI": ""}], ids=["as sent", "decoded"])
def test_one_tree_at_two_places(tmp_path: Path, told: dict[str, str]) -> None:
    """A tree that is included twice knows below which of the prefixes it is asked, so the project keeps its paths."""
    own = [path("api/items/", lambda request: HttpResponse("own"))]
    tree = mount(tmp_path, {"a": "res.end(req.url)"})
    with django_project([path("v2/", include(tree)), *own, *tree]) as client:
        assert client.get("/api/items", environ_overrides=told).headers["Location"] == "/api/items/"
        assert client.get("/v2/api/items", environ_overrides=told).text == "Not Found"


def test_force_script_name(tmp_path: Path) -> None:
    """Redirects of nextapi's own have the script name that the project says it has."""
    with django_project(mount(tmp_path, {"a": "res.end()"}), FORCE_SCRIPT_NAME="/app") as client:
        assert client.get("/api/a/").headers["Location"] == "/app/api/a"


def test_parameters_of_any_name(tmp_path: Path) -> None:
    """A parameter may have the name of a view's own argument."""
    with django_project(mount(tmp_path, {"[request]": "res.json(req.params)"})) as client:
        assert client.get("/api/x").json == {"request": "x"}


def test_verdicts_are_not_kept(tmp_path: Path) -> None:
    """A project's pattern that comes to match later, by a converter that looks things up, has its path from then on."""
    known: set[str] = set()

    class Known(StringConverter):
        def to_python(self, value: str) -> str:
            if value not in known:
                raise ValueError
            return value

    register_converter(Known, f"known_{id(known)}")
    own = path(f"api/<known_{id(known)}:thing>", lambda request, thing: HttpResponse(f"own {thing}"))
    with django_project([*mount(tmp_path, {"a": "res.end()"}), own]) as client:
        assert client.get("/api/thing").text == "Not Found"
        known.add("thing")
        assert client.get("/api/thing").text == "own thing"


BODY = "res.json({'body': req.body, 'raw': req.raw_body.decode(), 'host': req.raw.body.decode()})"


def test_bodies_are_shared(tmp_path: Path) -> None:
    """What the project's middleware has read is there, and what nextapi reads stays there for the project."""
    names = [middleware("reads", lambda request: getattr(request, request.GET.get("read", "method")))]
    with django_project(mount(tmp_path, {"a": BODY}), MIDDLEWARE=names) as client:
        for reader in ("method", "body", "POST"):
            answer = client.put(f"/api/a?read={reader}", json={"a": 1})
            assert answer.json == {"body": {"a": 1}, "raw": '{"a": 1}', "host": '{"a": 1}'}
        form = client.post("/api/a?read=POST", data={"a": "1"})
        assert form.json["body"] == {"a": "1"}


def test_a_form_that_the_project_has_read(tmp_path: Path) -> None:
    """The fields and files of a form are there also where a middleware has read `request.POST`, up to the route's
    limit.
    """
    body = "res.json([req.body, {name: file.read().decode() for name, file in req.files.items()}])"
    files = {"a": route(body, {"api": {"bodyParser": {"sizeLimit": "1kb"}}})}
    names = [middleware("posts", lambda request: request.POST)]
    with django_project(mount(tmp_path, files), MIDDLEWARE=names) as client:
        answer = client.post("/api/a", data={"a": ["1", "2"], "file": (BytesIO(b"text"), "a.txt")})
        large = client.post("/api/a", data={"file": (BytesIO(b"a" * 1024), "a.txt")})
    assert answer.json == [{"a": ["1", "2"]}, {"file": "text"}]
    assert (large.status_code, large.text) == (413, "Body exceeded 1kb limit")


def test_what_is_left_of_a_form_that_the_project_has_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With the parser off, the bytes of a form that the project has parsed are gone: the error says what to do."""
    files = {"a": route("res.send(req.raw_body)", {"api": {"bodyParser": False}})}
    names = [middleware("posts", lambda request: request.POST)]
    with django_project(mount(tmp_path, files), MIDDLEWARE=names) as client:
        answer = client.post("/api/a", data={"a": "1"}, content_type="multipart/form-data")
    assert answer.status_code == 500
    assert "take it from req.raw.POST and req.raw.FILES" in caplog.text


def test_large_bodies_go_by_the_stream(tmp_path: Path) -> None:
    """A body above DATA_UPLOAD_MAX_MEMORY_SIZE is the route's to limit, not a 400 of Django's."""
    files = {"a": route("res.json(len(req.body))", {"api": {"bodyParser": {"sizeLimit": "8mb"}}})}
    with django_project(mount(tmp_path, files), DATA_UPLOAD_MAX_MEMORY_SIZE=1000) as client:
        assert client.put("/api/a", data=b"x" * 5000).json == 5000


def test_exceptions_belong_to_the_project(tmp_path: Path) -> None:
    """The signal sees an exception, and Django's own exceptions have their own answers."""
    reported = []

    def receive(sender: Any, request: Any, **kwargs: Any) -> None:
        reported.append((request.path, sys.exc_info()[0]))

    files = {
        "value": "raise ValueError('secret')",
        "late": "res.end('done')\nraise ValueError('late')",
        "missing": route("raise Http404", before="from django.http import Http404"),
        "denied": route("raise PermissionDenied", before="from django.core.exceptions import PermissionDenied"),
    }
    got_request_exception.connect(receive)
    try:
        with django_project(mount(tmp_path, files)) as client:
            assert client.get("/api/value").status_code == 500
            assert client.get("/api/late").text == "done"
            assert client.get("/api/missing").status_code == 404
            assert client.get("/api/denied").status_code == 403
    finally:
        got_request_exception.disconnect(receive)
    assert reported == [("/api/value", ValueError), ("/api/late", ValueError)]


@pytest.mark.parametrize(
    ("end", "rows"),
    [("res.end()", 1), ("raise ValueError", 0), ("raise HTTPError(400, 'no')", 0), ("res.end()\nraise ValueError", 1)],
)
def test_atomic_requests(tmp_path: Path, end: str, rows: int) -> None:
    """A request that fails, also by an `HTTPError`, leaves nothing in the database; one that has answered does."""
    before = "from tests.support.models import Row\nfrom nextapi import HTTPError"
    files = {"a": route(f"Row.objects.create(name='a')\n{end}", before=before)}
    with atomic_rows(), django_project(mount(tmp_path, files)) as client:
        client.get("/api/a")
        assert Row.objects.count() == rows


def test_coroutines_of_the_project(tmp_path: Path) -> None:
    """Beside handlers that call `sync_to_async`, `async_to_sync` works: in views, and in what they call by it."""
    before = """
        from asgiref.sync import async_to_sync, sync_to_async

        async def one(): return 1
    """
    tree = mount(tmp_path, {"a": async_route("res.json(await sync_to_async(async_to_sync(one))())", before=before)})

    async def view(_: Any) -> HttpResponse:
        return HttpResponse("view")

    with django_project([path("view", view), *tree]) as client:
        for _ in range(2):
            assert client.get("/api/a").json == 1
            assert client.get("/view").text == "view"


def test_request_factory(tmp_path: Path) -> None:
    """A view resolved by hand takes a request that no server made."""
    with django_project(mount(tmp_path, {"items/[id]": "res.json(req.params)"})):
        match = resolve("/api/items/7")
        request = RequestFactory().get("/api/items/7")
        assert match.func(request, **match.kwargs).content == b'{"id":"7"}'


def test_draft_mode_has_the_secret_of_the_project(tmp_path: Path) -> None:
    """The secret is SECRET_KEY unless the option says another; SECRET_KEY_FALLBACKS read what was set before."""
    files = {
        "set": "res.set_preview_data({'a': 1}).end()",
        "read": "res.json([req.draft_mode, req.preview_data])",
    }
    on, off = [True, {"a": 1}], [False, False]
    with django_project(mount(tmp_path, files), SECRET_KEY="former") as client:
        lines = client.get("/api/set").headers.getlist("Set-Cookie")
        sent = {"Cookie": "; ".join(line.partition(";")[0] for line in lines)}
        assert client.get("/api/read", headers=sent).json == on
        with override_settings(SECRET_KEY="current"):
            assert client.get("/api/read", headers=sent).json == off
        with override_settings(SECRET_KEY="current", SECRET_KEY_FALLBACKS=[b"former"]):
            assert client.get("/api/read", headers=sent).json == on
    with django_project(mount(tmp_path, files, secret="a secret for the tests"), SECRET_KEY="former") as client:
        assert client.get("/api/read", headers=sent).json == off


# Reload


def test_names_of_new_files(tmp_path: Path) -> None:
    """In debug a new file has a name for `reverse`, in every namespace, and one that is gone has none."""
    patterns = [path("v2/", include((mount(tmp_path / "web", {"a": "res.end()"}, debug=True), "outer")))]
    with django_project(patterns) as client:
        assert reverse("outer:nextapi:a") == "/v2/api/a"
        write_tree(tmp_path / "web", {"post/[pid]": "res.end(req.raw.resolver_match.view_name)"})
        assert client.get("/v2/api/post/1").data == b"outer:nextapi:post/[pid]"
        assert reverse("outer:nextapi:post/[pid]", kwargs={"pid": 1}) == "/v2/api/post/1"
        (tmp_path / "web/pages/api/a.py").unlink()
        assert client.get("/v2/api/a").status_code == 404
        with pytest.raises(NoReverseMatch):
            reverse("outer:nextapi:a")


def test_the_reloader_leaves_a_tree_alone(tmp_path: Path) -> None:
    """Django's reloader watches the root, and is told not to restart for what is below it."""
    with django_project(mount(tmp_path / "web", {"a": "res.end()"}, debug=True)):
        reloader = StatReloader()
        autoreload_started.send(sender=reloader)
        assert "**/*.py" in reloader.directory_globs[tmp_path / "web"]
        inside, outside = tmp_path / "web/pages/api/a.py", tmp_path / "other.py"
        assert any(answer for _, answer in file_changed.send(sender=reloader, file_path=inside))
        assert not any(answer for _, answer in file_changed.send(sender=reloader, file_path=outside))


def test_the_reloader_sees_what_the_project_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of the project restarts it, also where it lies in the root; so does what is no Python."""
    files = {"a": route("res.end()", before="from ...lib import WORD")}
    lib = tmp_path / "web" / "lib.py"
    lib.parent.mkdir()
    lib.write_text("WORD = 1\n")
    (tmp_path / "web" / "views.py").write_text("from web.lib import WORD\n")
    with django_project(mount(tmp_path / "web", files, debug=True)):

        def restarts(file: Path) -> bool:
            return not any(answer for _, answer in file_changed.send(sender=None, file_path=file))

        assert not restarts(lib)
        monkeypatch.syspath_prepend(str(tmp_path))
        for name in ("web", "web.lib", "web.views"):
            monkeypatch.setitem(sys.modules, name, import_module(name))
        assert restarts(lib)
        assert restarts(tmp_path / "web" / "views.py")
        assert restarts(tmp_path / "web" / "names.txt")
        assert not restarts(tmp_path / "web" / "pages" / "api" / "a.py")


# Coroutines

ASYNC_ORM = """
import asyncio
from asgiref.sync import sync_to_async
from django.db import connection
from nextapi import HTTPError
from tests.support.models import Row

async def add(name):
    await Row.objects.acreate(name=name)

async def names():
    async for row in Row.objects.order_by("name"):
        yield row.name
    yield str(await sync_to_async(lambda: connection.in_atomic_block)())
"""


@pytest.mark.parametrize(
    ("end", "rows"),
    [
        ("res.end()", 2),
        ("raise ValueError", 0),
        ("raise HTTPError(400, 'no')", 0),
        ("res.end()\nraise ValueError", 2),
        ("await asyncio.gather(add('c'), add('d'))\nraise ValueError", 0),
    ],
)
def test_async_handlers_are_within_the_transaction(tmp_path: Path, end: str, rows: int) -> None:
    """The async ORM and `sync_to_async` have the request's connection: under ATOMIC_REQUESTS a failure rolls back."""
    body = f"assert await sync_to_async(lambda: connection.in_atomic_block)()\nawait add('a')\nawait add('b')\n{end}"
    files = {"a": async_route(body, before=ASYNC_ORM)}
    with atomic_rows(), django_project(mount(tmp_path, files)) as client:
        client.get("/api/a")
        assert Row.objects.count() == rows


def test_the_orm_in_a_stream(tmp_path: Path) -> None:
    """What goes on after its answer has begun has the connection of the request, outside of the transaction."""
    add = "await add('a')\nawait add('b')\n"
    files = {
        "sends": async_route(f"{add}res.send(names())", before=ASYNC_ORM),
        "writes": async_route(
            "res.write('x')\nfor _ in range(9): await asyncio.sleep(0)\nasync for name in names(): res.write(name)\n"
            "res.end()",
            before=ASYNC_ORM,
        ),
    }
    with atomic_rows(), django_project(mount(tmp_path, files)) as client:
        assert client.get("/api/sends").data == b"abFalse"
        assert client.get("/api/writes").data == b"xabFalse"


# externalResolver


def test_a_response_of_the_projects_own(tmp_path: Path) -> None:
    """`JsonResponse`, redirects, files and streams are relayed as a view's would be, and closed once."""
    (tmp_path / "data.txt").write_text("text")
    before = (
        "from pathlib import Path\nfrom django.http import FileResponse, HttpResponseRedirect, JsonResponse\n"
        "from django.http import StreamingHttpResponse\nopened = []\n"
    )
    bodies = {
        "json": "return JsonResponse({'a': 1}, status=201)",
        "redirect": "return HttpResponseRedirect('/login')",
        "file": f"opened.append(Path({str(tmp_path / 'data.txt')!r}).open('rb'))\nreturn FileResponse(opened[-1])",
        "stream": "return StreamingHttpResponse(iter(['a', 'b']))",
    }
    config = {"api": {"externalResolver": True}}
    files = {name: route(body, config, before) for name, body in bodies.items()}
    with django_project(mount(tmp_path / "tree", files)) as client:
        answer = client.get("/api/json")
        assert (answer.status_code, answer.json) == (201, {"a": 1})
        assert client.get("/api/redirect").headers["Location"] == "/login"
        with client.get("/api/file") as answer:
            assert (answer.data, answer.mimetype) == (b"text", "text/plain")
        with client.get("/api/stream") as answer:
            assert answer.data == b"ab"


def test_an_upload_is_relayed_and_closed(tmp_path: Path) -> None:
    """A file that a relayed response reads is open until that has been sent."""
    body = "seen.append(req.files['a'])\nreturn FileResponse(req.files['a'].stream)"
    before = "from django.http import FileResponse\nseen = []"
    files = {
        "a": route(body, {"api": {"externalResolver": True}}, before),
        "seen": "from .a import seen\nres.json([file.closed for file in seen])",
    }
    with django_project(mount(tmp_path, files)) as client:
        with client.post("/api/a", data={"a": (BytesIO(b"text"), "a.txt")}) as answer:
            assert answer.data == b"text"
        assert client.get("/api/seen").json == [True]


# Routes outside of /api, middleware, after

SHOW = """
from nextapi import Response
from tests.support.requests import current

def GET(request, context):
    match = current().resolver_match
    return Response.json([match.view_name, match.route, match.kwargs, context.params])

POST = GET
"""
OUTSIDE = {
    "app/route.py": SHOW,
    "app/feed.xml/route.py": SHOW,
    "app/a.b.c/route.py": SHOW,
    "app/users/[id]/route.py": SHOW,
    "app/(shop)/docs/[[...rest]]/route.py": SHOW,
}
NOTES_REQUEST = "tests.support.requests.note_request"


def mount_files(root: Path, files: dict[str, str], prefix: str = "", **options: Any) -> list[Any]:
    return [path(prefix, include(create_urlpatterns(write_files(root, files), **options)))]


def test_names_outside_of_api(tmp_path: Path) -> None:
    """A route outside of /api is named by its whole path, the one of the root "index"."""
    with django_project(mount_files(tmp_path, OUTSIDE), MIDDLEWARE=[NOTES_REQUEST]) as client:
        assert reverse("nextapi:index") == "/"
        assert reverse("nextapi:feed:xml") == "/feed.xml"
        assert reverse("nextapi:a:b:c") == "/a.b.c"
        assert reverse("nextapi:users/[id]", kwargs={"id": 1}) == "/users/1"
        assert reverse("nextapi:docs/[[*rest]]") == "/docs"
        assert reverse("nextapi:docs/[[*rest]]", kwargs={"rest": ["a", "b"]}) == "/docs/a/b"
        assert client.get("/").json == ["nextapi:index", "", {}, {}]
        assert client.get("/feed.xml").json == ["nextapi:feed:xml", "feed.xml", {}, {}]
        assert client.get("/a.b.c").json[0] == "nextapi:a:b:c"
        assert client.post("/users/1/").json == ["nextapi:users/[id]", "users/[id]", {"id": "1"}, {"id": "1"}]
        raw = {"RAW_URI": "/users/a%2Fb", "PATH_INFO": "/users/a/b"}
        assert client.get("/", environ_overrides=raw).json[2] == {"id": "a/b"}


@pytest.mark.parametrize(("prefix", "base"), [("v2/", "/v2"), ("<str:lang>/v2/", "/en/v2")])
def test_prefixes_outside_of_api(tmp_path: Path, prefix: str, base: str) -> None:
    """A prefix stands before every route; the 404s outside of /api are the project's."""
    with django_project(mount_files(tmp_path, OUTSIDE, prefix), MIDDLEWARE=[NOTES_REQUEST, COMMON]) as client:
        assert client.get(f"{base}/").json[0] == "nextapi:index"
        assert client.get(base).headers["Location"] == f"{base}/"
        assert client.get(f"{base}/feed.xml").json[1] == f"{prefix}feed.xml"
        assert client.get(f"{base}/feed.xml/").headers["Location"] == f"{base}/feed.xml"
        assert client.get(f"{base}/docs/a/b").json[3] == {"rest": ["a", "b"]}
        assert client.get(f"{base}/none").data == client.get("/none").data != b"Not Found"
        assert client.get(f"{base}/api/none").data == b"Not Found"
        assert client.get("/feed.xml").status_code == 404


COMMON = "django.middleware.common.CommonMiddleware"


def test_new_files_outside_of_api(tmp_path: Path) -> None:
    """In debug a file that is new answers, and has a name."""
    tree = [path("", include(create_urlpatterns(write_tree(tmp_path, {"a": "res.end()"}), debug=True)))]
    with django_project(tree, MIDDLEWARE=[NOTES_REQUEST]) as client:
        assert client.get("/feed.xml").status_code == 404
        write_files(tmp_path, OUTSIDE)
        assert client.get("/feed.xml").json[0] == "nextapi:feed:xml"
        assert reverse("nextapi:feed:xml") == "/feed.xml"


REWRITES = """
from nextapi import NextResponse

def middleware(request):
    if "/api/old" in request.url:
        return NextResponse.rewrite("/users/7")
    if "/api/hook" in request.url:
        return NextResponse.rewrite("/api/off")
"""


@pytest.mark.parametrize("prefix", ["", "<str:lang>/"])
def test_middleware_leads_on(tmp_path: Path, prefix: str) -> None:
    """Where middleware leads a request on, `resolver_match` is that of the route that runs."""
    files = {**OUTSIDE, "middleware.py": REWRITES, "pages/api/old/[id].py": route("res.end()")}
    base, outer = ("/en", {"lang": "en"}) if prefix else ("", {})
    with django_project(mount_files(tmp_path, files, prefix), MIDDLEWARE=[NOTES_REQUEST]) as client:
        expected = ["nextapi:users/[id]", f"{prefix}users/[id]", {**outer, "id": "7"}, {"id": "7"}]
        assert client.get(f"{base}/api/old/1").json == expected
        assert client.get(f"{base}/api/old/unknown/path").json == expected


@pytest.mark.parametrize("start", ["/api/hook", "/api/on", "/api/hook/unknown"])
def test_no_rewritten_route_without_protection(tmp_path: Path, start: str) -> None:
    """A route that middleware leads to has the protection of its own: the guard, or Django's CSRF check."""
    body = "res.json([req.body, req.raw.resolver_match.url_name])"
    files = {
        "middleware.py": REWRITES.replace("/api/hook", start),
        "pages/api/on.py": route(body),
        "pages/api/off.py": route(body, {"api": {"sameOrigin": False}}),
    }
    session = {"HTTP_COOKIE": f"{settings.SESSION_COOKIE_NAME}=x"}
    token = "a" * 32
    with_cookie = {"HTTP_COOKIE": f"{session['HTTP_COOKIE']}; csrftoken={token}"}
    with django_project(mount_files(tmp_path, files)) as client:
        # What is looked for is the route at the end of the way.
        assert client.post(start, headers={"Origin": "https://evil.test"}).json == [None, "off"]
        refused = client.post(start, json={}, environ_overrides=session)
        assert (refused.status_code, b"CSRF" in refused.data) == (403, True)
        header = {**with_cookie, "HTTP_X_CSRFTOKEN": token}
        assert client.post(start, json={"a": 1}, environ_overrides=header).json[0] == {"a": 1}
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
            form = {"a": "1", "csrfmiddlewaretoken": token}
            answer = client.post(start, data=form, content_type=kind, environ_overrides=with_cookie)
            assert answer.json[0] == form, kind
            assert (
                client.post(start, data={"a": "1"}, content_type=kind, environ_overrides=with_cookie).status
                == "403 Forbidden"
            )


def test_what_needs_a_login(tmp_path: Path) -> None:
    """A path that leads nowhere needs no login, unless there is middleware, which could lead it to a route."""
    for name, files, needed in (("a", {}, False), ("b", {"middleware.py": REWRITES}, True)):
        with django_project(mount_files(tmp_path / name, {**OUTSIDE, **files})):
            assert resolve("/users/1").func.login_required
            assert resolve("/api/none").func.login_required is needed


def test_refused_hosts(tmp_path: Path) -> None:
    """A host that the project does not allow is its own 400, also where only the handler asks for it."""
    url = "from nextapi import Response\n\ndef GET(request):\n    return Response(request.url)\n"
    form = "from nextapi import Response\n\nasync def POST(request):\n    return Response(request.url)\n"
    tree = mount_files(tmp_path, {"app/a/route.py": url, "app/b/route.py": form})
    with django_project(tree, ALLOWED_HOSTS=["good.test"], MIDDLEWARE=[]) as client:
        assert client.get("/a", headers={"Host": "good.test"}).text == "http://good.test/a"
        assert client.get("/a", headers={"Host": "evil.test"}).status_code == 400
        assert client.post("/b", json={}, headers={"Host": "evil.test"}).status_code == 400
        refused = {"Host": "evil.test", "Origin": "https://evil.test"}
        assert client.post("/b", headers=refused).status_code == 400
    with django_project(tree, SECURE_PROXY_SSL_HEADER=("HTTP_X_PROTO", "https")) as client:
        assert client.get("/a", headers={"X-Proto": "https"}).text == "https://localhost/a"


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("dialect", ["edge", "route"])
@pytest.mark.parametrize(
    ("end", "rows"),
    [
        ("return Response()", 1),
        ("return Response(status=500)", 1),
        ("raise ValueError", 0),
        ("raise HTTPError(400, 'no')", 0),
        ("redirect('/')", 1),
        ("not_found()", 0),
    ],
)
def test_atomic_requests_in_the_web_dialect(tmp_path: Path, kind: str, dialect: str, end: str, rows: int) -> None:
    """What raises leaves nothing in the database; what returns, or leads on, leaves its rows, whatever the status."""
    create = "Row.objects.create(name='a')" if kind == "def" else "await Row.objects.acreate(name='a')"
    head = "from nextapi import HTTPError, Response, not_found, redirect\nfrom tests.support.models import Row\n"
    name = "GET" if dialect == "route" else "handler"
    head += "config = {'runtime': 'edge'}\n" if dialect == "edge" else ""
    text = f"{head}\n\n{kind} {name}(request):\n    {create}\n    {end}\n"
    file = "app/api/a/route.py" if dialect == "route" else "pages/api/a.py"
    with atomic_rows(), django_project(mount_files(tmp_path, {file: text})) as client:
        client.get("/api/a")
        assert Row.objects.count() == rows


def test_streams_of_route_handlers_are_outside_of_the_transaction(tmp_path: Path) -> None:
    """A generator, sync or async, has the connection of the request, and no transaction."""
    text = """
from asgiref.sync import sync_to_async
from django.db import connection
from nextapi import Response
from tests.support.models import Row

def chunks():
    yield f"{Row.objects.count()} {connection.in_atomic_block}"

async def async_chunks():
    yield f"{await Row.objects.acount()} {await sync_to_async(lambda: connection.in_atomic_block)()}"

def GET():
    Row.objects.create(name="a")
    return Response(chunks())

async def POST():
    await Row.objects.acreate(name="b")
    return Response(async_chunks())
"""
    with atomic_rows(), django_project(mount_files(tmp_path, {"app/a/route.py": text})) as client:
        assert client.get("/a").data == b"1 False"
        assert client.post("/a", json={}).data == b"2 False"


AFTER = """
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone, translation
from nextapi import Response, after
from tests.support.journal import note
from tests.support.models import Row

def work():
    Row.objects.create(name="after")
    note(f"{translation.get_language()} {timezone.get_current_timezone_name()} {connection.in_atomic_block}")

async def async_work():
    await Row.objects.acreate(name="async")
    note(str(await sync_to_async(lambda: connection.in_atomic_block)()))

def GET(request):
    translation.activate("de")
    timezone.activate("Europe/Berlin")
    after(work)
    after(async_work)
    if "fail" in request.url:
        raise ValueError("boom")
    return Response("body")
"""


@pytest.fixture
def journal() -> Any:
    """Have what handlers note, from nothing on."""
    ENTRIES.clear()
    yield ENTRIES
    ENTRIES.clear()
    translation.deactivate()
    timezone.deactivate()


def replaces(get_response: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Return a middleware that answers anew."""
    return lambda request: HttpResponse("replaced", status=get_response(request).status_code)


def test_after(tmp_path: Path, journal: list[str]) -> None:
    """Work after the answer is outside of the transaction, in the project's own language and time zone, and runs also
    behind the project's answer to a failure, or where a middleware has answered anew.
    """
    tree = mount_files(tmp_path, {"app/a/route.py": AFTER})
    names = [f"{__name__}.replaces"]
    expected = [f"{settings.LANGUAGE_CODE} {settings.TIME_ZONE} False", "False"]
    with atomic_rows(), django_project(tree, MIDDLEWARE=names, USE_TZ=True) as client:
        for query, status in (("", 200), ("?fail", 500)):
            with client.get(f"/a{query}") as answer:
                assert (answer.status_code, answer.text) == (status, "replaced")
                assert not journal
            assert journal == expected
            journal.clear()
        assert Row.objects.count() == 4


def test_after_in_djangos_test_client(tmp_path: Path, journal: list[str]) -> None:
    """Django's test client ends the request before it returns the answer, and raises what the handler raised."""
    with atomic_rows(), django_project(mount_files(tmp_path, {"app/a/route.py": AFTER})):
        assert DjangoClient().get("/a").content == b"body"
        assert len(journal) == 2
        with pytest.raises(ValueError, match="boom"):
            DjangoClient().get("/a?fail")
        assert len(journal) == 4


def test_after_an_exception_that_propagates(tmp_path: Path, journal: list[str]) -> None:
    """Where Django makes no answer of an exception, work is done all the same."""
    tree = mount_files(tmp_path, {"app/a/route.py": AFTER})
    with atomic_rows(), django_project(tree, DEBUG_PROPAGATE_EXCEPTIONS=True) as client:
        with pytest.raises(ValueError, match="boom"):
            client.get("/a?fail")
        assert len(journal) == 2


def test_own_responses_behind_middleware(tmp_path: Path) -> None:
    """A response of Django's, whole or a stream, is there for middleware of folders, and for that of the root."""
    (tmp_path / "data.txt").write_text("text")
    before = """
from pathlib import Path
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
"""
    own = "response = HttpResponse('own', status=201)\nresponse.set_cookie('a', '1')\n"
    own += "response.set_cookie('b', '2', httponly=True)\nreturn response"
    bodies = {
        "own": own,
        "file": f"return FileResponse(Path({str(tmp_path / 'data.txt')!r}).open('rb'))",
        "stream": "return StreamingHttpResponse(iter(['a', 'b']))",
        "template": "return TemplateResponse(req.raw, engines['django'].from_string('{{ a }}'), {'a': 'rendered'})",
        "empty": "return HttpResponse(status=204)",
    }
    folder = """
def middleware(request, call_next):
    response = call_next()
    response.headers.set("X-Folder", str(response.status))
    return response
"""
    external = {"api": {"externalResolver": True}}
    files = {
        "middleware.py": "from nextapi import NextResponse\n\n"
        "def middleware(request):\n    return NextResponse.next(headers={'X-Root': '1', 'Set-Cookie': 'c=3'})\n",
        "pages/api/folder/_middleware.py": folder,
    }
    for name, body in bodies.items():
        files[f"pages/api/{name}.py"] = files[f"pages/api/folder/{name}.py"] = route(body, external, before)
    expected = {"own": b"own", "file": b"text", "stream": b"ab", "template": b"rendered", "empty": b""}
    templates = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
    finished = []
    receive = lambda **_: finished.append(1)  # noqa: E731  # a signal's receiver
    request_finished.connect(receive)
    try:
        with django_project(mount_files(tmp_path / "tree", files), TEMPLATES=templates) as client:
            for number, (name, body) in enumerate((at, body) for at in ("", "folder/") for body in expected):
                with client.get(f"/api/{name}{body}") as answer:
                    assert answer.data == expected[body], (name, body)
                    assert answer.headers["X-Root"] == "1"
                    assert ("X-Folder" in answer.headers) is bool(name)
                    assert answer.status_code == {"own": 201, "empty": 204}.get(body, 200)
                    if body == "own":
                        cookies = ["c=3", "a=1; Path=/", "b=2; HttpOnly; Path=/"]
                        assert answer.headers.getlist("Set-Cookie") == cookies
                    if body == "file":
                        assert answer.mimetype == "text/plain"
                assert len(finished) == number + 1, "a request ends once"
    finally:
        request_finished.disconnect(receive)


def test_the_command_and_checks_know_app_routes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tree without pages/api is listed, and checked, as any other."""
    with django_project(mount_files(tmp_path, OUTSIDE)):
        with pytest.raises(SystemExit) as ended:
            Command().handle(argv=["routes"])
        assert not ended.value.code
        out = capsys.readouterr().out
        assert "/feed.xml" in out
        assert "/users/[id]" in out
        assert _check_trees() == run_checks() == []


def test_a_view_that_is_called_by_itself(tmp_path: Path) -> None:
    """A request that did not pass Django's handler, as in a test of a view, may be led on as well."""
    files = {"middleware.py": REWRITES, "pages/api/off.py": route("res.end('led on')", {"api": {"sameOrigin": False}})}
    with django_project(mount_files(tmp_path, files)):
        assert resolve("/api/hook").func(RequestFactory().get("/api/hook")).content == b"led on"
