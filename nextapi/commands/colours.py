"""Colours, where a person looks on: on a terminal, unless NO_COLOR is set (no-color.org)."""

from __future__ import annotations

import os
from typing import TextIO

__all__ = ["BOLD", "DIM", "GREEN", "RED", "YELLOW", "paint"]

BOLD, DIM, RED, GREEN, YELLOW = "1", "2", "31", "32", "33"


def paint(out: TextIO, colour: str, text: str) -> str:
    """Return `text` as it is to be written to `out`."""
    return f"\033[{colour}m{text}\033[0m" if out.isatty() and not os.environ.get("NO_COLOR") else text
