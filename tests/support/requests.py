"""Django's request, for handlers under test that are not given it: a middleware that notes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_noted: list[Any] = []


def note_request(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a middleware that notes every request."""

    def call(request: Any) -> Any:
        _noted[:] = [request]
        return get_response(request)

    return call


def current() -> Any:
    """Return the request that was noted last."""
    return _noted[0]
