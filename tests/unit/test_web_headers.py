"""`Headers` of WHATWG Fetch: lines in order, a mapping without case, checked values, and a request's, read lazily."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextapi.errors import HeaderError, NextApiError
from nextapi.web.headers import Headers, ReadonlyHeaders, headers_of, request_headers

NAMES = st.sampled_from(["a", "A", "b", "X-C", "x-c", "set-cookie", "Set-Cookie"])
VALUES = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=5).map(
    lambda text: text.strip(" ")
)
ENVIRON = {
    "REQUEST_METHOD": "POST",
    "CONTENT_TYPE": "text/plain",
    "CONTENT_LENGTH": "",
    "HTTP_HOST": "example.test",
    "HTTP_X_TWO": "caf\xe9",
    "HTTP_EMPTY": "",
    "wsgi.version": (1, 0),
}


class CountingEnviron(Mapping[str, Any]):
    """An environ that counts how often all of it was read."""

    def __init__(self) -> None:
        self.walks = 0

    def __getitem__(self, key: str) -> Any:
        return ENVIRON[key]

    def __iter__(self) -> Iterator[str]:
        self.walks += 1
        return iter(ENVIRON)

    def __len__(self) -> int:
        return len(ENVIRON)


@pytest.mark.parametrize(
    ("init", "lines"),
    [
        (None, []),
        ({}, []),
        ({"X-A": "1", "b": "2"}, [("x-a", "1"), ("b", "2")]),
        ({"a": ["1", "2"], "b": ("3",), "c": []}, [("a", "1"), ("a", "2"), ("b", "3")]),
        ({"a": None, "b": ""}, [("b", "")]),
        ({"a": 1, "b": 1.5, "c": 2.0}, [("a", "1"), ("b", "1.5"), ("c", "2")]),
        ([("a", "1"), ("A", "2")], [("a", "1"), ("a", "2")]),
        ([["a", "1"], ("b", None)], [("a", "1")]),
        (Headers([("a", "1"), ("a", "2")]), [("a", "1"), ("a", "2")]),
        (request_headers({"HTTP_A": "1"}), [("a", "1")]),
        (ReadonlyHeaders({"A": "1"}), [("a", "1")]),
        ({"a": "\t 1 2\r\n"}, [("a", "1 2")]),
        ({"a": "\xa01"}, [("a", "\xa01")]),
    ],
    ids=ascii,
)
def test_is_made_from(init: Any, lines: list[tuple[str, str]]) -> None:
    """A mapping, pairs and Headers make lines with lower-case names; a list repeats, None leaves out, space goes."""
    assert Headers(init).multi_items() == lines


def test_a_copy_is_its_own() -> None:
    """Headers made from Headers, and copies, do not change with them."""
    first = Headers({"a": "1"})
    others = [Headers(first), copy(first)]
    first.append("a", "2")
    assert [dict(other) for other in others] == [{"a": "1"}, {"a": "1"}]


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\n", "\xe9", 1, None], ids=ascii)
@pytest.mark.parametrize("method", ["set", "append"])
def test_name_that_is_no_token_is_refused(method: str, name: Any) -> None:
    """What is no token does not become a name, and leaves the headers as they were."""
    headers = Headers({"a": "1"})
    with pytest.raises(HeaderError, match="Header name must be a valid HTTP token"):
        getattr(headers, method)(name, "1")
    assert dict(headers) == {"a": "1"}


@pytest.mark.parametrize(
    "value", ["a\r\nb: c", "a\nb", "\x00", "\u20ac", b"a", True, object(), ["a"], {"a": 1}], ids=ascii
)
def test_value_that_must_not_go_out_is_refused(value: Any) -> None:
    """A line end, a control character, what latin-1 has not, and what is neither text nor number name the header."""
    headers = Headers()
    for change in (headers.append, headers.set):
        with pytest.raises(TypeError, match=r'"X-A"'):
            change("X-A", value)
    assert not headers


@pytest.mark.parametrize("init", ["abc", [("a",)], [("a", "b", "c")], ["ab"], 1])
def test_made_from_anything_else_is_refused(init: Any) -> None:
    """What is neither a mapping nor pairs is a TypeError."""
    with pytest.raises(TypeError):
        Headers(init)


def test_looks_up_without_case_and_joins() -> None:
    """Lines of one name are one value, joined by ", ", whatever the case of the name."""
    headers = Headers([("X-A", "1"), ("b", "2"), ("x-a", "3")])
    assert (headers.get("x-A"), headers["X-A"], headers.get("none"), headers.get("none", 0)) == (
        "1, 3",
        "1, 3",
        None,
        0,
    )
    assert (headers.get_all("X-a"), headers.get_all("none")) == (["1", "3"], [])
    assert (headers.has("X-A"), "X-A" in headers, headers.has("none"), 1 in headers) == (True, True, False, False)
    with pytest.raises(KeyError, match="none"):
        headers["none"]


def test_a_header_that_is_empty_is_there() -> None:
    """An empty value is a value."""
    headers = Headers({"a": ""})
    assert (headers.has("a"), headers.get("a", "x"), headers["a"]) == (True, "", "")


def test_set_replaces_the_first_line_and_drops_the_others() -> None:
    """`set` keeps the place of the first line of a name, as Fetch does, and None takes the header out."""
    headers = Headers([("a", "1"), ("b", "2"), ("A", "3"), ("c", "4")])
    headers.set("A", "5")
    assert headers.multi_items() == [("a", "5"), ("b", "2"), ("c", "4")]
    headers.set("b", None)
    headers["d"] = "6"
    assert headers.multi_items() == [("a", "5"), ("c", "4"), ("d", "6")]


def test_delete_drops_all_lines() -> None:
    """`delete` takes all lines of a name and is silent where there is none; `del` is not."""
    headers = Headers([("a", "1"), ("A", "2"), ("b", "3")])
    headers.delete("A")
    headers.delete("none")
    assert headers.multi_items() == [("b", "3")]
    with pytest.raises(KeyError):
        del headers["a"]
    del headers["B"]
    assert not headers


def test_set_cookie_lines_stay_apart() -> None:
    """`get_set_cookie` gives each line by itself."""
    headers = Headers([("Set-Cookie", "a=1; Expires=Wed, 02 Jan 2030 03:04:05 GMT"), ("set-cookie", "b=2")])
    assert headers.get_set_cookie() == ["a=1; Expires=Wed, 02 Jan 2030 03:04:05 GMT", "b=2"]
    assert Headers().get_set_cookie() == []


@given(st.lists(st.tuples(NAMES, VALUES)))
def test_is_a_mapping_of_each_name_once(pairs: list[tuple[str, str]]) -> None:
    """`len`, iteration, `items()` and `[name]` agree, in the order of names, as a plain model has it."""
    model: dict[str, list[str]] = {}
    for name, value in pairs:
        model.setdefault(name.lower(), []).append(value.strip(" \t\r\n"))
    headers = Headers(pairs)
    expected = {name: ", ".join(model[name]) for name in sorted(model)}
    assert list(headers.items()) == list(expected.items())
    assert len(headers) == len(expected)
    assert all(headers[name.upper()] == value for name, value in expected.items())
    assert headers == expected


def test_takes_over_lines() -> None:
    """`headers_of` works on the very list that it is given."""
    lines = [("a", "1")]
    headers = headers_of(lines)
    headers.append("b", "2")
    headers.delete("a")
    assert lines == [("b", "2")]


def test_request_headers_are_the_environs() -> None:
    """A request's headers have the names of HTTP, without those that the client did not send."""
    headers = request_headers(ENVIRON)
    assert dict(headers) == {"content-type": "text/plain", "empty": "", "host": "example.test", "x-two": "caf\xe9"}
    assert headers.get("content-length") is None


def test_request_headers_are_read_lazily() -> None:
    """Looking up goes through nothing but what was asked for; more is read once."""
    environ = CountingEnviron()
    headers = request_headers(environ)
    assert (headers["Host"], headers.get("X-Two"), "empty" in headers, headers.get("x")) == (
        "example.test",
        "caf\xe9",
        True,
        None,
    )
    assert environ.walks == 0
    assert (len(headers), headers.get_all("host"), len(headers.multi_items())) == (4, ["example.test"], 4)
    assert environ.walks == 1


def test_request_headers_look_up_the_same_before_and_after_they_are_read() -> None:
    """A name with underscores is no name with dashes, even where the environ has both as one."""
    headers = request_headers(ENVIRON)
    before = headers.get("x_two"), headers.get("content_type")
    assert len(headers) == 4
    assert before == (headers.get("x_two"), headers.get("content_type")) == (None, None)


def test_request_headers_change_apart_from_the_environ() -> None:
    """A change shows in the headers and not in the environ, and a typing error is none of it."""
    environ = dict(ENVIRON)
    headers = request_headers(environ)
    headers.set("X-Two", "2")
    headers.delete("host")
    assert (headers.get("x-two"), headers.get("host"), environ) == ("2", None, ENVIRON)
    with pytest.raises(AttributeError, match="'sett'"):
        request_headers(environ).sett  # type: ignore[attr-defined]  # noqa: B018


def test_readonly_headers_cannot_be_changed() -> None:
    """Each way to change them raises Next's error; reading works as with others."""
    headers = ReadonlyHeaders(request_headers(ENVIRON))
    changes = [
        lambda: headers.set("a", "1"),
        lambda: headers.append("a", "1"),
        lambda: headers.delete("host"),
        lambda: headers.update({"a": "1"}),
        lambda: headers.pop("host"),
        headers.clear,
    ]
    for change in changes:
        with pytest.raises(NextApiError) as raised:
            change()
        assert str(raised.value) == (
            "Headers cannot be modified. Read more: https://nextjs.org/docs/app/api-reference/functions/headers"
        )
    assert (headers.get("HOST"), headers.has("none"), len(headers)) == ("example.test", False, 4)


def test_readonly_headers_show_what_becomes_of_theirs() -> None:
    """Readonly headers are a view; a copy of them is free."""
    source = Headers({"a": "1"})
    headers = ReadonlyHeaders(source)
    free = copy(headers)
    source.set("a", "2")
    free.set("b", "3")
    assert (dict(headers), dict(free)) == ({"a": "2"}, {"a": "1", "b": "3"})
