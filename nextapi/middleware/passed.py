"""What middleware has said of a request, and how the answer gets what that has set."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nextapi.http.message import Response
from nextapi.web.headers import Headers

__all__ = ["Passed", "merge"]

# What belongs to the answer that there is.
_ANSWERS_OWN = frozenset({"content-length", "content-type", "etag", "last-modified", "location"})


@dataclass(slots=True)
class Passed:
    """How a request goes on behind the middleware of the file `place`, or the `answer` that it was given there.

    `headers` and `status` are for the answer, `request_headers` for the handler, `target` is the URL to go on to.
    """

    place: Path
    answer: Response | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    status: int = 200
    request_headers: Headers | None = None
    target: str | None = None
    kind: str | None = None
    """Of which kind the route is that has answered, as `merge` takes it; None for any other answer."""
    is_exact: bool = True
    """Whether all read the path as middleware did; else a tree behind it asks again, for the path that it reads."""


def merge(passed: Passed, response: Response) -> None:
    """Add what middleware has set to the answer, as Next does for one of its `kind`.

    Cookies of both are sent, middleware's first, and Vary names what both do. Of a header that both set, the answer of
    a pages route has the handler's, that of a route handler middleware's, that of an edge route both lines.
    """
    own, kind = passed.headers, passed.kind
    if passed.status != 200 and response.status == 200:
        response.set_status(passed.status)
    if not own:
        return
    theirs = {name.lower() for name, _ in response.headers}
    dropped: set[str] = set()
    added = []
    for name, value in own:
        if name == "set-cookie":
            added.append((name, value))
        elif name == "vary":
            continue
        elif name not in theirs:
            if name != "content-type" or response.status not in (204, 304):
                added.append((name, value))
        elif name not in _ANSWERS_OWN:
            if kind == "route":
                dropped.add(name)
                added.append((name, value))
            elif kind == "edge" and not name.startswith("access-control-"):  # browsers refuse two
                added.append((name, value))
    if vary := _varies(own):
        dropped.add("vary")
        fields = {field.lower(): field for field in [*vary, *_varies(response.headers)]}
        added.append(("vary", ", ".join(fields.values())))
    cookies = {value for name, value in own if name == "set-cookie"}
    rest = [
        (name, value)
        for name, value in response.headers
        if name.lower() not in dropped and not (name.lower() == "set-cookie" and value in cookies)
    ]
    response.headers = [*added, *rest]


def _varies(headers: list[tuple[str, str]]) -> list[str]:
    """Return the names of headers in all Vary lines."""
    lines = [value for name, value in headers if name.lower() == "vary"]
    return [field.strip() for line in lines for field in line.split(",") if field.strip()]
