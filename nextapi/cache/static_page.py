"""`@static_page`: a view of Flask or Django says for how long its page may be kept, as Next's `revalidate` does.

No framework is imported: a response is what has `headers` and a `status_code`; what else Flask takes from a view
becomes a tuple with headers, which Flask merges.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, ItemsView, Iterable, Iterator, Sequence
from functools import wraps
from inspect import iscoroutine, iscoroutinefunction
from typing import Any, Literal, Never, Protocol, TypeVar, cast

from werkzeug.datastructures import Headers

from nextapi.cache.policy import MAX_TAG_LENGTH, MAX_TAGS, PRIVATE, cache_control
from nextapi.cache.policy import tags as tags_of
from nextapi.cache.visit import current_visit
from nextapi.errors import OptionError

__all__ = ["static_page"]

ViewT = TypeVar("ViewT", bound=Callable[..., object])

_EXAMPLE = "write @static_page(revalidate=60), with the seconds that the page may be kept for, or revalidate=False"
# Neither a comma, which ends a tag, nor what no header can have in every host.
_TAG = re.compile(r"[!-+\--~]+(?: +[!-+\--~]+)*")


class _HeadersLike(Protocol):
    def __contains__(self, name: object, /) -> bool: ...
    def __setitem__(self, name: str, value: str, /) -> None: ...
    def setdefault(self, name: str, value: str, /) -> object: ...
    def items(self) -> ItemsView[str, str] | Iterable[tuple[str, str]]: ...


def static_page(
    *misplaced: Never,
    revalidate: int | Literal[False] = cast("int", None),  # missing: an error that says what to write
    tags: Sequence[str] = (),
) -> Callable[[ViewT], ViewT]:
    """Return a decorator of a view, after which a page cache keeps its page (Next's `revalidate`, `cacheTag`).

    `revalidate` is for how many seconds the page is fresh, False for ever; after that it is served while it is made
    anew. `tags` name what the page shows, for `revalidate_tag`. The view's answer gets a Cache-Control unless it has
    one, in draft mode that of an answer for one visitor, and its Cache-Tag gets the tags; not where its status is an
    error other than 404 and 410. Of what Flask takes beside responses, and tuples, the decorated view returns a tuple
    `(body, status, headers)`. Raises `OptionError` for what cannot be meant.
    """
    if misplaced:
        raise OptionError(f"@static_page has brackets, and its arguments have names: {_EXAMPLE}")
    if revalidate is not False and (type(revalidate) is not int or revalidate < 1):
        more = "; a page that is never kept goes without @static_page" if revalidate == 0 else ""
        raise OptionError(f"revalidate is {revalidate!r}, no positive whole number: {_EXAMPLE} for ever{more}")
    value = cache_control(revalidate)
    names = _checked(tags)

    def decorate(view: ViewT) -> ViewT:
        if not callable(view):
            raise OptionError(f"static_page() decorates a view, not {view!r}")

        @wraps(view)
        def page(*arguments: object, **named: object) -> object:
            answer = view(*arguments, **named)
            # A class of async views in Django makes a function that is only marked as async.
            return later(answer) if iscoroutine(answer) else _as_page(answer, value, names)

        @wraps(view)
        async def async_page(*arguments: object, **named: object) -> object:
            return await later(cast("Awaitable[object]", view(*arguments, **named)))

        async def later(answer: Awaitable[object]) -> object:
            return _as_page(await answer, value, names)

        return cast("ViewT", async_page if iscoroutinefunction(view) else page)

    return decorate


def _checked(tags: Sequence[str]) -> tuple[str, ...]:
    if isinstance(tags, str):
        raise OptionError(f"tags is the text {tags!r}: write tags=[{tags!r}]")
    for tag in tags:
        if not isinstance(tag, str) or not _TAG.fullmatch(tag):
            say = "a tag is ASCII text without commas, control characters and spaces around it: write one tag an item"
            raise OptionError(f"tags has {tag!r}: {say}, and percent-encode what else it has")
        if len(tag) > MAX_TAG_LENGTH:
            raise OptionError(f"tags has a tag of {len(tag)} characters: {MAX_TAG_LENGTH} are the most")
    if len(tags) > MAX_TAGS:
        raise OptionError(f"tags has {len(tags)} tags: {MAX_TAGS} are the most")
    return tuple(tags)


def _as_page(answer: object, value: str, names: tuple[str, ...]) -> object:
    """Return what a view returned, with the headers of a page."""
    body, status, given = _parts(answer)
    own = cast("_HeadersLike | None", getattr(body, "headers", None))
    if own is None and not isinstance(body, str | bytes | bytearray | dict | list | Iterator):
        return answer  # nothing, a WSGI app, or what the host will complain about
    code = _code(status) if status is not None else 200 if own is None else getattr(body, "status_code", None)
    if code is None:
        say = "in a route handler write `revalidate = 60` beside it"
        raise OptionError(
            f"@static_page is for views of Flask and Django, which return no {type(body).__name__}: {say}"
        )
    if not (200 <= code < 400 or code in (404, 410)):
        return answer
    if (visit := current_visit()) is not None and visit.preview_data is not False:
        value = PRIVATE  # also to caches that stand between the view and the page cache
    added = Headers(given)
    # Flask puts a tuple's headers in the place of the response's own.
    if "Cache-Control" not in added:
        (added if own is None else own).setdefault("Cache-Control", value)
    if names:
        headers = added if own is None or "Cache-Tag" in added else own
        headers["Cache-Tag"] = ", ".join(dict.fromkeys((*tags_of(list(headers.items())), *names)))
    return answer if answer is body and own is not None else (body, status, added)


def _parts(answer: object) -> tuple[Any, Any, Any]:
    """Return body, status and headers of what a view returned, None for what it does not say (Flask, make_response)."""
    if not isinstance(answer, tuple) or len(answer) not in (2, 3):
        return answer, None, None
    if len(answer) == 3:
        return answer
    body, second = answer
    return (body, None, second) if isinstance(second, Headers | dict | list | tuple) else (body, second, None)


def _code(status: Any) -> int:
    """Return the number of a status, of which Flask takes a text, too."""
    if isinstance(status, str | bytes | bytearray):
        return int(status[:3]) if status[:3].isdigit() else 0
    return int(status)
