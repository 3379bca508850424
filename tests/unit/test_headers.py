"""Header names and values that may go on the wire, and a request's headers out of a WSGI environ."""

from __future__ import annotations

from typing import Any

import pytest

from nextapi.errors import HeaderError
from nextapi.http.headers import EnvironHeaders, check_header_name, check_header_value

ENVIRON: dict[str, Any] = {
    "REQUEST_METHOD": "POST",
    "CONTENT_TYPE": "text/plain",
    "CONTENT_LENGTH": "",
    "HTTP_HOST": "example.test",
    "HTTP_X_TWO": "a, b",
    "HTTP_EMPTY": "",
    "HTTP_CONTENT_TYPE": "text/forged",
    "wsgi.version": (1, 0),
}


@pytest.mark.parametrize("name", ["X-A", "set-cookie", "!#$%&'*+-.^_`|~09azAZ"])
def test_token_is_a_header_name(name: str) -> None:
    """A token (RFC 9110, 5.6.2) may name a header."""
    check_header_name(name)  # raises where it may not
    assert name


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a:", "a\n", "a\r\nb", "\xe9", "a(b)", "a/b", "\x00", 1, None, b"a"], ids=ascii
)
def test_other_names_are_refused(name: Any) -> None:
    """What is no token is a `HeaderError`, a TypeError, with Node's code."""
    with pytest.raises(HeaderError) as raised:
        check_header_name(name)
    assert raised.value.code == "ERR_INVALID_HTTP_TOKEN"
    assert isinstance(raised.value, TypeError)


@pytest.mark.parametrize("character", [chr(code) for code in (*range(0x180), 0x2028, 0xD800, 0x1F600)], ids=ascii)
def test_value_has_tab_visible_and_latin1_characters_only(character: str) -> None:
    """A value may hold what RFC 9110, 5.5 says, and is a `HeaderError` with any other character, also at its end."""
    value = f"a{character}"
    if character == "\t" or " " <= character <= "~" or "\x80" <= character <= "\xff":
        check_header_value("X-A", value)
    else:
        with pytest.raises(HeaderError, match="X-A") as raised:
            check_header_value("X-A", value)
        assert raised.value.code == "ERR_INVALID_CHAR"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("content-type", "text/plain"),
        ("Content-Type", "text/plain"),
        ("x-two", "a, b"),
        ("X-TWO", "a, b"),
        ("empty", ""),
        ("content-length", None),  # CGI: "" is not sent
        ("x-three", None),
        ("wsgi.version", None),
        ("request-method", None),
    ],
)
def test_header_is_looked_up_without_regard_to_case(name: str, value: str | None) -> None:
    """Every way of asking for a header gives its value, or says that it is not there."""
    headers = EnvironHeaders(ENVIRON)
    assert headers.get(name) == value
    assert headers.get(name, "other") == ("other" if value is None else value)
    assert (name in headers) is (value is not None)
    if value is None:
        with pytest.raises(KeyError):
            headers[name]
    else:
        assert headers[name] == value


def test_headers_are_a_mapping_of_lower_case_names() -> None:
    """Going over the headers gives each once by its lower-case name, as looking them up does."""
    headers = EnvironHeaders(ENVIRON)
    expected = {"content-type": "text/plain", "host": "example.test", "x-two": "a, b", "empty": ""}
    assert dict(headers) == expected
    assert len(headers) == len(expected)
    assert repr(headers) == f"EnvironHeaders({expected!r})"


def test_headers_are_read_as_they_are_asked_for() -> None:
    """Nothing is copied: what changes in the environ shows."""
    environ = dict(ENVIRON)
    headers = EnvironHeaders(environ)
    environ["HTTP_LATE"] = "x"
    assert headers["late"] == "x"
