"""What every contestant serves: three routes that are measured, and a hundred others around them."""

from __future__ import annotations

from typing import Any

__all__ = ["HELLO", "NOTES", "OTHERS", "POST", "RESOURCES", "greeting", "other"]

HELLO, POST, NOTES = "/api/hello", "/api/post/[pid]", "/api/notes"
"""The measured routes, as Next writes patterns: a static GET, a dynamic GET, a POST of JSON."""

# fmt: off
RESOURCES = (
    "accounts", "albums", "articles", "books", "cities", "clients", "courses", "devices", "events", "files",
    "groups", "invoices", "jobs", "lists", "messages", "orders", "photos", "projects", "tickets", "users",
)
# fmt: on

OTHERS = [
    f"/api/{resource}{rest}"
    for resource in RESOURCES
    for rest in ("", "/search", "/[id]", "/[id]/comments", "/[id]/comments/[comment]")
]
"""The others: 40 static ones, 60 dynamic ones."""


def greeting() -> dict[str, Any]:
    """Return the answer of the static GET."""
    return {"name": "John Doe"}


def other(pattern: str) -> dict[str, Any]:
    """Return the answer of one of the others, which tells them apart."""
    return {"route": pattern}
