"""The cookies of draft mode."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextapi import parse_cookie
from nextapi.draft import Draft
from nextapi.errors import DraftError, SerializationError

SECRET = b"a secret for the tests"
BYPASS, DATA = "__prerender_bypass", "__next_preview_data"

_TEXT_IN_COOKIES = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~ %+/=é"


def sent(*set_cookies: str) -> dict[str, str]:
    """Return the cookies that a client sends which was sent these."""
    return parse_cookie("; ".join(cookie.partition(";")[0] for cookie in set_cookies))


def of_host(*secrets: str | bytes | None) -> Draft:
    return Draft(b"", False, lambda: secrets)


def claims_of(token: str) -> Any:
    payload = token.split(".")[1]
    return json.loads(urlsafe_b64decode(payload + "=="))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(JSON.filter(lambda data: data is not None and data is not False))
def test_data_come_back(data: Any) -> None:
    """What JSON has text for comes back as it was given."""
    draft = Draft(SECRET, False)
    assert draft.read(sent(*draft.data_cookies(data, None, "/"))) == data


def test_mode_alone_has_no_data() -> None:
    """The cookie of draft mode alone reads as {}; no cookies, or empty ones, are False."""
    draft = Draft(SECRET, False)
    assert draft.read(sent(draft.mode_cookie(True))) == {}
    assert draft.read({}) is False
    assert draft.read(sent(*draft.clearing_cookies("/"))) is False
    assert draft.read({"other": "1"}) is False


def test_attributes() -> None:
    """Attributes and their order are Next's: those of `next dev` in debug."""
    draft, in_debug = Draft(SECRET, False), Draft(SECRET, True)
    assert re.fullmatch(
        r"__prerender_bypass=[0-9a-f]{32}; Path=/; HttpOnly; Secure; SameSite=None", draft.mode_cookie(True)
    )
    assert re.fullmatch(
        r"__prerender_bypass=[0-9a-f]{32}; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; "
        r"SameSite=None",
        draft.mode_cookie(False),
    )
    assert re.fullmatch(r"__prerender_bypass=[0-9a-f]{32}; Path=/; HttpOnly; SameSite=Lax", in_debug.mode_cookie(True))
    for cookie in draft.data_cookies({}, 60, "/x"):
        assert re.fullmatch(r"\w+=[\w.-]+; Max-Age=60; Path=/x; HttpOnly; Secure; SameSite=None", cookie)
    for cookie in in_debug.clearing_cookies("/x"):
        assert re.fullmatch(r"\w+=; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax", cookie)


def test_token_is_a_web_token_of_encrypted_data() -> None:
    """The data cookie is a compact JWS by HS256; nothing of the data can be read in it, and no two are alike."""
    draft = Draft(SECRET, False)
    tokens = [sent(*draft.data_cookies({"name": "hidden"}, None, "/"))[DATA] for _ in range(3)]
    assert len({part for token in tokens for part in token.split(".")[1:]}) == 6
    for token in tokens:
        header, _, signature = token.split(".")
        assert urlsafe_b64decode(header + "==") == b'{"alg":"HS256","typ":"JWT"}'
        assert len(urlsafe_b64decode(signature + "==")) == 32
        claims = claims_of(token)
        assert claims.keys() == {"data"}
        sealed = urlsafe_b64decode(claims["data"] + "==")
        assert b"hidden" not in sealed
        assert len(sealed) == 12 + len('{"name":"hidden"}') + 16


def test_tampering_is_seen_at_every_position() -> None:
    """A change of one character anywhere in either cookie, one too many or one too few: forged."""
    draft = Draft(SECRET, False)
    cookies = sent(*draft.data_cookies({"a": 1}, 60, "/"))
    assert draft.read(cookies) == {"a": 1}
    for name, value in cookies.items():
        for at, character in enumerate(value):
            for other in (chr(ord(character) ^ 1), "A" if character != "A" else "B", "", character * 2, "é", "\x00"):
                changed = value[:at] + other + value[at + 1 :]
                assert draft.read({**cookies, name: changed}) is None, (name, at, other)
    assert draft.read({BYPASS: cookies[DATA], DATA: cookies[BYPASS]}) is None


@given(st.text(_TEXT_IN_COOKIES), st.text(_TEXT_IN_COOKIES))
def test_whatever_a_client_sends_is_off(bypass: str, token: str) -> None:
    """Cookies with any text are False or None, and never an exception, also beside one that is right."""
    draft = Draft(SECRET, False)
    right = sent(draft.mode_cookie(True))
    expected = None if bypass or token else False
    assert draft.read({BYPASS: bypass, DATA: token}) is expected
    assert draft.read({**right, DATA: token}) == (None if token else {})
    assert draft.read({DATA: token}) is (None if token else False)


def test_unsigned_token_is_forged() -> None:
    """A token that says that it is not signed, or by another algorithm, is none."""
    draft = Draft(SECRET, False)
    cookies = sent(*draft.data_cookies({"a": 1}, None, "/"))
    payload = cookies[DATA].split(".")[1]
    unsigned = "eyJhbGciOiJub25lIn0"
    for token in (f"{unsigned}.{payload}.", f"{unsigned}.{payload}", payload, f"{cookies[DATA]}.", "..", "."):
        assert draft.read({**cookies, DATA: token}) is None, token


def test_another_secret_is_forged() -> None:
    """Cookies of one secret are nothing under another, neither both nor one of them."""
    own, other = Draft(SECRET, False), Draft(b"another secret of tests", False)
    cookies = sent(*own.data_cookies({"a": 1}, None, "/"))
    foreign = sent(*other.data_cookies({"a": 1}, None, "/"))
    assert own.read(foreign) is None
    assert own.read({**cookies, DATA: foreign[DATA]}) is None
    assert own.read({**cookies, BYPASS: foreign[BYPASS]}) is None
    assert own.read({DATA: cookies[DATA]}) is None


def test_token_ends_with_its_cookie(monkeypatch: pytest.MonkeyPatch) -> None:
    """Data set for a time are stale after it, even if the client keeps the cookie; `max_age=0` is over at once."""
    draft = Draft(SECRET, False)
    monkeypatch.setattr("nextapi.draft.time", lambda: 1_000_000.5)
    cookies = sent(*draft.data_cookies({"a": 1}, 60, "/"))
    assert claims_of(cookies[DATA])["exp"] == 1_000_060
    assert draft.read(sent(*draft.data_cookies({"a": 1}, 0, "/"))) is None
    forever = sent(*draft.data_cookies({"a": 1}, None, "/"))
    for now, data in ((1_000_059.9, {"a": 1}), (1_000_060.0, None), (9e9, None)):
        monkeypatch.setattr("nextapi.draft.time", lambda now=now: now)
        assert draft.read(cookies) == data
        assert draft.read(forever) == {"a": 1}


def test_former_secrets_are_read() -> None:
    """The host's secrets may be text or bytes; a former one still reads, and only the first one writes."""
    before = of_host("former")
    mode, data = sent(before.mode_cookie(True)), sent(*before.data_cookies([1], None, "/"))
    after = of_host("current", b"former", "", None)
    assert after.read(mode) == {}
    assert after.read(data) == [1]
    assert of_host("current").read(data) is None
    assert of_host("current").read(sent(*after.data_cookies([2], None, "/"))) == [2]
    assert after.read({**sent(after.mode_cookie(True)), DATA: data[DATA]}) == [1]


def test_an_empty_former_secret_reads_nothing() -> None:
    """An empty text among the former secrets is none: who knows that it is empty could make cookies of it."""
    forged = sent(*Draft(b"\x00", False).data_cookies({}, None, "/"))  # HMAC fills an empty key with such bytes
    assert of_host("current", "", b"").read(forged) is None
    assert of_host("current", b"\x00").read(forged) == {}


def test_option_comes_before_the_hosts_secrets() -> None:
    """With the option, the host's secrets are not asked for."""
    draft = Draft(SECRET, False, lambda: pytest.fail("not to be asked"))
    assert draft.read(sent(*draft.data_cookies({"a": 1}, None, "/"))) == {"a": 1}


@pytest.mark.parametrize("draft", [Draft(b"", False), of_host(""), of_host(None, "")])
def test_without_a_secret(draft: Draft) -> None:
    """For several processes setting is an error that names the option; one has a secret of its own while it lasts."""
    for attempt in (lambda: draft.mode_cookie(True), lambda: draft.data_cookies({}, None, "/")):
        with pytest.raises(DraftError, match="set the option `secret`"):
            attempt()
    assert draft.read({}) is False
    assert draft.read(sent(*Draft(SECRET, False).data_cookies({}, None, "/"))) is None
    assert draft.read(sent(*of_host("former").data_cookies({}, None, "/"))) is None
    assert len(draft.clearing_cookies("/")) == 2
    assert draft.read(sent(draft.mode_cookie(True, is_shared=False))) == {}
    assert draft.read(sent(*draft.data_cookies({"a": 1}, None, "/", is_shared=False))) == {"a": 1}


def test_too_much_data() -> None:
    """The token has up to 2048 characters, which is about 1,100 bytes of JSON; more is Next's error."""
    draft = Draft(SECRET, False)
    longest = max(size for size in range(900, 1300) if _fits(draft, {"a": "x" * size}))
    assert len(sent(*draft.data_cookies({"a": "x" * longest}, None, "/"))[DATA]) <= 2048
    assert longest > 1050
    assert not any(_fits(draft, {"a": "x" * size}) for size in (longest + 1, 3000))
    with pytest.raises(DraftError) as raised:
        draft.data_cookies({"a": "x" * 3000}, None, "/")
    assert str(raised.value) == (
        "Preview data is limited to 2KB currently, reduce how much data you are storing as preview data to continue"
    )


def _fits(draft: Draft, data: object) -> bool:
    try:
        return bool(draft.data_cookies(data, None, "/"))
    except DraftError:
        return False


@pytest.mark.parametrize("data", [None, False])
def test_no_data_is_an_error(data: object) -> None:
    """None and False cannot be told from data that are not there."""
    with pytest.raises(TypeError, match=f"preview data cannot be {data}: .*clear_preview_data"):
        Draft(SECRET, False).data_cookies(data, None, "/")


def test_data_without_json_text_are_an_error() -> None:
    """Data that JSON has no text for are an error that names the place."""
    with pytest.raises(SerializationError, match=r"\['a'\]"):
        Draft(SECRET, False).data_cookies({"a": {1, 2}}, None, "/")


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draft mode needs no library. Without one, setting data names the extra, and data in a cookie are forged."""
    draft = Draft(SECRET, False)
    mode, data = sent(draft.mode_cookie(True)), sent(*draft.data_cookies({"a": 1}, None, "/"))
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers.aead", None)
    assert draft.mode_cookie(True).startswith(f"{BYPASS}={mode[BYPASS]};")
    assert draft.read(mode) == {}
    with pytest.raises(DraftError, match=re.escape("pip install 'nextapi-wsgi[preview]'")):
        draft.data_cookies({"a": 1}, None, "/")
    assert draft.read(data) is None


def test_the_library_is_imported_for_data_alone() -> None:
    """Neither the import of nextapi nor draft mode imports `cryptography`."""
    program = """
import sys
from nextapi.adapters.wsgi import create_app
from nextapi.draft import Draft
draft = Draft(b"a secret for the tests", False)
draft.read({"__prerender_bypass": draft.mode_cookie(True).split(";")[0].split("=")[1]})
print("cryptography" in sys.modules)
draft.data_cookies({}, None, "/")
print("cryptography" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.split() == ["False", "True"]


def test_secrets_are_not_shown() -> None:
    """The text of an object that has the secret does not show it."""
    assert "secret for" not in repr(Draft(SECRET, False))
