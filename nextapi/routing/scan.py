"""A folder of files becomes URL patterns. Nothing is imported here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nextapi.errors import SegmentError
from nextapi.routing.segments import Segment, parse_segment

__all__ = ["RouteFile", "Scan", "scan_pages"]

_NO_ROUTE = re.compile(r"[_.].*|test_.*\.[^.]+|.*_test\.[^.]+|conftest\.[^.]+")


class RouteFile(NamedTuple):
    """A file that is a route, and the URL pattern that its place says."""

    pattern: tuple[Segment, ...]
    file: Path


class Scan(NamedTuple):
    """The routes of a folder in order of their files, and the names in it that say no pattern."""

    routes: list[RouteFile]
    faults: list[SegmentError]


def scan_pages(pages: Path, extensions: tuple[str, ...]) -> Scan:
    """Scan `pages/api`: files that end in one of `extensions` (Next's `pageExtensions`, without the first dot).

    What starts with `_` or `.` is no route, and tests (`test_*`, `*_test`, `conftest`) are none.
    """
    found = Scan([], [])
    for file, stem in _files(pages / "api", tuple(sorted(extensions, key=len, reverse=True))):
        parts = [*file.parent.relative_to(pages).parts, stem]
        if stem == "index":
            parts.pop()
        try:
            found.routes.append(RouteFile(tuple(map(parse_segment, parts)), file))
        except ValueError as error:
            found.faults.append(SegmentError(f"{file}: {error}", file))
    return found


def _files(folder: Path, extensions: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """Yield the route files below `folder` with their names without the extension."""
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir()):
        if _NO_ROUTE.fullmatch(entry.name):
            continue
        if entry.is_dir():
            yield from _files(entry, extensions)
            continue
        for extension in extensions:
            stem = entry.name.removesuffix("." + extension)
            if stem and stem != entry.name:
                yield entry, stem
                break
