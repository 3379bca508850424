"""A kept page as bytes, and when it is fresh."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextapi.cache.entry import Entry, Varies, decode, encode

PAGE = Entry(
    url="https://example.com/blog/\xe4?a=\u4e2d",
    status_line="200 OK",
    headers=[("Content-Type", "text/html"), ("Link", "\xe4"), ("Link", "b")],
    body=b"<p>\x00\xff",
    created=1_700_000_000.25,
    fresh=60,
    stale=600,
    vary=("accept", "origin"),
    marks={"path": "token", "tag": "other"},
)

LATIN = st.text(st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"))
ENTRIES = st.builds(
    Entry,
    url=st.text(),
    status_line=st.tuples(st.integers(100, 999).map(str), LATIN).map(" ".join),
    headers=st.lists(st.tuples(LATIN, LATIN)),
    body=st.binary(),
    created=st.floats(0, 1e11),
    fresh=st.integers(0, 2**31),
    stale=st.integers(0, 2**31),
    vary=st.lists(st.text()).map(tuple),
    marks=st.dictionaries(st.text(), st.text()),
)
VARIES = st.builds(Varies, st.lists(st.text()).map(tuple))


def frame(head: bytes, body: bytes = b"") -> bytes:
    """Return what looks whole, with a head of somebody else's."""
    return encode(PAGE)[:8] + pack(">QQ", len(head), len(body)) + head + body


def fields(**changed: Any) -> bytes:
    """Return a page with other values in its head."""
    names = ("url", "status_line", "flat", "created", "fresh", "stale", "vary", "marks")
    values = dict(zip(names, ("u", "200 OK", ["A", "b"], 1.5, 60, 0, [], {}), strict=True))
    return frame(json.dumps(list({**values, **changed}.values())).encode(), b"body")


@given(ENTRIES | VARIES)
def test_comes_back_as_it_was(kept: Entry | Varies) -> None:
    """A page, and the names of the headers of pages, are the same after having been bytes."""
    assert decode(encode(kept)) == kept


def test_body_is_in_there_as_it_is() -> None:
    """The body is not encoded, and is the end of the bytes."""
    assert encode(PAGE).endswith(PAGE.body)


@given(st.binary())
def test_other_bytes_are_no_page(data: bytes) -> None:
    """What somebody else wrote is no page."""
    assert decode(data) is None


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists), st.binary())
def test_other_json_never_raises(head: object, body: bytes) -> None:
    """A head that is JSON, but none of ours, is read without an exception."""
    decode(frame(json.dumps(head).encode(), body))


@given(ENTRIES | VARIES, st.data())
def test_part_is_no_page(kept: Entry | Varies, data: st.DataObject) -> None:
    """Bytes that are cut off, or that go on, are no page."""
    whole = encode(kept)
    assert decode(whole[: data.draw(st.integers(0, len(whole) - 1))]) is None
    assert decode(whole + b"x") is None


@given(ENTRIES | VARIES, st.data())
def test_flipped_byte_never_raises(kept: Entry | Varies, data: st.DataObject) -> None:
    """Bytes that were damaged are read without an exception; where they are a page, its headers end nowhere."""
    damaged = bytearray(encode(kept))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    page = decode(bytes(damaged))
    if isinstance(page, Entry):
        page.age(0)
        page.is_servable(0)
        encode(page)
        for text in (page.status_line, *(text for pair in page.headers for text in pair)):
            assert not set(text.encode("latin-1")) & set(b"\r\n\0")


def test_every_flipped_bit_of_the_frame_is_found() -> None:
    """Another version, and lengths that do not fit, are no page."""
    whole = encode(PAGE)
    for place in range(24):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            assert decode(bytes(damaged)) is None


def test_fields_are_a_page_as_they_are() -> None:
    """The frame that the next test changes one value of is a page."""
    assert decode(fields()) == Entry("u", "200 OK", [("A", "b")], b"body", 1.5, 60, 0, (), {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("url", None),
        ("url", 5),
        ("status_line", "OK"),
        ("status_line", "200"),
        ("status_line", "200 OK\r\nSet-Cookie: a=b"),
        ("status_line", 200),
        ("flat", ["A"]),
        ("flat", ["A", 1]),
        ("flat", ["A", "b\r\nSet-Cookie: a=b"]),
        ("flat", ["A\n", "b"]),
        ("flat", ["A", "b\0"]),
        ("flat", ["A", "\u4e2d"]),
        ("flat", "Ab"),
        ("flat", {"A": 1, "b": 2}),
        ("flat", None),
        ("created", None),
        ("created", "1"),
        ("created", float("nan")),
        ("created", float("inf")),
        ("created", -1),
        ("created", 10**400),
        ("fresh", 1.5),
        ("fresh", True),
        ("stale", None),
        ("vary", "accept"),
        ("vary", [1]),
        ("marks", []),
        ("marks", {"a": 1}),
        ("more", 1),
    ],
    ids=ascii,
)
def test_wrong_value_is_no_page(name: str, value: object) -> None:
    """A value of another kind, and text that would end a header, make bytes no page."""
    assert decode(fields(**{name: value})) is None


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"[]",
        b"[1]",
        b"{}",
        b'{"0": ["accept"]}',
        b"x",
        b"1",
        b'["a"]',
        b'[["\xff"]]',
        b"[" * 100_000,
        b"[" + b"9" * 10_000 + b"]",
        pickle.dumps(["a"]),
    ],
    ids=lambda head: ascii(head)[:30],
)
def test_wrong_head_is_no_page(head: bytes) -> None:
    """A head that is no JSON, not ASCII, nested without end, or of another shape makes bytes no page."""
    assert decode(frame(head)) is None
    assert decode(frame(b'[["accept"]]')) == Varies(("accept",))
    assert decode(frame(b'[["accept"]]', b"body")) is None


# Time


def test_states() -> None:
    """A page is fresh, then stale, then not served."""
    at = PAGE.created
    states = [(PAGE.is_fresh(at + after), PAGE.is_servable(at + after)) for after in (0, 59.9, 60, 659.9, 660)]
    assert states == [(True, True), (True, True), (False, True), (False, True), (False, False)]
    never = replace(PAGE, fresh=0, stale=0)
    assert not never.is_fresh(at)
    assert not never.is_servable(at)


def test_age_is_in_whole_seconds() -> None:
    """Age counts the seconds that are over."""
    assert [PAGE.age(PAGE.created + after) for after in (0, 0.9, 1, 59.99, 10**6)] == [0, 0, 1, 59, 10**6]


def test_clock_that_goes_back() -> None:
    """A page from the future has the Age 0; it is fresh if it is from no farther than it is fresh for."""
    assert PAGE.age(PAGE.created - 5) == 0
    assert PAGE.age(0) == 0
    assert PAGE.is_fresh(PAGE.created - 59)
    assert not PAGE.is_fresh(PAGE.created - 61)
    assert PAGE.is_servable(PAGE.created - 61)
    assert not PAGE.is_servable(0)
