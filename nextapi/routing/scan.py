"""A folder of files becomes URL patterns. Nothing is imported here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nextapi.errors import SegmentError
from nextapi.routing.segments import Segment, parse_segment

__all__ = ["IgnoredFile", "RouteFile", "Scan", "scan_pages"]

_TEST = re.compile(r"test_.*|.*_test|conftest")


class RouteFile(NamedTuple):
    """A file that is a route, and the URL pattern that its place says."""

    pattern: tuple[Segment, ...]
    file: Path


class IgnoredFile(NamedTuple):
    """A file or folder below `pages` that is no route, and why not."""

    file: Path
    reason: str


class Scan(NamedTuple):
    """The routes of a folder in order of their files, the names in it that say no pattern, and what is no route."""

    routes: list[RouteFile]
    faults: list[SegmentError]
    ignored: list[IgnoredFile]


def scan_pages(pages: Path, extensions: tuple[str, ...]) -> Scan:
    """Scan `pages/api`, and `pages/api.py`, for files that end in one of `extensions` (Next's `pageExtensions`).

    What starts with `_` or `.` is no route, and tests (`test_*`, `*_test`, `conftest`) are none.
    """
    found = Scan([], [], [])
    longest_first = tuple(sorted(extensions, key=len, reverse=True))
    for file, stem, reason in _files(pages, longest_first):
        parts = [*file.parent.relative_to(pages).parts, stem]
        if reason or parts[0] != "api":
            found.ignored.append(IgnoredFile(file, reason or "is outside of pages/api"))
            continue
        if stem == "index":
            parts.pop()
        try:
            found.routes.append(RouteFile(tuple(map(parse_segment, parts)), file))
        except ValueError as error:
            found.faults.append(SegmentError(f"{file}: {error}", file))
    return found


def _files(
    folder: Path, extensions: tuple[str, ...], above: frozenset[Path] = frozenset()
) -> Iterator[tuple[Path, str, str]]:
    """Yield the files below `folder` with their names without the extension, and why they are no route, "" if they are.

    A folder that is left out is one of them. `above` are the folders that the way led through.
    """
    above = above.union([folder.resolve()], folder.resolve().parents)
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(("_", ".")):
            yield entry, "", f"starts with '{entry.name[0]}'"
        elif entry.is_dir():
            if entry.resolve() in above:
                yield entry, "", "is a link upwards, which has no end"
            else:
                yield from _files(entry, extensions, above)
        else:
            stem = next((stem for end in extensions if (stem := entry.name.removesuffix(f".{end}")) != entry.name), "")
            if not stem:
                reason = f"does not end in {' or '.join(f'.{end}' for end in extensions)}"
            else:
                reason = "is a test" if _TEST.fullmatch(stem) else ""
            yield entry, stem, reason
