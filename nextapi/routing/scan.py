"""A folder of files becomes URL patterns. Nothing is imported here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nextapi.errors import SegmentError
from nextapi.routing.segments import Segment, parse_segment

__all__ = ["RouteFile", "Scan", "scan_pages"]

_TEST = re.compile(r"test_.*|.*_test|conftest")


class RouteFile(NamedTuple):
    """A file that is a route, and the URL pattern that its place says."""

    pattern: tuple[Segment, ...]
    file: Path


class Scan(NamedTuple):
    """The routes of a folder in order of their files, and the names in it that say no pattern."""

    routes: list[RouteFile]
    faults: list[SegmentError]


def scan_pages(pages: Path, extensions: tuple[str, ...]) -> Scan:
    """Scan `pages/api`, and `pages/api.py`, for files that end in one of `extensions` (Next's `pageExtensions`).

    What starts with `_` or `.` is no route, and tests (`test_*`, `*_test`, `conftest`) are none.
    """
    found = Scan([], [])
    longest_first = tuple(sorted(extensions, key=len, reverse=True))
    for file, stem in _files(pages, longest_first):
        parts = [*file.parent.relative_to(pages).parts, stem]
        if parts[0] != "api":
            continue  # a page, which is not nextapi's
        if stem == "index":
            parts.pop()
        try:
            found.routes.append(RouteFile(tuple(map(parse_segment, parts)), file))
        except ValueError as error:
            found.faults.append(SegmentError(f"{file}: {error}", file))
    return found


def _files(folder: Path, extensions: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """Yield the route files below `folder` with their names without the extension."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(("_", ".")):
            continue
        if entry.is_dir():
            if entry.resolve() not in (folder.resolve(), *folder.resolve().parents):  # a link upwards has no end
                yield from _files(entry, extensions)
            continue
        for extension in extensions:
            stem = entry.name.removesuffix("." + extension)
            if stem and stem != entry.name:
                if not _TEST.fullmatch(stem):
                    yield entry, stem
                break
