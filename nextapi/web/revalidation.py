"""`revalidate_path` and `revalidate_tag`: pages that a page cache keeps are made anew when they are next asked for
(Next's `next/cache`).
"""

from __future__ import annotations

from nextapi.cache.targets import check_path, check_tag
from nextapi.cache.visit import Visit, current_visit, visit_of
from nextapi.errors import ScopeError
from nextapi.web.scope import current_environ

__all__ = ["revalidate_path", "revalidate_tag"]


def revalidate_path(path: str) -> None:
    """Have all pages of a path made anew, of every host and query, each when it is next asked for (Next's
    `revalidatePath`).

    Django: where a transaction is open, once it has committed. Where no page cache is before the app, there is nothing
    to do; where the store is gone, it is done once that is back. Raises `RevalidateError` for what is no path,
    `ScopeError` where no request is answered.
    """
    check_path(path, "revalidate_path")
    if (visit := _visit("revalidate_path")) is not None:
        visit.cache.expire_path(path, visit.prefix)


def revalidate_tag(tag: str) -> None:
    """Have all pages made anew that name a tag in their Cache-Tag, each when it is next asked for (Next's
    `revalidateTag`); else as `revalidate_path`.
    """
    check_tag(tag)
    if (visit := _visit("revalidate_tag")) is not None:
        visit.cache.expire_tag(tag)


def _visit(function: str) -> Visit | None:
    """Return the visit of the request that is answered; None where that has come through no page cache."""
    environ = current_environ()
    if environ is not None:  # a stream, too, which is not made in the context of the page cache
        return visit_of(environ)
    visit = current_visit()
    if visit is None:
        raise ScopeError(
            f"`{function}` was called where no request is answered, or none that has come through a page cache: there "
            f"call the method `{function}` of the `PageCache` itself, which is app.wsgi_app in Flask, application of "
            "wsgi.py in Django, or the command `nextapi revalidate`"
        )
    return visit
