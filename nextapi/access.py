"""A line of the log for each request: the logger "nextapi.access", which is off until its own level is set to INFO.

What a line holds of the client's is checked first: nothing that is sent can look like a line, or like another field.
"""

from __future__ import annotations

import logging
import re
from time import perf_counter
from uuid import uuid4

from nextapi.http.message import Request
from nextapi.text import TOKEN

__all__ = ["LOGGER", "log_access"]

LOGGER = logging.getLogger("nextapi.access")

_METHOD = re.compile(TOKEN)
_REQUEST_ID = re.compile(r"[0-9A-Za-z._:+/=@-]{1,128}")


def log_access(request: Request, pattern: str | None, status: int, began: float) -> None:
    """Log a request to the route of `pattern`, None for none, that was answered or has failed.

    `status` is 0 where only the server knows it; `began` is when the request did, by `perf_counter`, and the line has
    the milliseconds since. The request's id is its X-Request-ID header, or else made here; the parts of the line are on
    the record as `route`, `status`, `duration_ms` and `request_id`, too.
    """
    duration = (perf_counter() - began) * 1000
    given = request.headers.get("x-request-id", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
    method = request.method if _METHOD.fullmatch(request.method) else "?"
    route = pattern or "-"
    parts = {"route": route, "status": status, "duration_ms": duration, "request_id": request_id}
    LOGGER.info("%s %s %s %.1f ms %s", method, route, status or "-", duration, request_id, extra=parts)
