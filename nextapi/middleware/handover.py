"""A request goes on from middleware to a WSGI application behind it: the fallback of a tree, or the host that
`nextapi.adapters.wsgi.Middleware` stands before.

What middleware has said becomes part of the environ, and what it has set part of the answer, which is not held up: the
application may do all that PEP 3333 allows. A tree mounted in that application finds in the environ what was said, and
does not ask the same middleware again. So a page cache between the two has a tree's pages without what was set for one
request, and its answers get it, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from nextapi.http.message import Request, Response
from nextapi.middleware.passed import Passed, merge
from nextapi.web.request import environ_of

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["HANDED_OVER", "AddedOutside", "HandedOver", "go_on", "handed_over", "is_added_outside"]

HANDED_OVER = "nextapi.passed"
"""No header has this key: those begin with HTTP_. Only a `HandedOver` or an `AddedOutside` counts there."""

# How the body is framed is the connection's to say, whatever headers the request goes on with.
_KEPT = ("CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING")


class HandedOver:
    """What a tree behind middleware is told: `passed` is what is left of what that has said, headers and status of the
    answer.

    `places` are the files of the middleware that have seen the request. `client` is the request as it was sent, and
    `sent` its whole path and query where middleware has led it elsewhere.
    """

    __slots__ = ("client", "passed", "places", "sent", "state")

    def __init__(
        self,
        passed: Passed,
        places: frozenset[Path],
        client: Request,
        sent: tuple[str, str] | None,
        state: SimpleNamespace,
    ) -> None:
        self.passed = passed
        self.places = places
        self.client = client
        self.sent = sent
        self.state = state

    @property
    def is_plain(self) -> bool:
        """Whether middleware has left nothing for handlers that could be about who asks."""
        return not any(vars(self.state).values())

    def tell(self, request: Request) -> None:
        """Have a request of the tree know what it was before."""
        request.client, request.state = self.client, self.state

    def lead(self, request: Request) -> None:
        """Have a request know which path and query the client asked for."""
        if self.sent is None or request.sent is not None:
            return
        path, query_string = self.sent
        if path.startswith(f"{request.prefix}/"):
            request.sent = path[len(request.prefix) :], query_string
        else:
            request.prefix, request.sent = "", self.sent  # it was not below the mount


class AddedOutside(frozenset[Path]):
    """Files of middleware before a page cache, in the environ of a request that the cache has made up: they are asked,
    but what they set is added to each answer that is served, and is no part of the page.
    """


def is_added_outside(passed: Passed, environ: WSGIEnvironment) -> bool:
    """Say whether what middleware has set is added to the answer before the application that this request is in."""
    found = environ.get(HANDED_OVER)
    return (
        passed.place in found
        if isinstance(found, AddedOutside)
        else isinstance(found, HandedOver) and found.passed is passed
    )


def handed_over(environ: WSGIEnvironment) -> HandedOver | None:
    """Return what middleware before the host has handed over with a request, None where there was none for it."""
    found = environ.get(HANDED_OVER)
    return found if isinstance(found, HandedOver) else None


def go_on(
    application: WSGIApplication,
    request: Request,
    passed: Passed,
    environ: WSGIEnvironment,
    start_response: StartResponse,
) -> Iterable[bytes]:
    """Call a WSGI application with a request as middleware has let it pass, and add what that set to the answer.

    `environ` is the request's, and is left as it is.
    """
    handed = _hand_over(request, passed)
    environ = _changed(environ, request, passed)
    environ[HANDED_OVER] = handed

    def start_merged(status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None, /) -> Any:
        code, _, reason = status.partition(" ")
        answer = Response(int(code), list(headers), b"", reason)
        merge(handed.passed, answer)
        status, headers = answer.status_line, answer.headers
        return start_response(status, headers, exc_info) if exc_info is not None else start_response(status, headers)

    return application(environ, start_merged)


def _hand_over(request: Request, passed: Passed) -> HandedOver:
    before = handed_over(request.environ)
    places = before.places if before else frozenset()
    if passed.is_exact or passed.target is not None:
        places |= {passed.place}
    sent = before.sent if before else None
    if sent is None and passed.target is not None and request.sent is not None:
        sent = request.prefix + request.sent[0], request.sent[1]
    left = Passed(passed.place, headers=passed.headers, status=passed.status)
    return HandedOver(left, places, before.client if before else request, sent, request.state)


def _changed(environ: WSGIEnvironment, request: Request, passed: Passed) -> WSGIEnvironment:
    environ = dict(environ)
    if passed.request_headers is not None:
        # Without a Host, applications make URLs of the server's name.
        kept = _KEPT if "host" in passed.request_headers else (*_KEPT, "HTTP_HOST")
        for name in [*environ]:
            if (name.startswith("HTTP_") or name == "CONTENT_TYPE") and name not in kept:
                del environ[name]
        given = environ_of(passed.request_headers)
        environ |= {name: value for name, value in given.items() if name not in _KEPT}
    path = unquote_to_bytes(request.path).decode("latin-1")
    if passed.target is not None or path != environ.get("PATH_INFO", ""):
        environ["PATH_INFO"] = path
        environ["QUERY_STRING"] = request.query_string
        query = f"?{request.query_string}" if request.query_string else ""
        for name in ("RAW_URI", "REQUEST_URI"):
            if name in environ:
                environ[name] = f"{request.prefix}{request.path}{query}"
    body = request.body
    if body is not None and body.is_kept:
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = body.open(), str(body.length)
    return environ
