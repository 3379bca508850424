"""Query strings and form bodies, against recorded answers of `URLSearchParams` and Node's `querystring`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextapi.http.query import decode_pairs, encode_pairs, fold_pairs, query_text
from nextapi.web.search_params import URLSearchParams

DATA = Path(__file__).parents[1] / "conformance/data"
VECTORS = json.loads((DATA / "unit_vectors.json").read_text("utf-8"))["query"]
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PAIRS = st.lists(st.tuples(TEXT, TEXT))

# What nextapi answers instead, and why.
OTHER_ORDER = {"2=x&1=y&a=z": [["2", "x"], ["1", "y"], ["a", "z"]]}  # JavaScript's objects put integer-like keys first


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: ascii(vector["in"]))
def test_folds_as_querystring(vector: dict[str, Any]) -> None:
    """A text's pairs, folded, are the object that Node's `querystring.parse` makes, in order of appearance."""
    expected = OTHER_ORDER.get(vector["in"], vector["querystring"])
    folded = fold_pairs(decode_pairs(vector["in"]))
    assert [[name, value] for name, value in folded.items()] == expected


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: ascii(vector["in"]))
def test_search_params_read_and_write_as_javascript(vector: dict[str, Any]) -> None:
    """`URLSearchParams` has the pairs, and writes the text, that JavaScript's has and writes."""
    params = URLSearchParams(vector["in"])
    assert [list(pair) for pair in params.multi_items()] == vector["urlsearchparams"]
    assert str(params) == vector["str"]


def test_question_mark_is_dropped_by_search_params_only() -> None:
    """A "?" in front belongs to the text of `URLSearchParams`, but to the first name of a query string."""
    assert URLSearchParams("?a=1").multi_items() == [("a", "1")]
    assert decode_pairs("?a=1") == [("?a", "1")]


# In Next.js 16: query string, req.query, req.url's query before it is grouped
ROWS = [
    ("a=1&b=2&a=3", {"a": ["1", "3"], "b": "2"}),
    ("a=&a=1", {"a": ["", "1"]}),
    ("&&a=1&&", {"a": "1"}),
    ("a=%ff%fe", {"a": "\ufffd\ufffd"}),
    ("a=1;b=2", {"a": "1;b=2"}),
    ("a=1&amp;b=2", {"a": "1", "amp;b": "2"}),
    ("a?b=1", {"a?b": "1"}),
    ("A=1&a=2", {"A": "1", "a": "2"}),
    ("a[b]=1", {"a[b]": "1"}),
    # Next loses the first and garbles the second: inherited names of JavaScript's objects
    ("__proto__=1", {"__proto__": "1"}),
    ("constructor=1&toString=2", {"constructor": "1", "toString": "2"}),
]


@pytest.mark.parametrize(("text", "folded"), ROWS, ids=[text for text, _ in ROWS])
def test_folds_a_query_string(text: str, folded: dict[str, Any]) -> None:
    """A query string is the object that `req.query` is."""
    assert fold_pairs(decode_pairs(text)) == folded


def test_keeps_more_than_a_thousand_pairs() -> None:
    """There is no limit on the number of pairs."""
    assert len(decode_pairs("&".join(f"k{n}={n}" for n in range(1200)))) == 1200
    assert len(fold_pairs([("a", "1")] * 1005)["a"]) == 1005


@given(PAIRS)
def test_encoded_pairs_decode_to_themselves(pairs: list[tuple[str, str]]) -> None:
    """What `encode_pairs` writes is ASCII, and `decode_pairs` reads it back."""
    text = encode_pairs(pairs)
    assert text.isascii()
    assert decode_pairs(text) == pairs


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("*-._~", "*-._%7E"),
        (" +", "+%2B"),
        ("!'()", "%21%27%28%29"),
        ("\ud800", "%EF%BF%BD"),
        ("\udc00x", "%EF%BF%BDx"),
    ],
    ids=ascii,
)
def test_encodes_what_the_standard_encodes(value: str, text: str) -> None:
    """Four characters stay beside letters and digits, and a lone surrogate is U+FFFD (WHATWG URL, 5.2)."""
    assert encode_pairs([("a", value)]) == f"a={text}"


@pytest.mark.parametrize(
    ("query_string", "text"),
    [("a=%C3%A9", "a=%C3%A9"), ("a=\xc3\xa9", "a=\xe9"), ("a=\xe9", "a=\ufffd")],
    ids=ascii,
)
def test_query_string_of_wsgi_is_utf8(query_string: str, text: str) -> None:
    """The bytes that stand as characters in QUERY_STRING are read as UTF-8, what is none as U+FFFD."""
    assert query_text(query_string) == text


def test_search_params_are_a_mapping_of_each_name_once() -> None:
    """As a mapping the parameters have each name once, with its first value."""
    params = URLSearchParams([("a", "1"), ("b", "2"), ("a", "3")])
    assert (dict(params), len(params), list(params)) == ({"a": "1", "b": "2"}, 2, ["a", "b"])
    assert (params["a"], params.get("a"), params.get_all("a")) == ("1", "1", ["1", "3"])
    assert (params.has("b"), "b" in params, params.has("c")) == (True, True, False)
    assert (params.get("c"), params.get("c", "x"), params.get_all("c")) == (None, "x", [])
    with pytest.raises(KeyError):
        params["c"]


def test_search_params_change_as_javascripts() -> None:
    """`set` keeps the first place and drops the others, `append` adds at the end, `delete` drops all."""
    params = URLSearchParams("a=1&b=2&a=3&c=4&a=5")
    params.set("a", "x")
    assert str(params) == "a=x&b=2&c=4"
    params.set("d", "5")
    params.append("b", "6")
    assert str(params) == "a=x&b=2&c=4&d=5&b=6"
    params.delete("b")
    params.delete("nothing")
    assert str(params) == "a=x&c=4&d=5"
    assert repr(params) == "URLSearchParams('a=x&c=4&d=5')"


def test_search_params_copy_what_they_are_made_from() -> None:
    """Parameters made from pairs or a mapping do not change with it, nor it with them."""
    pairs = [("a", "1")]
    params = URLSearchParams(pairs)
    params.append("b", "2")
    params.multi_items().clear()
    assert pairs == [("a", "1")]
    assert str(params) == "a=1&b=2"
    assert str(URLSearchParams({"a": "x y", "b": ""})) == "a=x+y&b="


def test_search_params_ask_and_drop_by_value() -> None:
    """With a value, `has` and `delete` mean the pairs with that value alone."""
    params = URLSearchParams("a=1&a=2&b=1&a=1")
    assert params.has("a")
    assert params.has("a", "2")
    assert not params.has("b", "2")
    params.delete("a", "1")
    assert str(params) == "a=2&b=1"
    params.delete("a", "3")
    assert str(params) == "a=2&b=1"


def test_search_params_sort_by_utf_16() -> None:
    """Names are in the order of their UTF-16 units, as in JavaScript; pairs of one name keep theirs."""
    params = URLSearchParams([("\ufb01", "1"), ("\U0001f600", "2"), ("a", "4"), ("a", "3"), ("", "5")])
    params.sort()
    assert params.multi_items() == [("", "5"), ("a", "4"), ("a", "3"), ("\U0001f600", "2"), ("\ufb01", "1")]


def test_the_size_of_search_params_is_that_of_their_pairs() -> None:
    """`size` counts pairs, as in JavaScript; `len` counts names, as in any mapping."""
    params = URLSearchParams("a=1&a=2&b=1")
    assert (params.size, len(params)) == (3, 2)
