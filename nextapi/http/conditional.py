"""ETag and If-None-Match (RFC 9110, 8.8.3 and 13.1.2), decided as Next decides them (npm `fresh`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b

__all__ = ["is_fresh", "strong_etag"]

_NO_CACHE = re.compile(r"(?:^|,)\s*no-cache\s*(?:,|$)")


def strong_etag(body: bytes) -> str:
    """Return a strong entity tag for `body`, the same in every process.

    Next's is an FNV-1a hash and the length. In Python FNV-1a costs more than the rest of a request.
    """
    return f'"{blake2b(body).hexdigest()[:24]}"'  # a keyword, such as a size, costs as much as the hash


def is_fresh(headers: Mapping[str, str], etag: str) -> bool:
    """Say whether a request with `headers` already has what `etag` names, so that 304 is the answer.

    If-Modified-Since is never enough, and with it nothing is fresh: an API answer has no Last-Modified of its own.
    """
    none_match = headers.get("if-none-match")
    if not none_match or headers.get("if-modified-since") or _NO_CACHE.search(headers.get("cache-control", "")):
        return False
    if none_match == "*":
        return True
    opaque = etag.removeprefix("W/")
    return any(tag.strip(" ").removeprefix("W/") == opaque for tag in none_match.split(","))
