"""Every exception that nextapi raises, as one tree.

NextApiError
├── TreeError            all faults of a tree, found when it was built (an ExceptionGroup)
├── BuildError             one fault; `files` are the files at fault
│   ├── RootError          the root folder is missing or has nothing to serve
│   ├── SegmentError       a file or folder name that is no segment
│   ├── ConflictError      two files that cannot both be routes
│   ├── LoadError          a module that could not be imported
│   ├── HandlerError       no handler, or one that cannot be called
│   └── ConfigError        a `config` that says what nothing understands
├── CommandError           a command that cannot do what it was asked to
├── OptionError            an option of `create_app` and its like that is unknown or ill-typed
├── HTTPError              an answer to the client, raised instead of returned
│   └── BodyError          the body cannot be read as what it says it is
├── DraftError             draft mode cannot be set: no secret, no library, too much data
├── BodyGoneError          the host has read the body, and it cannot be had again
├── BodyUsedError          a body that was read before: it is read once
├── ScopeError             `cookies()` and its like where no request is answered
├── ExtraError             a library that comes with an extra is not installed
├── FetchError             `fetch` got no answer, or not all of it
│   └── FetchTimeoutError    it did not come in time
├── DynamicError           a route that is to be the same for all asked who it is for
├── RewriteError           middleware rewrites to where nothing here can lead
├── AnsweredError          the response was already sent, or its headers were
├── NoAnswerError          a handler returned without answering, or what is none
├── CallNextError          folder middleware calls `call_next` as it cannot be called
├── HeaderError            a header name or value that must not go on the wire
├── ReadonlyHeadersError   a change of headers that can be read alone
├── StatusError            a status code that is none
├── RedirectError          arguments of `res.redirect` that name no place to go
├── RevalidateError        a page that cannot be made anew, or an argument that is no path
├── StoreError             the store of a page cache cannot be read or written
│   └── EntrySizeError     a value that is larger than the store takes
├── SerializationError     a value that JSON has no text for
├── EventError             what no server-sent event, or stream of them, can be made of
├── CorsError              a CORS policy that browsers refuse, or that nothing is meant by
└── URLError               text that is no URL
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Self, cast

__all__ = [
    "AnsweredError",
    "BodyError",
    "BodyGoneError",
    "BodyUsedError",
    "BuildError",
    "CallNextError",
    "CommandError",
    "ConfigError",
    "ConflictError",
    "CorsError",
    "DraftError",
    "DynamicError",
    "EntrySizeError",
    "EventError",
    "ExtraError",
    "FetchError",
    "FetchTimeoutError",
    "HTTPError",
    "HandlerError",
    "HeaderError",
    "LoadError",
    "NextApiError",
    "NoAnswerError",
    "OptionError",
    "ReadonlyHeadersError",
    "RedirectError",
    "RevalidateError",
    "RewriteError",
    "RootError",
    "ScopeError",
    "SegmentError",
    "SerializationError",
    "StatusError",
    "StoreError",
    "TreeError",
    "URLError",
    "nearest",
]


class NextApiError(Exception):
    """The root of all errors of nextapi."""


class BuildError(NextApiError):
    """One fault of a tree; `files` are the files that it is about."""

    def __init__(self, message: str, *files: Path) -> None:
        super().__init__(message)
        self.files = files


class RootError(BuildError):
    """The root folder is missing, or holds no `pages` folder."""


class SegmentError(BuildError):
    """A file or folder name that cannot be a segment of a URL pattern."""


class ConflictError(BuildError):
    """Two or more files that cannot both be routes."""


class LoadError(BuildError):
    """A module that could not be imported; the reason is its `__cause__`."""


class HandlerError(BuildError):
    """A module without a handler, or with one that cannot be called as it will be."""


class ConfigError(BuildError):
    """A `config` with an unknown key, or a value of the wrong kind."""


class TreeError(ExceptionGroup[BuildError], NextApiError):
    """All faults of one tree, in `exceptions`; `filename` is the first's, which Django's reloader then watches."""

    @property
    def filename(self) -> str | None:
        """The file of the first fault that has one."""
        return next((str(file) for fault in self.exceptions for file in getattr(fault, "files", ())), None)

    def derive(self, excs: Sequence[BuildError]) -> TreeError:  # type: ignore[override]  # typeshed: any exception
        return TreeError(self.message, excs)


class CommandError(NextApiError):
    """A command of the command line that cannot do what it was asked to: its exit code is 2."""


class OptionError(NextApiError, TypeError):
    """An option that is unknown, or a value that it cannot have."""


class HTTPError(NextApiError):
    """An answer to the client, raised by a handler or a helper.

    `status` is the HTTP status code, 200 to 999, else `StatusError`; `message` the text that the client gets; `headers`
    further headers, a dict or pairs; `reason` the reason phrase where it is not to be the standard one. A `TypeError`
    says which of them is of the wrong type.
    """

    def __init__(
        self,
        status: int,
        message: str,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        *,
        reason: str = "",
    ) -> None:
        pairs: tuple[tuple[str, str], ...] = tuple(
            cast("Mapping[str, str]", headers).items() if isinstance(headers, Mapping) else headers
        )
        if not isinstance(status, int) or not 200 <= status <= 999:
            raise StatusError(f"Invalid status code: {status!r}")
        if not isinstance(message, str):
            raise TypeError(f"the message of an HTTPError is text, not {message!r}: res.json() sends other values")
        if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):
            raise TypeError(f"the headers of an HTTPError are a dict or (name, value) pairs, not {headers!r}")
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = pairs
        self.reason = reason

    def with_headers(self, headers: Iterable[tuple[str, str]]) -> Self:
        """Return the same with other headers; this one may be raised for other requests, too."""
        made = type(self).__new__(type(self))
        vars(made).update(vars(self))
        made.args, made.headers = self.args, tuple(headers)
        return made


class BodyError(HTTPError, ValueError):
    """The request's body is too large, or cannot be read as what its Content-Type says."""


class DraftError(NextApiError, RuntimeError):
    """Draft mode or preview data cannot be set: there is no secret, or no library, or the data are too large."""


class BodyGoneError(NextApiError, RuntimeError):
    """The host has read the body before nextapi could, in a way that leaves nothing of it."""


class BodyUsedError(NextApiError, TypeError):
    """The body of a request or a response was read before."""

    def __init__(self) -> None:
        super().__init__("Body is unusable: Body has already been read")
        self.add_note("a body is read once: call clone() before to read it twice")


class ScopeError(NextApiError, RuntimeError):
    """A function that is about the request that is answered was called where none is."""


class DynamicError(NextApiError, RuntimeError):
    """A route with `dynamic = "error"` has asked for cookies or headers."""


class RewriteError(NextApiError, RuntimeError):
    """Middleware has rewritten a request to a place that cannot be led to from here."""


class ExtraError(NextApiError, ImportError):
    """A library that an extra brings is not installed; the message says how to."""


class FetchError(NextApiError, OSError):
    """`fetch` got no answer, or lost the server while the body was read; the message names the server's origin alone.

    Where Fetch has a `TypeError`, this is an `OSError`: in Python that is what a network's failures are.
    """


class FetchTimeoutError(FetchError, TimeoutError):
    """`fetch` waited as long as `timeout` says, in vain."""


class AnsweredError(NextApiError, RuntimeError):
    """The response was already sent, or a header was set after its body had begun."""


class NoAnswerError(NextApiError, RuntimeError):
    """A handler returned without answering, or what is no answer."""


class CallNextError(NextApiError, RuntimeError):
    """`call_next` was called twice, too late, without `await` where it is needed, or with a foreign request."""


class HeaderError(NextApiError, TypeError):
    """A header name or value with a character that must not go on the wire (RFC 9110, 5.1 and 5.5).

    A `TypeError`, as Node raises one: `message` and `code` are Node's, `value` is what was given.
    """

    def __init__(self, message: str, value: object, code: str = "ERR_INVALID_CHAR") -> None:
        super().__init__(f"{message}: {value!r}")
        self.message = message
        self.value = value
        self.code = code


class ReadonlyHeadersError(NextApiError, TypeError):
    """A change of headers that can be read alone (Next's error of this name)."""

    def __init__(self) -> None:
        super().__init__(
            "Headers cannot be modified. Read more: https://nextjs.org/docs/app/api-reference/functions/headers"
        )


class StatusError(NextApiError, ValueError):
    """A status code outside 200 to 999."""

    code = "ERR_HTTP_INVALID_STATUS_CODE"


class RedirectError(NextApiError, ValueError):
    """Arguments of `res.redirect` that name no place to go."""


class RevalidateError(NextApiError, ValueError):
    """A page that could not be made anew, or an argument that is no path of a page."""


class StoreError(NextApiError, OSError):
    """The store of a page cache cannot be read or written; the message says which, and why."""


class EntrySizeError(StoreError):
    """A value that is larger than the store of a page cache takes; the message says both sizes."""


class SerializationError(NextApiError, TypeError):
    """A value that JSON has no text for; the message names its place in the whole."""


class EventError(NextApiError, TypeError):
    """What no server-sent event, or stream of them, can be made of."""


class CorsError(NextApiError, ValueError):
    """A CORS policy that browsers refuse, or that nothing is meant by."""


class URLError(NextApiError, ValueError):
    """Text that is no URL, or a relative URL without a base; the message says what is wrong with it."""


def nearest(word: str, known: tuple[str, ...]) -> str:
    """Return a hint at what `word` may have been meant for: "; did you mean 'api'?", or what there is."""
    by_fold = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.5)
    return f"; did you mean '{by_fold[close[0]]}'?" if close else f"; there is {', '.join(known)}"
