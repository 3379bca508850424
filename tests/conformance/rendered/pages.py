"""What the recorded pages say, for the views of the three hosts: the ports of `pages/isr/`, `ssr.js` and `plain.js`."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from html import escape
from itertools import count
from pathlib import Path

from nextapi import draft_mode

__all__ = ["INDEX", "PLAIN", "PRIVATE", "ROOT", "isr", "ssr"]

ROOT = str(Path(__file__).parents[1] / "web")
"""The tree that each app mounts."""

PRIVATE = "private, no-cache, no-store, max-age=0, must-revalidate"
"""What Next says of a page that is made for each request."""

# /isr/one is made when the app is built, by another process: the numbers begin after it.
_renders = defaultdict(lambda: count(1), one=count(0))


def isr(slug: str) -> str:
    """Return /isr/<slug>, the time that it is made in it; raise where its data cannot be had."""
    n = next(_renders[slug])
    if slug == "broken" and n > 1:
        raise RuntimeError("its data cannot be had")
    why = "stale" if n else "build"
    return _page(f"ISR {slug} render {n or 1} why {why} preview {_json(list(_draft().values()))}")


def ssr(query: Mapping[str, str]) -> str:
    """Return /ssr."""
    return _page(_json({"query": query, **_draft()}))


def _draft() -> dict[str, object]:
    draft = draft_mode()
    if draft.is_enabled:
        return {"preview": True, "previewData": draft.preview_data, "draftMode": True}
    return {"preview": None, "previewData": None, "draftMode": None}


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _page(text: str) -> str:
    return f"<!doctype html>\n<title>A page</title>\n<p>{escape(text)}</p>\n"


INDEX = _page("isr index")
PLAIN = _page("static page")
