"""`nextapi routes`: what a tree answers, as a table or as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TextIO

from nextapi.app import Route
from nextapi.commands.colours import BOLD, DIM, paint
from nextapi.commands.mounts import MountedTree, shown
from nextapi.routing.scan import IgnoredFile, scan_root

__all__ = ["print_routes"]

_HEAD = ("URL", "KIND", "METHODS", "NAME", "FILE")


def print_routes(trees: Sequence[MountedTree], out: TextIO, as_json: bool, with_ignored: bool) -> int:
    """Write the routes of `trees`, and what below `pages` is none if asked for; raise `TreeError` for a faulty tree."""
    found = [(tree, tree.build().routes, _ignored(tree) if with_ignored else []) for tree in trees]
    if as_json:
        document: dict[str, Any] = {
            "version": 1,
            "routes": [_as_json(tree, route) for tree, routes, _ in found for route in routes],
        }
        if with_ignored:
            document["ignored"] = [
                {"root": str(tree.root), "file": file.relative_to(tree.root).as_posix(), "reason": reason}
                for tree, _, ignored in found
                for file, reason in ignored
            ]
        out.write(json.dumps(document, indent=2) + "\n")
        return 0
    for tree, routes, ignored in found:
        if len(trees) > 1:
            out.write(paint(out, BOLD, f"{shown(tree.root)}, mounted at {tree.prefix or '/'}") + "\n")
        _write_table(out, [_HEAD, *(_row(tree, route) for route in routes)])
        if with_ignored:
            out.write("\n" + paint(out, DIM, "No routes:") + "\n")
            _write_table(out, [(f"  {shown(file)}", reason) for file, reason in ignored], has_head=False)
    return 0


def _ignored(tree: MountedTree) -> list[IgnoredFile]:
    scan = scan_root(tree.root, tree.options.page_extensions)
    return [entry for entry in scan.ignored if entry.file.name != "__pycache__"]


def _row(tree: MountedTree, route: Route) -> tuple[str, ...]:
    return tree.prefix + route.pattern, "pages", "any", tree.namespace + route.name, shown(route.file)


def _as_json(tree: MountedTree, route: Route) -> dict[str, Any]:
    options = route.endpoint.options
    return {
        "root": str(tree.root),
        "prefix": tree.prefix,
        "pattern": route.pattern,
        "kind": "pages",
        "methods": None,
        "name": tree.namespace + route.name,
        "file": route.file.relative_to(tree.root).as_posix(),
        "params": list(route.param_names),
        "guarded": route.is_guarded,
        "body_limit": options.body_limit.size if options.body_limit else None,
        "response_limit": options.response_limit,
    }


def _write_table(out: TextIO, rows: Sequence[tuple[str, ...]], has_head: bool = True) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for index, row in enumerate(rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        out.write((paint(out, DIM, line) if has_head and index == 0 else line) + "\n")
