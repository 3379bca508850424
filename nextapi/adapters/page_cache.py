"""`PageCache`, for any WSGI application; what it has to know of a framework it asks that framework's adapter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any

from werkzeug.middleware.proxy_fix import ProxyFix

from nextapi.app import Application
from nextapi.cache.host import BareHost, CacheHost, normal_host
from nextapi.cache.serving import CachingApp
from nextapi.cache.store import Store
from nextapi.cache.stores import open_store
from nextapi.draft import Draft
from nextapi.errors import OptionError
from nextapi.options import read_options

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["PageCache", "find_page_cache"]

# By the class of the framework's application: a module with `cache_host`. It is imported only where the framework is.
_FRAMEWORKS = {
    "django.core.handlers.wsgi.WSGIHandler": "nextapi.adapters.django.page_cache",
    "flask.app.Flask": "nextapi.adapters.flask.page_cache",
}
# Where WSGI middleware keeps the application that it is around.
_INNER = ("__self__", "app", "application", "wsgi_app", "_fallback")


class PageCache(CachingApp):
    """A shared HTTP cache before a WSGI application (RFC 9111), in which `res.revalidate` has pages made anew:
    `app.wsgi_app = PageCache(app.wsgi_app)` in Flask, `application = PageCache(get_wsgi_application())` in Django.

    A page opts in by `Cache-Control: s-maxage=60`, or `static_page`. Who is answered from the cache runs none of the
    app's code: no authentication, no middleware, no rate limit.

    `store` is a `SQLiteStore`, `RedisStore`, `DjangoStore` or `MemoryStore`, the path of a SQLite file, or a URL of
    Redis; `.nextapi/pages.sqlite3` in the working directory unless it is given. `hosts` are those that pages are kept
    for, ".example.com" with all below it; unless given, those that Flask's TRUSTED_HOSTS or Django's ALLOWED_HOSTS
    name, on bare WSGI all. `secret` is what draft mode's cookies are made from, where that is not the app's own. Of the
    query, `ignored_params` make no page another. Who asks for a page that another request is making waits for
    `wait` seconds at most; a page has to be made within `timeout` seconds. With `debug` nothing is kept, as by
    `next dev`. Pages that were made by another `version` of the app, as Next's build ID, are made anew. Raises
    `OptionError` for what cannot be.
    """

    def __init__(
        self,
        app: WSGIApplication,
        store: Store | str | PathLike[str] = ".nextapi/pages.sqlite3",
        *,
        hosts: Sequence[str] | None = None,
        secret: str | bytes | None = None,
        ignored_params: Sequence[str] = (),
        wait: float = 5,
        timeout: float = 30,
        debug: bool = False,
        version: str = "",
    ) -> None:
        _check(app, hosts, ignored_params, debug, version, wait=wait, timeout=timeout)
        host = _host_of(app, hosts, secret)
        super().__init__(app, open_store(store), host, ignored_params, wait, timeout, debug, version)


def find_page_cache(app: object) -> PageCache | None:
    """Return the page cache that an application is, or is around as far as can be seen; None where there is none."""
    return next((inner for inner in _inside(app) if isinstance(inner, PageCache)), None)


def _check(app: object, hosts: object, ignored_params: object, debug: object, version: object, **times: object) -> None:
    """Raise `OptionError` for what no argument can be."""
    if not callable(app):
        raise OptionError(f"a page cache is before a WSGI application, which {app!r} is not: PageCache(app.wsgi_app)")
    for name, texts in (("hosts", hosts), ("ignored_params", ignored_params)):
        if isinstance(texts, str) or not (texts is None or isinstance(texts, Iterable)):
            raise OptionError(f"option {name} of a page cache is {texts!r}: it is a list of texts")
        for text in texts or ():
            if not isinstance(text, str):
                raise OptionError(f"option {name} of a page cache has {text!r}: it is a list of texts")
            if name == "hosts" and text.isascii() and normal_host("", text.removeprefix(".")) is None:
                raise OptionError(
                    f"option hosts of a page cache has {text!r}: name the host alone, 'shop.example', or "
                    "'.shop.example' for all below it as well"
                )
    if hosts is not None and not hosts:
        raise OptionError("option hosts of a page cache is empty: name a host, or leave it out")
    for name, seconds in times.items():
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < float("inf"):
            raise OptionError(f"option {name} of a page cache is {seconds!r}: it is a number of seconds, such as 5")
    if not times["timeout"]:
        raise OptionError("option timeout of a page cache is 0: to make a page takes some seconds")
    if not isinstance(debug, bool):
        raise OptionError(f"option debug of a page cache is {debug!r}: it is True or False")
    if not isinstance(version, str):
        raise OptionError(f"option version of a page cache is {version!r}: it is text, such as that of a commit")


def _host_of(app: WSGIApplication, hosts: Sequence[str] | None, secret: str | bytes | None) -> CacheHost:
    """Return what the app says: the framework's that is innermost seen, else a tree's of nextapi."""
    options = read_options({"secret": secret} if secret is not None else {})
    draft = Draft(options.secret, options.debug)
    proxies: list[ProxyFix] = []
    for inner in _inside(app):
        if isinstance(inner, ProxyFix):
            proxies.append(inner)
        tree = getattr(inner, "application", None)
        if secret is None and isinstance(tree, Application):
            draft = tree.host.draft
        for known in type(inner).__mro__:
            if module := _FRAMEWORKS.get(f"{known.__module__}.{known.__qualname__}"):
                host: CacheHost = import_module(module).cache_host(inner, options.secret, hosts, proxies)
                return host
    return BareHost(draft, hosts, proxies)


def _inside(app: Any) -> Iterator[Any]:
    """Yield an application, and those that it is around, as far as they can be seen."""
    seen: list[Any] = []
    while app is not None and not any(app is known for known in seen):
        seen.append(app)
        yield app
        inner = (getattr(app, name, None) for name in _INNER)
        app = next((one for one in inner if callable(one) or hasattr(one, "wsgi_app")), None)
