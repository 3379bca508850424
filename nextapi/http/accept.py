"""The Accept header (RFC 9110, 12.5.1), as far as errors ask for it."""

from __future__ import annotations

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

__all__ = ["prefers_json"]

_JSON_TYPES = frozenset({"application/json", "application/problem+json"})


def prefers_json(accept: str | None) -> bool:
    """Say whether the client names a JSON type and no other that it would rather have; `*/*` names nothing."""
    if not accept:
        return False
    ranges = [
        (value.partition(";")[0].strip().lower(), quality) for value, quality in parse_accept_header(accept, MIMEAccept)
    ]
    best_json = max((quality for value, quality in ranges if value in _JSON_TYPES), default=0)
    return best_json > 0 and all(quality <= best_json for value, quality in ranges if value != "*/*")
