"""What handlers under test note, in its order; a route file imports it like any module."""

from __future__ import annotations

ENTRIES: list[str] = []

note = ENTRIES.append
