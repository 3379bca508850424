"""What `PageCache` says of arguments that cannot be meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from werkzeug.test import Client

from nextapi import revalidate_path
from nextapi.adapters.page_cache import find_page_cache
from nextapi.adapters.wsgi import PageCache, create_app
from nextapi.cache import MemoryStore, SQLiteStore
from nextapi.draft import Draft
from nextapi.errors import OptionError, RevalidateError, StoreError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def page(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Cache-Control", "s-maxage=60, stale-while-revalidate=60")])
    return [b"page"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"app": None}, "which None is not"),
        ({"app": "shop:app"}, "which 'shop:app' is not"),
        ({"hosts": "shop.example"}, "option hosts .* is 'shop.example': it is a list of texts"),
        ({"hosts": [5]}, "option hosts .* has 5"),
        ({"hosts": []}, "option hosts .* is empty"),
        ({"hosts": ["*"]}, "option hosts .* has '\\*': name the host alone"),
        ({"hosts": ["https://shop.example"]}, "has 'https://shop.example': name the host alone"),
        ({"ignored_params": "utm_source"}, "option ignored_params .* is 'utm_source': it is a list"),
        ({"ignored_params": None, "wait": "5"}, "option wait .* is '5'"),
        ({"wait": -1}, "option wait .* is -1: it is a number of seconds"),
        ({"wait": True}, "option wait .* is True"),
        ({"timeout": None}, "option timeout .* is None"),
        ({"timeout": 0}, "option timeout .* is 0"),
        ({"timeout": float("nan")}, "option timeout .* is nan"),
        ({"version": 2}, "option version .* is 2: it is text"),
        ({"debug": "no"}, "option debug .* is 'no': it is True or False"),
    ],
)
def test_arguments_that_cannot_be(options: dict[str, Any], said: str) -> None:
    """Each is refused when the cache is made, by a message that names it."""
    with pytest.raises(OptionError, match=said):
        PageCache(**{"app": lambda *_: [], "store": MemoryStore(), **options})


@pytest.mark.parametrize("hosts", [["shop.example:8000", ".shop.example"], ("localhost",), ["bücher.example"]])
def test_hosts(hosts: Any) -> None:
    """Names, with what is below them, and addresses."""
    PageCache(lambda *_: [], MemoryStore(), hosts=hosts)


@pytest.mark.parametrize("debug", [False, True])
def test_a_cache_before_the_app_that_it_is_in(debug: bool) -> None:
    """`app.wsgi_app = PageCache(app)` would ask itself for ever: the first request says what to write."""
    app = Flask(__name__)
    app.wsgi_app = PageCache(app, MemoryStore(), debug=debug)  # type: ignore[method-assign]
    with pytest.raises(OptionError, match=r"write app.wsgi_app = PageCache\(app.wsgi_app\)"):
        Client(app).get("/")


def test_versions_of_an_app() -> None:
    """Each serves what it has made itself: what another made is made anew, whichever of the two has a name."""
    store = MemoryStore()

    def client(version: str) -> Client:
        def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
            start_response("200 OK", [("Cache-Control", "s-maxage=60, stale-while-revalidate=60")])
            return [f"made by {version or 'none'}".encode()]

        return Client(PageCache(app, store, version=version))

    for version in ("", "a", "b", "a", ""):
        answers = [client(version).get("/a") for _ in range(2)]
        assert [answer.headers["x-nextjs-cache"] for answer in answers] == ["MISS", "HIT"], version
        assert {answer.text for answer in answers} == {f"made by {version or 'none'}"}


def test_a_task_with_another_store_than_the_server(caplog: pytest.LogCaptureFixture) -> None:
    """Who answers no request, and expires what is in a store that no server uses, is told so, once."""
    store = MemoryStore()
    task = PageCache(lambda *_: [], store)
    server = PageCache(page, store)
    Client(server).get("/a")
    task.revalidate_path("/a")
    server.revalidate_tag("a")
    assert not caplog.messages

    stray = PageCache(lambda *_: [], MemoryStore())
    stray.revalidate_path("/a")
    stray.revalidate_tag("a")
    assert [text.partition(" yet")[0] for text in caplog.messages] == [
        "page cache: no server keeps pages in the memory of this process"
    ]


@pytest.mark.parametrize("path", ["blog/a", "http://example.com/blog/a", None])
def test_what_is_no_path(path: Any) -> None:
    """The message names the function that was called."""
    cache = PageCache(page, MemoryStore())
    with pytest.raises(RevalidateError, match=r"provided to revalidate_path\(\), must be a path"):
        cache.revalidate_path(path)
    with pytest.raises(RevalidateError, match=r"provided to revalidate_path\(\), must be a path"):
        revalidate_path(path)


def test_a_folder_that_is_made_for_pages_is_not_committed(tmp_path: Path) -> None:
    """Git leaves it out; nothing is written into a folder that was there."""
    SQLiteStore(tmp_path / ".nextapi" / "pages.sqlite3").set({"a": b"1"}, 60)
    SQLiteStore(tmp_path / "pages.sqlite3").set({"a": b"1"}, 60)
    assert (tmp_path / ".nextapi" / ".gitignore").read_text() == "*\n"
    assert not (tmp_path / ".gitignore").exists()


def test_nothing_is_kept_in_debug(tmp_path: Path) -> None:
    """A signal that expires pages, or has one made anew, needs no store in development."""
    cache = PageCache(page, tmp_path, debug=True)  # a folder is no store
    cache.revalidate_path("/a")
    cache.revalidate_tag("a")
    assert cache.revalidate("http://example.com/a") is False
    with pytest.raises(StoreError):
        PageCache(page, tmp_path).revalidate_tag("a")


def test_the_secret_of_the_cache_comes_before_that_of_the_tree(tmp_path: Path) -> None:
    """Draft mode that was switched on elsewhere is known by the option."""
    (tmp_path / "web" / "pages" / "api").mkdir(parents=True)
    (tmp_path / "web" / "pages" / "api" / "a.py").write_text("def handler(req, res):\n    res.json(1)\n")
    tree = create_app(tmp_path / "web", secret="the secret of the tree")
    own, of_tree = (
        Draft(secret, False).mode_cookie(True) for secret in (b"the secret of the cache", b"the secret of the tree")
    )
    for cache, cookie, is_on in (
        (PageCache(tree, MemoryStore()), of_tree, True),
        (PageCache(tree, MemoryStore(), secret="the secret of the cache"), own, True),
        (PageCache(tree, MemoryStore(), secret="the secret of the cache"), of_tree, False),
    ):
        assert cache._host.draft.is_on(cookie.partition(";")[0]) is is_on


def test_an_app_that_is_its_own_inside() -> None:
    """It is looked into once."""

    class Own:
        @property
        def app(self) -> Own:
            return self

        def __call__(self, *_: object) -> list[bytes]:
            return []

    assert find_page_cache(Own()) is None
