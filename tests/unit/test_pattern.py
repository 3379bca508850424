"""Sources of matchers, against the verdicts of the expressions that Next made of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextapi.middleware.pattern import compile_pattern
from nextapi.middleware.regexp import compile_javascript, from_javascript

DATA = Path(__file__).parents[1] / "conformance/data"
VECTORS = json.loads((DATA / "unit_vectors.json").read_text("utf-8"))
PATHS = VECTORS["matcherPaths"]


def sources(vector: dict[str, Any]) -> list[str]:
    matcher = vector["matcher"]
    items = matcher if isinstance(matcher, list) else [matcher]
    return [item if isinstance(item, str) else item["source"] for item in items]


def is_refused(vector: dict[str, Any]) -> bool:
    # Without a slash in front, Next stops later in the build than where the vector was taken.
    return "error" in vector or vector["matcher"] == "a"


@pytest.mark.parametrize(
    "vector",
    [vector for vector in VECTORS["matcher"] if not is_refused(vector)],
    ids=lambda vector: ascii(sources(vector)),
)
def test_matches_what_next_matches(vector: dict[str, Any]) -> None:
    """A source, or several at once, match the paths that Next's expressions match, and no other."""
    match = compile_pattern(*sources(vector)).match
    assert [path for path in PATHS if match(path)] == vector["matched"]


@pytest.mark.parametrize(
    "vector", [vector for vector in VECTORS["matcher"] if is_refused(vector)], ids=lambda vector: ascii(sources(vector))
)
def test_refuses_what_next_refuses(vector: dict[str, Any]) -> None:
    """A source that Next's build stops at is refused."""
    with pytest.raises(ValueError, match="source"):
        compile_pattern(*sources(vector))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("api", "source must start with / at \"matcher\": write '/api'"),
        ("", "source must start with / at \"matcher\": write '/'"),
        ("/a+b", "Unexpected MODIFIER at 2, expected END: '+' stands for itself behind a backslash"),
        ("/a{b", "Unexpected END at 4, expected CLOSE"),
        ("/a}", "Unexpected CLOSE at 2, expected END: '}' stands for itself"),
        ("/{a{b}}", "Unexpected OPEN at 3, expected CLOSE"),
        ("/a/:", "Missing parameter name at 3"),
        ("/a/(", "Unbalanced pattern at 3"),
        ("/a/()", "Missing pattern at 3"),
        ("/(?!api).*", 'Pattern cannot start with "?" at 2: put a second pair of parentheses'),
        ("/a/((b))", "Capturing groups are not allowed at 4: write (?:"),
        ("/:a:b", 'missing text after "a": write some'),
        ("/a(b):c", 'missing text after "(b)"'),
        ("/a\\", "Nothing to escape at 2"),
        ("/([a)", "the character class at 0 has no end"),
        ("/(a**)", "nothing to repeat at 2"),
        ("/((?<!a*)b)", "look-behind requires fixed-width pattern"),
        ("/(a)/(\\1)", "\\1 refers back to a group"),
    ],
)
def test_error_says_what_next_says_and_what_to_write(source: str, words: str) -> None:
    """The error of a source has Next's or path-to-regexp's words, the place, and a way out."""
    with pytest.raises(ValueError, match=re.escape(words)):
        compile_pattern(source)


@pytest.mark.parametrize(
    ("source", "matched", "other"),
    [
        ("/a{/:b}?", ["/a", "/a/x"], ["/a/x/y", "/ax"]),
        ("/a{/b}*", ["/a", "/a/b", "/a/b/b"], ["/a/c"]),
        ("/{:x-}+", ["/a-", "/a-b-"], ["/a", "/"]),
        ("/a{-:x.html}?", ["/a", "/a-b.html"], ["/a-b", "/ab.html"]),
        ("/a\\:b\\+\\(c\\)", ["/a:b+(c)"], ["/ab"]),
        ("/:a.:b", ["/x.y", "/x.json"], ["/x"]),
        ("/:a(\\d+):b([a-z]+)", ["/1a"], ["/a1", "/1"]),
        ("/a:rest*", ["/a", "/a/b/c"], ["/ab"]),
        ("/(.*)/b", ["/a/b", "/a/a/b"], ["/a\r/b", "/b"]),
        ("/a", ["/a.rsc", "/a.segments/x.segment.rsc", "/a#", "/a?"], ["/a.js", "/a//", "/a\n"]),
        ("/", ["", "/index.rsc", "/_next/data/x/index.json"], ["/.json", "/a"]),
        ("/:n(\\d)", ["/1"], ["/\u0661"]),
    ],
)
def test_matches_the_forms_of_path_to_regexp(source: str, matched: list[str], other: list[str]) -> None:
    """Groups in braces, escapes, repeated parameters and those with a pattern match as in path-to-regexp 6.3."""
    match = compile_pattern(source).match
    assert [path for path in matched + other if match(path)] == matched


FRAGMENTS = ["/", "a", "b", ":a", ":b", "(a|b)", "(.*)", "((?!a).*)", "*", "+", "?", "{", "}", "\\", "-", "(", "[", ")"]
SOURCES = st.lists(st.sampled_from(FRAGMENTS), max_size=6).map("".join).map("/{}".format)


@given(st.lists(SOURCES, max_size=4), st.text("ab/-.", max_size=6).map("/{}".format))
def test_several_sources_match_as_each_alone(sources: list[str], path: str) -> None:
    """A source is refused with a ValueError or matches, whatever stands beside it."""
    good = []
    for source in sources:
        try:
            compile_pattern(source)
        except ValueError:
            continue
        good.append(source)
    if good:
        together = compile_pattern(*good).match(path) is not None
        assert together == any(compile_pattern(source).match(path) for source in good)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_escaped_text_matches_itself_alone(text: str) -> None:
    """A backslash takes the meaning of any character away."""
    match = compile_pattern("/" + "".join(f"\\{character}" for character in text)).match
    assert match(f"/{text}")
    assert not match(f"/{text}x")


@pytest.mark.parametrize(
    ("javascript", "python", "matched", "other"),
    [
        (r"(?<v>a)\k<v>", r"(?P<v>a)(?P=v)", ["aa"], ["a"]),
        (r"\d$", r"\d\Z", ["1"], ["1\n", "\u0661"]),
        (r"[\w-.]+", r"[\w\-\.]+", ["a-b.c"], ["a/b"]),
        (r"[--a]", r"[\--a]", ["-", ".", "a"], [",", "b"]),
        (r"[a&&b[]", r"[a\&\&b\[]", ["a", "&", "["], ["]"]),
        (r"[^]", r"[\s\S]", ["\n"], [""]),
        (r"a[]|b", r"a(?!)|b", ["b"], ["a", "a[]"]),
        (r"a{,2}", r"a\{,2}", ["a{,2}"], ["aa"]),
        (r"\A\Z\a", "AZa", ["AZa"], ["\a"]),
        (r"\/\cJ", "/\\\n", ["/\n"], ["/cJ"]),
        (r"[\cJ\]\b]", "[\\\n\\]\\b]", ["\n", "]", "\b"], ["J"]),
        (".", r"[^\n\r\u2028\u2029]", ["a", "\x85"], ["\r", "\u2028"]),
        (r"\x41\u0042", r"\x41\u0042", ["AB"], []),
    ],
)
def test_runs_javascripts_expressions(javascript: str, python: str, matched: list[str], other: list[str]) -> None:
    """What is written otherwise in Python is translated, and matches what it matches in JavaScript."""
    assert from_javascript(javascript) == python
    fullmatch = compile_javascript(javascript).fullmatch
    assert [text for text in matched + other if fullmatch(text)] == matched


@pytest.mark.parametrize("space", ["\t", "\v", " ", "\xa0", "\u2003", "\ufeff"], ids=ascii)
def test_white_space_is_javascripts(space: str) -> None:
    r"""Outside of a set and inside, \s has the white space of JavaScript, and \S outside has none of it."""
    assert compile_javascript(r"\s[\s]").fullmatch(space * 2)
    assert not compile_javascript(r"\S").fullmatch(space)
    assert not compile_javascript(r"\s").fullmatch("\x1c")


@pytest.mark.parametrize(
    "text",
    ["a++", "a{2}+", "(?i)a", "(?P<a>b)", "(?>a)", "(?#a)", "[a", "a\\", "(", ")", "*", "x{99999999999}", "[z-a]"],
)
def test_refuses_what_is_no_expression(text: str) -> None:
    """Python's own syntax, and what is unbalanced, is refused with the text and the reason."""
    with pytest.raises(ValueError, match=re.escape(f"{text!r} is no regular expression that Python can run: ")):
        compile_javascript(text)


def test_host_names_ignore_case() -> None:
    """With `ignore_case`, case makes no difference."""
    assert compile_javascript("Oracle.test", ignore_case=True).fullmatch("ORACLE.TEST")
    assert not compile_javascript("Oracle.test").fullmatch("ORACLE.TEST")
