"""What a check finds, and what all checks know of syntax trees and of `res`."""

from __future__ import annotations

import ast
from typing import NamedTuple

__all__ = [
    "ANSWERS_TWICE",
    "AWAITS_PLAIN",
    "NEVER_ANSWERS",
    "RETURNING_RES",
    "RETURNS_NO_RESPONSE",
    "RETURNS_PASSAGE",
    "UNKNOWN_PARAMETER",
    "UNUSED_PARAMETER",
    "Finding",
    "Function",
    "parents",
]

NEVER_ANSWERS, ANSWERS_TWICE, AWAITS_PLAIN, UNUSED_PARAMETER = "W001", "W002", "W003", "W004"
RETURNS_NO_RESPONSE, RETURNS_PASSAGE, UNKNOWN_PARAMETER = "W005", "W006", "W007"

_HINTS = {
    NEVER_ANSWERS: "answer on every path: by res.json(), send(), end() or redirect(), in the web dialect by `return "
    "Response(...)`, or raise HTTPError",
    ANSWERS_TWICE: "return once an answer is given",
    AWAITS_PLAIN: "leave the `await` out",
    RETURNS_NO_RESPONSE: "return Response.json(value), or Response(text)",
    RETURNS_PASSAGE: "return a Response, or have middleware.py in the root say it",
    UNKNOWN_PARAMETER: "name it as the file's path does, in brackets",
    UNUSED_PARAMETER: "read it from req.query or req.params, or have a file without it in its path",
}

RETURNING_RES = frozenset({"status", "set_header", "append_header", "write_head"}) | frozenset(
    {"set_draft_mode", "set_preview_data", "clear_preview_data"}
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Finding(NamedTuple):
    """What is wrong at a line of a file: `id` is "W001" and so on."""

    line: int
    id: str
    message: str

    @property
    def hint(self) -> str:
        """What to do about it."""
        return _HINTS[self.id]


def parents(node: ast.AST) -> dict[ast.AST, ast.AST]:
    """Return the node that each node below `node` stands in."""
    return {child: parent for parent in ast.walk(node) for child in ast.iter_child_nodes(parent)}
