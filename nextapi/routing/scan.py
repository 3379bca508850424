"""A folder of files becomes URL patterns. Nothing is imported here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nextapi.errors import ConflictError, SegmentError
from nextapi.routing.segments import Segment, parse_segment

__all__ = ["IgnoredFile", "RouteFile", "Scan", "scan_root"]

_GROUP = re.compile(r"\((?!\.)[^()]*\)")
_TEST = re.compile(r"test_.*|.*_test|conftest")


class RouteFile(NamedTuple):
    """A file that is a route, and the URL pattern that its place says; `is_app` tells a `route.py` below `app`."""

    pattern: tuple[Segment, ...]
    file: Path
    is_app: bool = False


class IgnoredFile(NamedTuple):
    """A file or folder below `pages` or `app` that is no route, and why not."""

    file: Path
    reason: str


class Scan(NamedTuple):
    """The routes of a root in order of their files, the names in it that say no pattern, and what is no route."""

    routes: list[RouteFile]
    faults: list[SegmentError | ConflictError]
    ignored: list[IgnoredFile]


def scan_root(root: Path, extensions: tuple[str, ...]) -> Scan:
    """Scan `pages/api`, and `pages/api.py`, and `app` for files that end in one of `extensions` (Next's
    `pageExtensions`).

    What starts with `_` or `.` is no route, and tests (`test_*`, `*_test`, `conftest`) are none. Below `app` a route is
    a file `route.py`, and folders in parentheses group files without a part in the path.
    """
    found = Scan([], [], [])
    longest_first = tuple(sorted(extensions, key=len, reverse=True))
    for folder, scan in (("pages", _scan_pages), ("app", _scan_app)):
        if (root / folder).is_dir():
            scan(root / folder, longest_first, found)
    return found


def _scan_pages(pages: Path, extensions: tuple[str, ...], found: Scan) -> None:
    for file, stem, reason in _files(pages, extensions):
        parts = [*file.parent.relative_to(pages).parts, stem]
        if reason or parts[0] != "api":
            found.ignored.append(IgnoredFile(file, reason or "is outside of pages/api"))
            continue
        if stem == "index":
            parts.pop()
        _add(found, parts, file, is_app=False)


def _scan_app(app: Path, extensions: tuple[str, ...], found: Scan) -> None:
    routes, pages = [], {}
    for file, stem, reason in _files(app, extensions):
        names = [name for name in file.parent.relative_to(app).parts if not _GROUP.fullmatch(name)]
        if file.name.startswith("page.") and file.is_file():
            pages[tuple(names)] = file
        if reason or stem != "route":
            found.ignored.append(IgnoredFile(file, reason or "is not named route"))
        else:
            routes.append((names, file))
    for names, file in routes:
        if page := pages.get(tuple(names)):
            say = "a path has a page or a route: move one of them"
            found.faults.append(ConflictError(f"{file} and {page} answer the same path: {say}", file, page))
        # Next has folders whose names begin with "_" by this escape.
        _add(found, [f"_{name[3:]}" if name.startswith("%5F") else name for name in names], file, is_app=True)


def _add(found: Scan, parts: list[str], file: Path, is_app: bool) -> None:
    try:
        if is_app and (odd := next((part for part in parts if part.startswith(("@", "(."))), "")):
            raise ValueError(
                f"{odd!r} is a parallel or intercepting route, which is for pages: a route has a plain path"
            )
        found.routes.append(RouteFile(tuple(map(parse_segment, parts)), file, is_app))
    except ValueError as error:
        found.faults.append(SegmentError(f"{file}: {error}", file))


def _files(
    folder: Path, extensions: tuple[str, ...], above: frozenset[Path] = frozenset()
) -> Iterator[tuple[Path, str, str]]:
    """Yield the files below `folder` with their names without the extension, and why they are no route, "" if they are.

    A folder that is left out is one of them. `above` are the folders that the way led through.
    """
    above = above.union([folder.resolve()], folder.resolve().parents)
    for entry in sorted(folder.iterdir()):
        if entry.name == "_middleware.py":
            yield entry, "", "stands before the routes of its folder"
        elif entry.name.startswith(("_", ".")):
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
