"""`NextURL`: a `URL` that knows the prefix which the application is mounted at (Next's `basePath`).

As in Next, the href has no userinfo, and the path keeps the form of its end: one that had a trailing slash when it was
parsed has one whatever it is set to, another has none.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from nextapi.errors import HTTPError
from nextapi.web.search_params import URLSearchParams
from nextapi.web.url import URL

if TYPE_CHECKING:
    from typing import Self

__all__ = ["NextURL", "next_url_of", "origin_of"]

# What a URL has in its path as it is; segments of dots are looked for beside it.
_PLAIN_PATH = re.compile(r"/(?!_next/data/)[!$%&'()*+,\-./0-9:;=@A-Z\[\]_a-z|~]*")
_MOST_OF_HOST = 260
_DATA = "/_next/data/"


class NextURL(URL):
    """A URL whose `pathname` is without the prefix, and whose `href` and text are with it (Next's NextURL).

    `base_path` is the prefix, "/v2", taken off if the path begins with it; `trailing_slash` is the form of the path's
    end where the path is "/", as it says nothing itself. Raises `URLError` as `URL` does. There is no i18n: `locale` is
    "" and `default_locale` None. `build_id` is that of a path `/_next/data/<build id>/<path>.json`, else None.
    """

    __slots__ = ("_base_path", "_mount", "_trailing_slash", "_trailing_slash_of_root", "build_id")

    locale = ""
    default_locale = None
    build_id: str | None

    def __init__(
        self, text: str | URL, base: str | URL | None = None, *, base_path: str = "", trailing_slash: bool = False
    ) -> None:
        self._mount = _prefix(base_path)
        self._trailing_slash_of_root = trailing_slash
        super().__init__(text, base)

    def _parse(self, text: str | URL, base: str | URL | None) -> None:
        super()._parse(text, base)
        path = self._path
        self._trailing_slash = path.endswith("/") if path != "/" else self._trailing_slash_of_root
        self._base_path = ""
        if self._mount and (path == self._mount or path.startswith(self._mount + "/")):
            self._base_path = self._mount
            path = path[len(self._mount) :] or "/"
        self.build_id = None
        if path.startswith(_DATA) and path.endswith(".json"):
            self.build_id, _, page = path[len(_DATA) : -len(".json")].partition("/")
            path = "/" if page == "index" else f"/{page}"
        self._path = path

    def _text(self) -> str:
        if self._host is None:
            return super()._text()
        path = self._path
        if self.build_id:
            path = path.removesuffix("/")
            path = f"{self._base_path}/_next/data/{self.build_id}{path or '/index'}.json"
        else:
            path = self._base_path + path.removesuffix("/")
            if self._trailing_slash or not path:
                path += "/"
        return f"{self._scheme}://{self.host}{path}{self._suffix()}"

    def __repr__(self) -> str:
        return f"NextURL({self.href!r})"

    @property
    def base_path(self) -> str:
        """The prefix that the path had, or was given: "/v2"; "" for none."""
        return self._base_path

    @base_path.setter
    def base_path(self, value: str) -> None:
        self._base_path = _prefix(value)

    def clone(self) -> Self:
        """Return a copy, with parameters of its own: changing it leaves this one as it is."""
        return copy.copy(self)


class _RequestURL(NextURL):
    """The URL of a request: most handlers ask for its parameters alone, so all else is made when it is asked for."""

    __slots__ = ("_parts",)

    _parts: tuple[Callable[[], str], str, str]

    def __getattr__(self, name: str) -> Any:
        # Called where a slot is empty.
        if name not in _SLOTS:
            raise AttributeError(f"'NextURL' object has no attribute {name!r}")
        find_origin, base_path, path = self._parts
        origin = find_origin()
        params = cast("URLSearchParams", self._params)
        if not _PLAIN_PATH.fullmatch(path) or "/." in path or len(path) == 1 or path.endswith("/"):
            super().__init__(f"{origin}{base_path}{path}", base_path=base_path)
        else:
            self._scheme, self._host, self._port = _parts_of(origin)
            self._username = self._password = ""
            self._path = path
            self._query = self._fragment = self.build_id = None
            self._is_opaque = self._trailing_slash = self._trailing_slash_of_root = False
            self._mount = self._base_path = base_path
        self._params = params
        params._is_changed = bool(params._pairs)
        return getattr(self, name)

    def __getstate__(self) -> object:
        _ = self._scheme  # a copy has all parts
        return super().__getstate__()


_SLOTS = frozenset((*URL.__slots__, *NextURL.__slots__))


def next_url_of(find_origin: Callable[[], str], base_path: str, path: str, pairs: list[tuple[str, str]]) -> NextURL:
    """Return the URL of a request, from its parts: `path` is below the prefix and as it was sent.

    The origin is looked for when more than the parameters is asked for: it takes the host's checks.
    """
    url = _RequestURL.__new__(_RequestURL)
    url._parts = find_origin, base_path, path
    url._params = params = URLSearchParams.__new__(URLSearchParams)
    params._pairs, params._is_changed = pairs, bool(pairs)
    return url


@lru_cache(maxsize=256)
def origin_of(scheme: str, host: str) -> str:
    """Return the origin of a request for `host`, which has been checked to be a name or an address, and a port.

    Raises `HTTPError` (400) where no URL can have it, as with "1.2.3.4.5" and "example.com:99999", and where it is
    longer than a name and a port can be: what comes here is kept for a while.
    """
    origin = f"{scheme}://{host}"
    if len(host) > _MOST_OF_HOST or not URL.can_parse(origin):
        raise HTTPError(400, "Bad Request")
    return origin


@lru_cache(maxsize=256)
def _parts_of(origin: str) -> tuple[str, str | None, str]:
    url = URL(origin)
    return url._scheme, url._host, url._port


def _prefix(text: str) -> str:
    text = text.strip("/")
    return f"/{text}" if text else ""
