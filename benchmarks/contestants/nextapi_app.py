"""nextapi on its own: a tree of files, and `create_app` on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.routes import HELLO, NOTES, OTHERS, POST, greeting, other
from nextapi.adapters import wsgi

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["create_app", "write_tree"]

_CONSTANT = """
def handler(req, res):
    res.json({!r})
"""

_POST = """
def handler(req, res):
    res.json({"params": req.params, "query": req.query})
"""

_NOTES = """
def handler(req, res):
    res.status(201).json({**req.body, "id": 7})
"""


def write_tree(folder: Path) -> None:
    """Write a file for each route below `folder`."""
    texts = {HELLO: _CONSTANT.format(greeting()), POST: _POST, NOTES: _NOTES}
    texts |= {pattern: _CONSTANT.format(other(pattern)) for pattern in OTHERS}
    for pattern, text in texts.items():
        file = folder / f"pages{pattern}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.lstrip())


def create_app(folder: Path) -> WSGIApplication:
    """Return the application of the tree in `folder`."""
    return wsgi.create_app(folder)
