"""Answers that are raised: `redirect()`, `not_found()` and their like (Next's `next/navigation`).

They are `HTTPError`s, so `except Exception` around them swallows them, as `catch` does in Next.
"""

from __future__ import annotations

from typing import NoReturn

from nextapi.errors import HTTPError, RedirectError
from nextapi.web.url import URL

__all__ = ["forbidden", "not_found", "permanent_redirect", "redirect", "unauthorized"]


def redirect(url: str | URL) -> NoReturn:
    """End the handler with a redirect to `url` (307), whose text goes out as it is: check what a client sent before.

    Cookies that `cookies()` has set are sent along. Raises `RedirectError` where there is no URL.
    """
    _redirect(307, url)


def permanent_redirect(url: str | URL) -> NoReturn:
    """End the handler with a redirect to `url` for good (308); all else is as for `redirect`."""
    _redirect(308, url)


def _redirect(status: int, url: str | URL) -> NoReturn:
    if not isinstance(url, str | URL) or not url:
        raise RedirectError(f"a redirect leads to a URL or a path, not to {url!r}")
    raise HTTPError(status, "", {"location": str(url)})


def not_found() -> NoReturn:
    """End the handler with an empty 404; what `cookies()` has set is not sent."""
    raise HTTPError(404, "")


def forbidden() -> NoReturn:
    """End the handler with an empty 403."""
    raise HTTPError(403, "")


def unauthorized() -> NoReturn:
    """End the handler with an empty 401."""
    raise HTTPError(401, "")
