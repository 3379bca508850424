"""Flask's request and response, and nextapi's."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

import flask
from werkzeug.wsgi import ClosingIterator

from nextapi.errors import BodyGoneError
from nextapi.http.message import Body, Relayed, Request, Response, read_fully
from nextapi.http.query import encode_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["call_on_close", "new_response_class", "to_body", "to_request", "to_response"]


def to_request(request: flask.Request, prefix: str, path: str) -> Request:
    """Return Flask's request as nextapi's: `path` is below the mount, `prefix` before it, both as they were sent."""
    query_string = request.environ.get("QUERY_STRING", "")
    return Request(request.method, path, query_string, request.environ, to_body(request), request, prefix)


def to_body(request: flask.Request) -> Body | None:
    """Return the body, from where the host has read it if it has; else Flask keeps what is read, for the host.

    A body without Content-Length, which may be of any size, is read past Flask, and not kept.
    """
    data = getattr(request, "_cached_data", None)
    if data is None and "form" in vars(request):
        # The host asked for the form first. werkzeug does not keep the bytes of a form; other bodies it leaves unread.
        if request.mimetype == "multipart/form-data":
            form = list(request.form.items(multi=True)), list(request.files.items(multi=True))
            return Body(request.content_length, _gone, lambda: BytesIO(_gone()), form)
        if request.mimetype == "application/x-www-form-urlencoded":
            data = encode_pairs(request.form.items(multi=True)).encode()
    if data is not None:
        return Body(len(data), BytesIO(data).read, lambda: BytesIO(data)) if data else None
    length = request.content_length
    if length is None:
        if not request.environ.get("wsgi.input_terminated"):
            return None
        return Body(None, partial(read_fully, request.stream), lambda: request.stream)
    if not length:
        return None
    was_touched = "stream" in vars(request)

    def read(_: int) -> bytes:
        data = request.get_data()
        return _gone() if was_touched and len(data) < length else data

    return Body(length, read, lambda: request.stream)


def _gone(_: int = 0) -> bytes:
    raise BodyGoneError(
        "the app read this body before nextapi could: take it from where the app has it, such as req.raw.form and "
        'req.raw.files, and set config = {"api": {"bodyParser": False}}; or read it by request.get_data(), '
        "which keeps it"
    )


def new_response_class(host_class: type[flask.Response]) -> type[flask.Response]:
    """Return the app's class of responses without what it adds to headers that are complete."""

    class NextapiResponse(host_class):  # type: ignore[misc,valid-type]  # a class that is known when it runs
        default_mimetype = None
        automatically_set_content_length = False

        def get_wsgi_headers(self, environ: Any) -> Any:
            return self.headers

    return NextapiResponse


def to_response(response: Response, request: Request, response_class: type[flask.Response]) -> flask.Response:
    """Return nextapi's response as Flask's, of the class that the mount made for it; one that is no bytes finishes the
    request at its end.
    """
    body = response.body
    if isinstance(body, bytes):
        made = response_class(body, response.status_line, response.headers)
        made.automatically_set_content_length = True  # from now on, for who changes the body
        return made
    if isinstance(body, Relayed):
        made = cast("flask.Response", body.response)
        if not request.closers:
            return made
    else:
        try:
            body.begin()
        except BaseException:
            request.close()
            raise
        made = response_class(flask.stream_with_context(iter(body)), response.status_line, response.headers)
        if request.afters is None:  # what asks for work from now on has it done by what follows, behind the last chunk
            request.afters = []
    call_on_close(made, request.finish)
    return made


def call_on_close(response: flask.Response, function: Callable[[], object]) -> None:
    """Have a function called when a response has been sent."""
    if response.direct_passthrough:  # what it has of a file is the server's, which closes that alone
        response.response = ClosingIterator(response.response, function)  # type: ignore[arg-type]  # bytes, to a server
    else:
        response.call_on_close(function)
