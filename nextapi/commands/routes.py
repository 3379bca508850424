"""`nextapi routes`: what a tree answers, as a table, or as a document for other programs, the route manifest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TextIO

from nextapi.app import Application, Route
from nextapi.commands.colours import BOLD, DIM, paint
from nextapi.commands.matchers import read_rules
from nextapi.commands.mounts import MountedTree, shown
from nextapi.handlers.config import PageOptions
from nextapi.handlers.cors import by_policy
from nextapi.handlers.segment import SegmentConfig
from nextapi.routing.scan import IgnoredFile, scan_root

__all__ = ["print_routes"]

_HEAD = ("URL", "KIND", "METHODS", "NAME", "FILE")


def print_routes(trees: Sequence[MountedTree], out: TextIO, as_json: bool, with_ignored: bool) -> int:
    """Write the routes of `trees`, and what below `pages` and `app` is none if asked for.

    Raises `TreeError` for a faulty tree.
    """
    found = [(tree, tree.build(), _ignored(tree) if with_ignored else []) for tree in trees]
    if as_json:
        document: dict[str, Any] = {
            "version": 1,
            "middleware": [entry for tree, application, _ in found for entry in _middleware(tree, application)],
            "routes": [_as_json(tree, route) for tree, application, _ in found for route in application.routes],
        }
        if with_ignored:
            document["ignored"] = [
                {"root": str(tree.root), "file": file.relative_to(tree.root).as_posix(), "reason": reason}
                for tree, _, ignored in found
                for file, reason in ignored
            ]
        out.write(json.dumps(document, indent=2) + "\n")
        return 0
    for tree, application, ignored in found:
        if len(trees) > 1:
            out.write(paint(out, BOLD, f"{shown(tree.root)}, mounted at {tree.prefix or '/'}") + "\n")
        for entry in _middleware(tree, application):
            sources = (
                "all paths" if entry["matcher"] is None else ", ".join(rule["source"] for rule in entry["matcher"])
            )
            out.write(f"{shown(tree.root / entry['file'])} stands before {sources}\n\n")
        _write_table(out, _table(tree, application.routes))
        if with_ignored:
            out.write("\n" + paint(out, DIM, "No routes:") + "\n")
            _write_table(out, [(f"  {shown(file)}", reason) for file, reason in ignored], has_head=False)
    return 0


def _ignored(tree: MountedTree) -> list[IgnoredFile]:
    scan = scan_root(tree.root, tree.options.page_extensions)
    return [entry for entry in scan.ignored if entry.file.name != "__pycache__"]


def _table(tree: MountedTree, routes: Sequence[Route]) -> list[tuple[str, ...]]:
    """Return the lines of the table; middleware of folders has a column where there is any."""
    rows = [(*_HEAD, "MIDDLEWARE"), *(_row(tree, route) for route in routes)]
    return rows if any(route.middleware for route in routes) else [row[:-1] for row in rows]


def _row(tree: MountedTree, route: Route) -> tuple[str, ...]:
    endpoint = route.endpoint
    return (
        tree.prefix + route.pattern,
        endpoint.kind,
        ",".join(endpoint.methods) if endpoint.methods else "any",
        tree.namespace + route.name,
        shown(route.file),
        " ".join(file.relative_to(tree.root).as_posix() for file in route.middleware),
    )


# The manifest


def _middleware(tree: MountedTree, application: Application) -> list[dict[str, Any]]:
    if application.middleware is None:
        return []
    file = application.middleware.file
    rules = read_rules(tree.root, file)
    matcher = None if rules is None else [{**rule._asdict()} for rule in rules]
    return [{"root": str(tree.root), "prefix": tree.prefix, "file": file.name, "matcher": matcher}]


def _as_json(tree: MountedTree, route: Route) -> dict[str, Any]:
    endpoint = route.endpoint
    options = endpoint.options
    segment = options if isinstance(options, SegmentConfig) else None
    pages = options if isinstance(options, PageOptions) and endpoint.kind == "pages" else None
    # The web dialect reads a body when it is asked to.
    body_limit = pages.body_limit if pages else (segment and segment.body_limit) or tree.options.max_body_size
    return {
        "root": str(tree.root),
        "prefix": tree.prefix,
        "pattern": route.pattern,
        "kind": endpoint.kind,
        "methods": list(endpoint.methods) if endpoint.methods else None,
        "name": tree.namespace + route.name,
        "file": route.file.relative_to(tree.root).as_posix(),
        "params": list(route.param_names),
        "middleware": [file.relative_to(tree.root).as_posix() for file in route.middleware],
        "guarded": route.is_guarded,
        "cors": [{"methods": methods, **policy.describe()} for policy, methods in by_policy(route.policies)],
        "body_limit": body_limit.size if body_limit else None,
        "response_limit": pages.response_limit if pages else None,
        "runtime": options.runtime,
        "regions": list(options.regions),
        "max_duration": options.max_duration,
        "dynamic": segment.dynamic if segment else None,
        "revalidate": segment.revalidate if segment else None,
    }


def _write_table(out: TextIO, rows: Sequence[tuple[str, ...]], has_head: bool = True) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for index, row in enumerate(rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        out.write((paint(out, DIM, line) if has_head and index == 0 else line) + "\n")
