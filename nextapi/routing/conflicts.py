"""Which of the files of a tree cannot be routes side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from nextapi.errors import ConflictError, SegmentError
from nextapi.routing.segments import Kind, Segment, identifier, pattern_text, route_name

__all__ = ["find_conflicts"]

Pattern = tuple[Segment, ...]
Shape = tuple[str, ...]


def find_conflicts(patterns: Sequence[tuple[Pattern, Path]]) -> Iterator[ConflictError | SegmentError]:
    """Yield every fault of (pattern, file) pairs: within one pattern, and between two and more."""
    sound = []
    for pattern, file in patterns:
        if fault := _own_fault(pattern, file):
            yield fault
        else:
            sound.append((pattern, file))
    yield from _same_url(sound)
    yield from _same_level(sound)
    yield from _same_but_for_case([file for _, file in patterns])
    yield from _same_name(sound)


def _own_fault(pattern: Pattern, file: Path) -> SegmentError | None:
    for segment in pattern[:-1]:
        if segment.is_catch_all:
            return SegmentError(f"{file}: '{segment}' is not the last segment: nothing can follow a catch-all", file)
    # `url_for` and `reverse` know parameters as identifiers.
    names = [identifier(segment.name) for segment in pattern if segment.kind is not Kind.STATIC]
    for name in names:
        if names.count(name) > 1:
            return SegmentError(f"{file}: the parameter '{name}' comes twice in one path: rename one of the two", file)
    return None


def _shape(segments: Iterable[Segment]) -> Shape:
    """Return the pattern without its parameters' names: equal for patterns that match the same paths."""
    return tuple(segment.name if segment.kind is Kind.STATIC else f"[{segment.kind.value}]" for segment in segments)


def _same_url(patterns: list[tuple[Pattern, Path]]) -> Iterator[ConflictError]:
    files = defaultdict(list)
    for pattern, file in patterns:
        files[pattern].append(file)
    for pattern, clashing in files.items():
        if len(clashing) > 1:
            yield ConflictError(f"{_names(clashing)} answer {pattern_text(pattern)}: keep one of them", *clashing)


def _same_level(patterns: list[tuple[Pattern, Path]]) -> Iterator[ConflictError]:
    """Yield the faults of segments that stand at the same place: two names for one, two kinds of catch-all."""
    dynamic: dict[Shape, dict[Segment, Path]] = defaultdict(dict)
    catch_all: dict[Shape, dict[Segment, Path]] = defaultdict(dict)
    for pattern, file in patterns:
        for index, segment in enumerate(pattern):
            if segment.kind is not Kind.STATIC:
                level = catch_all if segment.is_catch_all else dynamic
                level[_shape(pattern[:index])].setdefault(segment, file)
    for level in (dynamic, catch_all):
        for shape, segments in level.items():
            if len(segments) < 2:
                continue
            written = " and ".join(f"'{segment}'" for segment in segments)
            place, files = "/" + "/".join(shape), list(segments.values())
            if len({segment.kind for segment in segments}) > 1:
                say = f"{written} stand side by side below {place}: a catch-all is required or optional, keep one"
            else:
                say = f"{written} name the same segment below {place}: give it one name"
            yield ConflictError(f"{_names(files)}: {say}", *files)


def _same_but_for_case(files: list[Path]) -> Iterator[ConflictError]:
    folded = defaultdict(list)
    for file in files:
        folded[str(file).casefold()].append(file)
    for clashing in folded.values():
        if len(clashing) > 1:
            say = "differ only in case, and are one file on some systems: rename one"
            yield ConflictError(f"{_names(clashing)} {say}", *clashing)


def _same_name(patterns: list[tuple[Pattern, Path]]) -> Iterator[ConflictError]:
    named: dict[str, dict[Pattern, Path]] = defaultdict(dict)
    for pattern, file in patterns:
        named[route_name(pattern)].setdefault(pattern, file)
    for name, clashing in named.items():
        if len({_shape(pattern) for pattern in clashing}) > 1:
            files = list(clashing.values())
            yield ConflictError(
                f"{_names(files)} would both be named '{name}' for url_for and reverse: rename one", *files
            )


def _names(files: list[Path]) -> str:
    return ", ".join(map(str, files[:-1])) + f" and {files[-1]}"
