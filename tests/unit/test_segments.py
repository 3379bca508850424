"""File and folder names as segments of a URL pattern."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nextapi.routing.segments import Kind, Segment, identifier, parse_segment, pattern_text, route_name

DATA = Path(__file__).parents[1] / "conformance/data"
VECTORS = json.loads((DATA / "unit_vectors.json").read_text("utf-8"))["isDynamic"]


def _parse(path: str) -> tuple[Segment, ...]:
    return tuple(map(parse_segment, path.split("/")[1:]))


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        *((text, Kind.STATIC, text) for text in ("a", "a.json", "with space", "(g)", "@slot", "%20", "...", "\xe9")),
        ("[id]", Kind.DYNAMIC, "id"),
        ("[some-id]", Kind.DYNAMIC, "some-id"),
        ("[Some_ID]", Kind.DYNAMIC, "Some_ID"),
        ("[__proto__]", Kind.DYNAMIC, "__proto__"),
        ("[a.b]", Kind.DYNAMIC, "a.b"),
        ("[ a ]", Kind.DYNAMIC, " a "),
        ("[...slug]", Kind.CATCH_ALL, "slug"),
        ("[[...slug]]", Kind.OPTIONAL_CATCH_ALL, "slug"),
    ],
)
def test_parses_a_name(text: str, kind: Kind, name: str) -> None:
    """A name says one kind of segment, and is written again as it was."""
    segment = parse_segment(text)
    assert segment == Segment(kind, name)
    assert str(segment) == text
    assert segment.is_catch_all is (kind in (Kind.CATCH_ALL, Kind.OPTIONAL_CATCH_ALL))


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        *((text, r"not wholly in brackets: .* '\[id\]'") for text in ("[a]b", "c[d]", "[e].json", "[a", "a]", "]a[")),
        *((text, r"no parameter name: .* '\[id\]'") for text in ("[]", "[[]]", "[...]", "[[...]]")),
        *((text, r"wrong number of dots: write '\[name\]', '\[...name\]'") for text in ("[.a]", "[..a]", "[[..a]]")),
        ("[[a]]", r"which Next does not have: write '\[\[...a\]\]'"),
        *((text, "one character '…': write three dots") for text in ("[…a]", "[[…a]]")),
    ],
)
def test_refuses_a_name_and_says_what_to_write(text: str, remedy: str) -> None:
    """A name that says no segment is a ValueError that repeats it and says what to write."""
    with pytest.raises(ValueError, match=remedy) as raised:
        parse_segment(text)
    assert repr(text) in str(raised.value)


# Next takes partial and empty brackets for static text (in its strict reading); here they are faults.
FAULTS = {"/a[b]", "/[a]b", "/[]", "/a/[b"}


@pytest.mark.parametrize(("path", "is_dynamic"), [(path, strict) for path, strict, _ in VECTORS])
def test_pattern_is_dynamic_where_next_says_so(path: str, is_dynamic: bool) -> None:
    """A pattern has parameters where Next's isDynamicRoute says so, and is a fault where brackets are no parameter."""
    if path in FAULTS:
        with pytest.raises(ValueError, match="brackets"):
            _parse(path)
    else:
        assert any(segment.kind is not Kind.STATIC for segment in _parse(path)) is is_dynamic


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api", "index"),
        ("/api/post/[pid]", "post/[pid]"),
        ("/api/docs/[...slug]", "docs/[*slug]"),
        ("/api/docs/[[...slug]]", "docs/[[*slug]]"),
        ("/api/dot.json", "dot:json"),
        ("/api/name/[some-id]", "name/[some_id]"),
        ("/api/[a.b]", "[a_b]"),
        ("/api/api/x", "api/x"),
        ("/other/x", "other/x"),
    ],
)
def test_route_has_a_name_for_the_host(path: str, name: str) -> None:
    """A route is named by its path below /api, without the dots that a host's names cannot have."""
    assert route_name(_parse(path)) == name
    assert pattern_text(_parse(path)) == path


@pytest.mark.parametrize(
    ("name", "python"), [("id", "id"), ("some-id", "some_id"), ("1a", "_1a"), ("a.b c", "a_b_c"), ("\xe9", "_")]
)
def test_parameter_name_becomes_an_identifier(name: str, python: str) -> None:
    """What a Python name cannot have becomes an underscore."""
    assert identifier(name) == python
    assert python.isidentifier()
