"""What handlers give `res`, as HTTP has it: header values, status codes, pieces of a body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias
from wsgiref.util import is_hop_by_hop

from nextapi.errors import HeaderError, StatusError
from nextapi.http.headers import check_header_value
from nextapi.http.json import number_text
from nextapi.text import utf8

__all__ = ["GivenHeader", "HeaderValue", "body_bytes", "header_lines", "header_texts", "header_value", "read_status"]

GivenHeader: TypeAlias = str | int | float | Iterable[str]
HeaderValue: TypeAlias = str | int | float | list[str]


def header_lines(fields: dict[str, tuple[str, HeaderValue]]) -> list[tuple[str, str]]:
    """Return a header line for each value of each field but those that are the server's to say (PEP 3333)."""
    return [(name, text) for name, value in fields.values() if not is_hop_by_hop(name) for text in header_texts(value)]


def header_texts(value: HeaderValue) -> list[str]:
    """Return the text of each line that a header's value is, a number as JavaScript writes it."""
    if isinstance(value, list):
        return value
    return [value if isinstance(value, str) else number_text(value)]


def read_status(code: object) -> int:
    """Return the status that `code` says, as Node takes it: text of a number, a fraction cut off."""
    try:
        number = int(float(code))  # type: ignore[arg-type]  # whatever it is, float says whether it is a number
    except (TypeError, ValueError, OverflowError):
        number = 0
    if not 200 <= number <= 999 or isinstance(code, bool):
        raise StatusError(f"Invalid status code: {code!r}")
    return number


def header_value(name: str, value: object) -> HeaderValue:
    """Return a header's value as text, number or list of texts; raise `HeaderError` if it cannot go on the wire."""
    if isinstance(value, str):
        check_header_value(name, value)
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray | Mapping):
        lines: list[str] = []
        for line in value:
            checked = header_value(name, line)
            if isinstance(checked, list):
                raise HeaderError(f'A list in header "{name}" holds text', value, "ERR_HTTP_INVALID_HEADER_VALUE")
            lines.extend(header_texts(checked))
        return lines
    raise HeaderError(f'Invalid value for header "{name}"', value, "ERR_HTTP_INVALID_HEADER_VALUE")


def body_bytes(data: object) -> bytes:
    """Return a piece of a body, text in UTF-8; a list is what `get_header` returned. All else is a `TypeError`."""
    if isinstance(data, str):
        return utf8(data)
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data)
    if isinstance(data, list) and all(isinstance(line, str) for line in data):
        return utf8(", ".join(data))
    if isinstance(data, int | float) and not isinstance(data, bool):
        return number_text(data).encode()
    raise TypeError(
        f"write() and end() take text or bytes, not {type(data).__name__}: json() and send() take other values"
    )
