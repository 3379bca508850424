"""Trees of route files, written for a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent, indent

NAMED = {
    "index": "res.end()",
    "post/[pid]": "res.end()",
    "docs/[...slug]": "res.end()",
    "opt/[[...slug]]": "res.end()",
    "data.json": "res.end()",
    "x/[some-id]": "res.end()",
}
"""Files of every kind of name that a route can have, for url_for and reverse."""


def route(body: str, config: object = None, before: str = "") -> str:
    """Return the text of a route file whose handler has `body`."""
    head = f"{dedent(before)}\nconfig = {config or {}!r}\n"
    return f"{head}\n\ndef handler(req, res):\n{indent(dedent(body).strip(), '    ')}\n"


def async_route(body: str, config: object = None, before: str = "") -> str:
    """Return the text of a route file whose `async def` handler has `body`; asyncio is imported."""
    return route(body, config, f"import asyncio\n{dedent(before)}").replace("\ndef handler", "\nasync def handler")


def write_tree(root: Path, files: Mapping[str, str]) -> Path:
    """Write files below `root/pages/api`, by name without ".py"; a handler's body stands for a whole file."""
    for name, text in files.items():
        file = root / "pages" / "api" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text if "def handler" in text else route(text))
    return root


def write_files(root: Path, files: Mapping[str, str]) -> Path:
    """Write files below `root`, by their paths."""
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).lstrip())
    return root
