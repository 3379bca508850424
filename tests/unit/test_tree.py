"""The tree of patterns against Next's sorted table: recorded orders and matches, and a naive model of it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nextapi.routing.conflicts import find_conflicts
from nextapi.routing.paths import canonical_path
from nextapi.routing.segments import Kind, Segment, parse_segment
from nextapi.routing.tree import Captured, Tree
from nextapi.text import decode_uri_component

DATA = Path(__file__).parents[1] / "conformance/data"
VECTORS = json.loads((DATA / "unit_vectors.json").read_text("utf-8"))
Pattern = tuple[Segment, ...]
RANK = {Kind.STATIC: 0, Kind.DYNAMIC: 1, Kind.CATCH_ALL: 2, Kind.OPTIONAL_CATCH_ALL: 3}

# Routes that Next takes for static text, and nextapi for faults: brackets are a whole parameter or a mistake.
STRAY_BRACKETS = {"/[]", "/[...]", "/[[...]]", "/[a", "/a]", "/[a]b", "/b[a]", "/[id].json", "/pre-[id]"}


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def _pattern(text: str) -> Pattern:
    return tuple(map(parse_segment, _parts(text)))


def _tree(patterns: Iterable[Pattern]) -> Tree[Pattern]:
    tree: Tree[Pattern] = Tree()
    for pattern in patterns:
        tree.insert(pattern, pattern)
    return tree


# The model: Next's table, sorted, of which the first row that matches wins.


def _order(pattern: Pattern) -> list[tuple[int, str]]:
    return [(RANK[segment.kind], segment.name) for segment in pattern]


def _fit(pattern: Pattern, parts: Sequence[str]) -> Captured | None:
    captured: Captured = []
    for index, segment in enumerate(pattern):
        if segment.is_catch_all:
            if parts[index:]:
                captured.append(list(parts[index:]))
            elif segment.kind is Kind.CATCH_ALL:
                return None
            return captured
        if index >= len(parts) or (segment.kind is Kind.STATIC and segment.name != parts[index]):
            return None
        if segment.kind is Kind.DYNAMIC:
            captured.append(parts[index])
    return captured if len(parts) == len(pattern) else None


def _first_fit(table: Iterable[Pattern], parts: Sequence[str]) -> tuple[Pattern, Captured] | None:
    for pattern in table:
        captured = _fit(pattern, parts)
        if captured is not None:
            return pattern, captured
    return None


@st.composite
def _patterns(draw: st.DrawFn) -> list[Pattern]:
    """Draw patterns that can stand side by side; parameters are named by their depth."""
    body_and_end = st.tuples(st.lists(st.sampled_from("ab*"), max_size=3), st.sampled_from(["", "+", "?"]))
    kept: list[tuple[Pattern, Path]] = []
    for number, (body, end) in enumerate(draw(st.lists(body_and_end, max_size=9))):
        pattern = [Segment(Kind.DYNAMIC, f"p{d}") if t == "*" else Segment(Kind.STATIC, t) for d, t in enumerate(body)]
        if end:
            kind = Kind.CATCH_ALL if end == "+" else Kind.OPTIONAL_CATCH_ALL
            pattern.append(Segment(kind, f"r{len(body)}"))
        more = [*kept, (tuple(pattern), Path(f"{number}.py"))]
        if not list(find_conflicts(more)):
            kept = more
    return [pattern for pattern, _ in kept]


@settings(max_examples=300)
@given(_patterns(), st.lists(st.lists(st.sampled_from("abc"), max_size=4), min_size=5))
@example([_pattern("/a/[[...r1]]"), _pattern("/[p0]")], [["a"], ["b"], []])
@example([_pattern("/a/[[...r1]]"), _pattern("/a"), _pattern("/[p0]"), _pattern("/[p0]/[[...r1]]")], [["a"], ["b"]])
@example([_pattern("/[p0]/[p1]/a"), _pattern("/a/[[...r1]]"), _pattern("/[...r0]")], [["a", "b", "a"], ["b", "b", "b"]])
def test_tree_finds_the_first_fit_of_the_sorted_table(patterns: list[Pattern], paths: list[list[str]]) -> None:
    """A look-up gives the row of Next's sorted table that is the first to match, and what its parameters matched."""
    tree, table = _tree(patterns), sorted(patterns, key=_order)
    for parts in paths:
        assert tree.match(parts) == _first_fit(table, parts)


SORTED = [vector["ok"] for vector in VECTORS["sortedRoutes"] if "ok" in vector]


@pytest.mark.parametrize("routes", [routes for routes in SORTED if not STRAY_BRACKETS & {*routes}], ids=" ".join)
def test_order_is_that_of_next(routes: list[str]) -> None:
    """The model sorts as Next did, and the tree finds the first of Next's order that matches."""
    table = [_pattern(route) for route in routes]
    assert sorted(table, key=_order) == table
    tree = _tree(reversed(table))
    names = {segment.name for pattern in table for segment in pattern if segment.kind is Kind.STATIC}
    for length in range(5):
        for parts in itertools.islice(itertools.product([*sorted(names), "other"], repeat=length), 2000):
            assert tree.match(list(parts)) == _first_fit(table, parts)


@pytest.mark.parametrize("route", sorted(STRAY_BRACKETS))
def test_stray_brackets_are_a_fault(route: str) -> None:
    """A route with brackets that are no whole parameter, which Next serves as text or misreads, is refused."""
    recorded = {route for routes in SORTED for route in routes} | {vector["page"] for vector in VECTORS["routeMatch"]}
    assert route in recorded
    with pytest.raises(ValueError, match="brackets"):
        _pattern(route)


# The regular expressions of Next's matchers let a catch-all match no newline; no target can have one unescaped.
NEWLINE = "/a/\n"


def _expected(page: str, path: str, results: dict[str, Any]) -> Any:
    """Return what Next says `page` makes of `path`, as it does after its front server has mended the slashes."""
    if path == NEWLINE and page in ("/[...slug]", "/[[...slug]]"):
        return {"slug": ["a", "\n"]}
    if path == NEWLINE and page in ("/a/[...slug]", "/a/[[...slug]]"):
        return {"slug": ["\n"]}
    return results[path.replace("//", "/")]


MATCHED = [vector for vector in VECTORS["routeMatch"] if vector["page"] not in STRAY_BRACKETS]


@pytest.mark.parametrize("vector", MATCHED, ids=lambda vector: vector["page"])
def test_matches_as_next_does(vector: dict[str, Any]) -> None:
    """A pattern matches the paths that Next's does, with the same parameters; what cannot be decoded is an error."""
    pattern = _pattern(vector["page"])
    names = [segment.name for segment in pattern if segment.kind is not Kind.STATIC]
    tree, results = _tree([pattern]), dict(vector["results"])
    paths = [path for path in results if path.startswith("/")]
    assert len(paths) == 36
    for path in paths:
        expected = _expected(vector["page"], path, results)
        found = tree.match(_parts(canonical_path(path).path))
        if expected is False:
            assert found is None, path
        elif "error" in expected:
            assert found is not None, path
            with pytest.raises(ValueError):  # noqa: PT011  # a 400, whatever it says
                [
                    decode_uri_component(part)
                    for value in found[1]
                    for part in ([value] if isinstance(value, str) else value)
                ]
        else:
            assert found is not None, path
            values = [
                decode_uri_component(v) if isinstance(v, str) else [*map(decode_uri_component, v)] for v in found[1]
            ]
            assert dict(zip(names, values, strict=False)) == expected, path


# What Next.js 16 does with these files
FILES = [
    *("docs/intro", "docs/[...slug]", "docs/a/[b]", "opt/[[...slug]]"),
    *("mix/[id]", "mix/[...rest]", "mix/[id]/detail", "mix/[id]/[sub]", "mix/fixed/[sub]", "mix/fixed/[...tail]"),
    *("users/[user]/[[...more]]", "users/[user]/posts/[post]"),
]


@pytest.mark.parametrize(
    ("path", "file", "captured"),
    [
        ("docs/intro", "docs/intro", []),
        ("docs/intro/more", "docs/[...slug]", [["intro", "more"]]),
        ("docs/a/b", "docs/a/[b]", ["b"]),
        ("docs/a", "docs/[...slug]", [["a"]]),
        ("docs/a/b/c", "docs/[...slug]", [["a", "b", "c"]]),
        ("docs", None, []),
        ("Docs/intro", None, []),
        ("opt", "opt/[[...slug]]", []),
        ("opt/a", "opt/[[...slug]]", [["a"]]),
        ("mix/one", "mix/[id]", ["one"]),
        ("mix/one/detail", "mix/[id]/detail", ["one"]),
        ("mix/one/two/three", "mix/[...rest]", [["one", "two", "three"]]),
        ("mix/one/detail/x", "mix/[...rest]", [["one", "detail", "x"]]),
        ("mix/fixed/detail", "mix/fixed/[sub]", ["detail"]),
        ("mix/fixed/a/b", "mix/fixed/[...tail]", [["a", "b"]]),
        ("mix/fixed", "mix/[id]", ["fixed"]),
        ("users/u1/posts/p1", "users/[user]/posts/[post]", ["u1", "p1"]),
        ("users/u1", "users/[user]/[[...more]]", ["u1"]),
        ("users/u1/posts", "users/[user]/[[...more]]", ["u1", ["posts"]]),
        ("users/u1/posts/p1/c", "users/[user]/[[...more]]", ["u1", ["posts", "p1", "c"]]),
        ("users", None, []),
    ],
)
def test_precedence_is_that_of_next(path: str, file: str | None, captured: Captured) -> None:
    """Static goes before a parameter, that before a catch-all, left to right, and a way that ends nowhere is left."""
    assert _tree(map(_pattern, FILES)).match(path.split("/")) == (file and (_pattern(file), captured))


def test_empty_tree_matches_nothing() -> None:
    """Without patterns no path leads anywhere."""
    assert _tree([]).match([]) is None
    assert _tree([]).match(["a"]) is None
