"""The options of a mount: one name, one meaning and one check, whichever host they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict
from urllib.parse import urlsplit

from nextapi.errors import OptionError, nearest
from nextapi.http.sizes import Limit, Size, read_limit
from nextapi.text import utf8

__all__ = ["OptionSettings", "Options", "read_options"]


class OptionSettings(TypedDict, total=False):
    """The options as users write them; `Options` says what each is."""

    page_extensions: Sequence[str]
    trusted_origins: Sequence[str]
    max_body_size: Size
    debug: bool
    name: str
    secret: str | bytes
    geo_headers: str | Mapping[str, str]
    proxy_origins: Sequence[str]


_MAX_BODY_SIZE = Limit(10 << 20, "10mb")
_MIN_SECRET_SIZE = 16


@dataclass(frozen=True, slots=True)
class Options:
    """What `create_app`, `create_blueprint` and Django's NEXTAPI setting take.

    `page_extensions`: what route files end in (Next's `pageExtensions`). `trusted_origins`: origins whose pages may
    POST across sites. `max_body_size`: the most that `req.raw_body` reads where the body parser is off. `debug`: edited
    files count at once; on bare WSGI, a 500 shows its traceback; cookies of draft mode go over plain HTTP. `name`: the
    blueprint's name, the namespace of Django's URLs. `secret`: what the cookies of draft mode are made from, b"" where
    the option is not given. `geo_headers`: which headers `request.geo` is read from, "vercel", "cloudflare" or a
    mapping of its fields to headers; the proxy in front has to overwrite them. `proxy_origins`: origins that middleware
    may rewrite a request to.
    """

    page_extensions: tuple[str, ...] = ("py",)
    trusted_origins: frozenset[str] = frozenset()
    max_body_size: Limit = _MAX_BODY_SIZE
    debug: bool = False
    name: str = "nextapi"
    secret: bytes = field(default=b"", repr=False)
    geo_headers: Mapping[str, str] = field(default_factory=dict)
    proxy_origins: frozenset[str] = frozenset()


def read_options(given: Mapping[str, Any]) -> Options:
    """Return the options that a user gave by name; raise `OptionError` for one that is unknown or cannot be."""
    read: dict[str, Any] = {}
    for name, value in given.items():
        reader = _READERS.get(name)
        if reader is None:
            raise OptionError(f"unknown option {name!r}{nearest(name, tuple(_READERS))}")
        try:
            read[name] = reader(value)
        except ValueError as error:
            shown = "" if name == "secret" else f" is {value!r}"
            raise OptionError(f"option {name}{shown}: {error}") from None
    return Options(**read)


def _extensions(value: Any) -> tuple[str, ...]:
    extensions = _texts(value, 'the endings of route files, such as ("py",)')
    for extension in extensions:
        if not (extension == "py" or extension.endswith(".py")) or extension.startswith("."):
            raise ValueError(f"{extension!r} is no ending of Python files: write 'py' or such as 'api.py'")
    return extensions


def _origins(value: Any) -> frozenset[str]:
    origins = _texts(value, 'origins, such as ("https://example.com",)')
    for origin in origins:
        parts = urlsplit(origin)
        if not parts.netloc or f"{parts.scheme}://{parts.netloc}".lower() != origin:
            raise ValueError(f"{origin!r} is no origin: write scheme, host and port alone, as in 'https://example.com'")
    return frozenset(origins)


_GEO_FIELDS = ("city", "country", "region", "latitude", "longitude")
_GEO_HEADERS = {
    "vercel": {
        "city": "x-vercel-ip-city",
        "country": "x-vercel-ip-country",
        "region": "x-vercel-ip-country-region",
        "latitude": "x-vercel-ip-latitude",
        "longitude": "x-vercel-ip-longitude",
    },
    "cloudflare": {
        "city": "cf-ipcity",
        "country": "cf-ipcountry",
        "region": "cf-region-code",
        "latitude": "cf-iplatitude",
        "longitude": "cf-iplongitude",
    },
}


def _geo_headers(value: Any) -> Mapping[str, str]:
    known = _GEO_HEADERS.get(value) if isinstance(value, str) else value
    if not isinstance(known, Mapping) or not all(isinstance(name, str) for name in known.values()):
        raise ValueError("it is 'vercel', 'cloudflare' or a mapping such as {'country': 'X-Country'}")
    for field_name in known:
        if field_name not in _GEO_FIELDS:
            raise ValueError(f"{field_name!r} is no field of request.geo{nearest(str(field_name), _GEO_FIELDS)}")
    return dict(known)


def _texts(value: Any, what: str) -> tuple[str, ...]:
    if not isinstance(value, str) and isinstance(value, Iterable):
        texts = tuple(value)
        if all(isinstance(text, str) for text in texts):
            return texts
    raise ValueError(f"it is a sequence of {what}")


def _size(value: Any) -> Limit:
    limit = read_limit(value)
    if limit is None:
        raise ValueError("it is a size, such as '10mb' or a number of bytes")
    return limit


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("it is True or False")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value or "." in value or ":" in value:
        raise ValueError("it is a name without dots and colons")
    return value


def _secret(value: Any) -> bytes:
    if not isinstance(value, str | bytes) or len(value) < _MIN_SECRET_SIZE:
        raise ValueError(f"it is text or bytes, at least {_MIN_SECRET_SIZE} random characters")
    return utf8(value) if isinstance(value, str) else value


_READERS: dict[str, Callable[[Any], object]] = {
    "page_extensions": _extensions,
    "trusted_origins": _origins,
    "max_body_size": _size,
    "debug": _flag,
    "name": _name,
    "secret": _secret,
    "geo_headers": _geo_headers,
    "proxy_origins": _origins,
}
