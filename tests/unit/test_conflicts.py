"""Files that cannot be routes side by side; Next's own errors, recorded, and those that it never tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nextapi.errors import BuildError, ConflictError, SegmentError
from nextapi.routing.conflicts import find_conflicts
from nextapi.routing.segments import parse_segment

DATA = Path(__file__).parents[1] / "conformance/data"
VECTORS = json.loads((DATA / "unit_vectors.json").read_text("utf-8"))["sortedRoutes"]
ROOT = Path("/web/pages")


def _faults(*names: str) -> list[BuildError]:
    """Return the faults of files, given by their paths without .py."""
    patterns = []
    for name in names:
        parts = [part for part in name.split("/") if part]
        if parts[-1:] == ["index"]:
            parts.pop()
        patterns.append((tuple(map(parse_segment, parts)), ROOT / f"{name.lstrip('/')}.py"))
    return list(find_conflicts(patterns))


# Next's errors, by their beginnings: what the fault is here, and what its message has.
SAME_LEVEL = (ConflictError, "name the same segment")
KINDS = {
    "You cannot use both an required and optional catch-all route": (ConflictError, "stand side by side"),
    "You cannot use different slug names for the same dynamic path": SAME_LEVEL,
    "You cannot have the same slug name": (SegmentError, "comes twice in one path"),
    "Catch-all must be the last part of the URL": (SegmentError, "is not the last segment"),
}
# Those that are found in the name alone.
NAMES = {
    "Optional route parameters are not yet supported": "optional single parameter",
    "Segment names may not start with erroneous periods": "wrong number of dots",
    "Detected a three-dot character": "three dots",
}
# Next refuses these in its sorted table, in which static routes of `pages` never stand: recorded as served, as here.
NO_FAULT = "You cannot define a route with the same specificity as a optional catch-all route"
ERRORS = [vector for vector in VECTORS if "error" in vector]
SOUND = [vector["ok"] for vector in VECTORS if "ok" in vector]
STRAY_BRACKETS = ("/[]", "/[...]", "/[[...]]", "/[a", "/a]", "/[a]b", "/b[a]")


@pytest.mark.parametrize("vector", ERRORS, ids=lambda vector: " ".join(vector["in"]))
def test_finds_what_next_refuses(vector: dict[str, Any]) -> None:
    """Every list of routes that Next refuses has a fault of the same kind."""
    error = vector["error"]
    if error.startswith(NO_FAULT):
        assert not _faults(*(route if route != "/" else "/index" for route in vector["in"]))
    elif expected := next((text for start, text in NAMES.items() if error.startswith(start)), None):
        with pytest.raises(ValueError, match=expected):
            _faults(*vector["in"])
    else:
        kind, text = next(expected for start, expected in KINDS.items() if error.startswith(start))
        (fault,) = _faults(*vector["in"])
        assert type(fault) is kind
        assert text in str(fault)


@pytest.mark.parametrize("routes", SOUND, ids=" ".join)
def test_finds_nothing_where_next_does_not(routes: list[str]) -> None:
    """Lists of routes that Next takes have no fault, but for brackets that are no parameter, and for letters' case."""
    if any(route in STRAY_BRACKETS for route in routes):
        with pytest.raises(ValueError, match="brackets"):
            _faults(*routes)
    elif "/B" in routes:
        (fault,) = _faults(*routes)
        assert "differ only in case" in str(fault)
    else:
        assert not _faults(*(route if route != "/" else "/index" for route in routes))


@pytest.mark.parametrize(
    ("names", "kind", "message", "files"),
    [
        (("api/a", "api/a/index"), ConflictError, "answer /api/a: keep one", ("api/a", "api/a/index")),
        (("api/index", "api/index/index"), ConflictError, "both be named 'index'", ("api/index", "api/index/index")),
        (("api/a.b", "api/a:b"), ConflictError, "both be named 'a:b' for url_for", ("api/a.b", "api/a:b")),
        (("api/[a]", "api/[b]/x"), ConflictError, "'[a]' and '[b]' name the same segment", ("api/[a]", "api/[b]/x")),
        (("api/d/[a]", "api/d/[b]", "api/d/c"), ConflictError, "segment below /api/d:", ("api/d/[a]", "api/d/[b]")),
        (("api/[x]/[a]", "api/[x]/[b]"), ConflictError, "below /api/[dynamic]:", ("api/[x]/[a]", "api/[x]/[b]")),
        (("api/[...a]", "api/[[...b]]"), ConflictError, "is required or optional", ("api/[...a]", "api/[[...b]]")),
        (("api/[...a]", "api/[[...a]]"), ConflictError, "is required or optional", ("api/[...a]", "api/[[...a]]")),
        (("api/[...a]/b",), SegmentError, "'[...a]' is not the last segment", ("api/[...a]/b",)),
        (("api/[[...a]]/b",), SegmentError, "'[[...a]]' is not the last segment", ("api/[[...a]]/b",)),
        (("api/[a]/x/[...a]",), SegmentError, "the parameter 'a' comes twice", ("api/[a]/x/[...a]",)),
        (("api/echo", "api/Echo"), ConflictError, "differ only in case", ("api/echo", "api/Echo")),
        (("api/D/x", "api/d/x"), ConflictError, "differ only in case", ("api/D/x", "api/d/x")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_fault_names_its_files(
    names: tuple[str, ...], kind: type[BuildError], message: str, files: tuple[str, ...]
) -> None:
    """A fault has the files that it is about as fields and in its text, and says what to do."""
    (fault,) = _faults(*names)
    assert type(fault) is kind
    assert message in str(fault)
    assert fault.files == tuple(ROOT / f"{name}.py" for name in files)
    assert all(str(file) in str(fault) for file in fault.files)


def test_parameters_that_are_one_identifier_are_refused() -> None:
    """Two parameters of one path that are one name to `url_for` are refused, as Next refuses "a-b" and "a_b"."""
    (fault,) = _faults("api/[a-b]/[a_b]")
    assert fault.files == (ROOT / "api/[a-b]/[a_b].py",)


@pytest.mark.parametrize(
    "names",
    [
        ("api/o/index", "api/o/[[...s]]"),
        ("api/[a]", "api/[...b]", "api/[a]/[c]", "api/x/[d]"),
        ("api/[a]/x", "api/[a]/y", "api/[a]"),
        ("api/a/[x]", "api/b/[y]"),
        ("api/[id]", "api/[id]/[...rest]", "api/[id]/x/[[...rest]]"),
        ("api/mix", "api/mix/[id]", "api/MIXED"),
    ],
    ids=" ".join,
)
def test_routes_may_stand_side_by_side(names: tuple[str, ...]) -> None:
    """Routes that some order decides between are no conflict."""
    assert _faults(*names) == []


def test_every_fault_is_found() -> None:
    """One fault does not hide another, and three files at odds are one fault."""
    names = ["api/a", "api/a/index", "api/A", "api/[x]", "api/[y]/b", "api/[z]/c", "api/[...r]/d", "api/q/[p]/[p]"]
    found = _faults(*names)
    assert sorted(type(fault).__name__ for fault in found) == ["ConflictError"] * 3 + ["SegmentError"] * 2
    (level,) = (fault for fault in found if "same segment" in str(fault))
    assert [file.stem for file in level.files] == ["[x]", "b", "c"]
    assert len({str(fault) for fault in found}) == len(found)
