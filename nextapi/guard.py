"""The same-origin guard: refuses what a browser sends across sites without asking first.

A page of another site can make a visitor's browser send a POST with the visitor's cookies, as long as its content type
is one that an HTML form could have (Fetch standard, CORS-safelisted request-header). Everything else is preceded by a
preflight, which a route answers by its own CORS headers or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from nextapi.errors import HTTPError
from nextapi.http.message import Request
from nextapi.web.cors import Cors

__all__ = ["check_same_origin"]

_FORM_TYPES = frozenset({"", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


def check_same_origin(
    request: Request,
    trusted_origins: frozenset[str],
    trusted_host: Callable[[Request], str | None],
    policy: Cors | None = None,
) -> None:
    """Raise `HTTPError` (403) if `request`, a POST, comes from another site and no preflight preceded it.

    `trusted_origins` are origins as browsers send them, "https://example.com", or "https://*.example.com" for all
    subdomains; `trusted_host(request)` is the host and port that the host application takes the request to be for, None
    where there is none.
    """
    headers = request.headers
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _FORM_TYPES:
        return
    origin = headers.get("origin")
    if origin is not None and _is_trusted(origin, trusted_origins):
        return
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site in ("same-origin", "none"):
            return
    elif origin is None or _is_of(origin, trusted_host(request)):
        return
    if request.is_admitted or (policy is not None and policy.admits(request)):
        return
    sender = f"from {origin}" if origin else "from another site"
    raise HTTPError(
        403,
        f"Cross-site POST {sender} refused. To allow it, name the origin in the option trusted_origins, or switch the "
        'guard off for this route: config = {"api": {"sameOrigin": False}}, or same_origin = False in a route.py.',
    )


def _is_trusted(origin: str, trusted: frozenset[str]) -> bool:
    if origin in trusted:
        return True
    scheme, _, host = origin.partition("://")
    wildcards = (pattern.partition("://*.") for pattern in trusted if "://*." in pattern)
    return any(scheme == its_scheme and host.endswith("." + domain) for its_scheme, _, domain in wildcards)


def _is_of(origin: str, host: str | None) -> bool:
    """Say whether `origin` is a single readable origin on `host`, the scheme's default port left out on both sides."""
    if host is None:
        return False
    try:
        parts = urlsplit(origin)
        default = _DEFAULT_PORTS[parts.scheme]
        other = urlsplit(f"//{host}")
        ports = parts.port or default, other.port or default
    except (KeyError, ValueError):
        return False
    if parts.username is not None or f"{parts.scheme}://{parts.netloc}" != origin:
        return False
    return parts.hostname is not None and (parts.hostname, ports[0]) == (other.hostname, ports[1])
