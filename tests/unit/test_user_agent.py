"""`user_agent`: what a User-Agent header says, with ua-parser-js's names, and without the library."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

import pytest

from nextapi import NextRequest, user_agent
from nextapi.errors import ExtraError
from nextapi.web.user_agent import user_agent_from_string

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
CHROMIUM = "AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 16_0 like Mac OS X) {WEBKIT} Version/16.0 Mobile/15E148 Safari/604.1"
MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/17.1 Safari/605.1.15"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROMIUM} Chrome/120.0.0.0 Safari/537.36"


def said(text: str | None) -> dict[str, Any]:
    """Return what a header says, without what it does not."""
    found = asdict(user_agent_from_string(text))
    return {
        name: {field: value for field, value in part.items() if value is not None} if isinstance(part, dict) else part
        for name, part in found.items()
    }


def test_an_iphone() -> None:
    """Every part, as Next has it."""
    assert said(IPHONE) == {
        "ua": IPHONE,
        "browser": {"name": "Mobile Safari", "version": "16.0", "major": "16"},
        "engine": {"name": "WebKit", "version": "605.1.15"},
        "os": {"name": "iOS", "version": "16.0"},
        "device": {"vendor": "Apple", "model": "iPhone", "type": "mobile"},
        "cpu": {},
        "is_bot": False,
    }


def test_a_request() -> None:
    """The header of a request is read; without one nothing is known."""
    assert user_agent(NextRequest("http://a/", headers={"User-Agent": MAC})).browser.name == "Safari"
    nothing = {"ua": "", "browser": {}, "engine": {}, "os": {}, "device": {}, "cpu": {}, "is_bot": False}
    assert said(user_agent(NextRequest("http://a/")).ua) == said(None) == nothing


@pytest.mark.parametrize(
    ("text", "browser", "engine", "system", "cpu", "device"),
    [
        (WINDOWS, "Chrome 120.0.0.0", "Blink 120.0.0.0", "Windows 10", "amd64", [None, None, None]),
        (f"{WINDOWS} Edg/120.0.2210.91", "Edge 120.0.2210.91", "Blink 120.0.0.0", "Windows 10", "amd64", [None] * 3),
        (MAC, "Safari 17.1", "WebKit 605.1.15", "Mac OS 10.15.7", None, ["Apple", "Macintosh", None]),
        (
            "Mozilla/5.0 (X11; Ubuntu; Linux i686; rv:121.0) Gecko/20100101 Firefox/121.0",
            *("Firefox 121.0", "Gecko 121.0", "Ubuntu None", "ia32", [None, None, None]),
        ),
        (
            "Mozilla/5.0 (X11; Linux aarch64; rv:121.0) Gecko/20100101 Firefox/121.0",
            *("Firefox 121.0", "Gecko 121.0", "Linux None", "arm64", [None, None, None]),
        ),
        (
            f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {CHROMIUM} Chrome/120.0.0.0 Mobile Safari/537.36",
            *("Chrome 120.0.0.0", "Blink 120.0.0.0", "Android 14", None, ["Google", "Pixel 8", "mobile"]),
        ),
        (
            f"Mozilla/5.0 (Linux; Android 13; SM-X700) {CHROMIUM} Chrome/120.0.0.0 Safari/537.36",
            *("Chrome 120.0.0.0", "Blink 120.0.0.0", "Android 13", None, [None, "SM-X700", "tablet"]),
        ),
        (
            "Mozilla/5.0 (Android 13; Mobile; rv:120.0) Gecko/120.0 Firefox/120.0",
            *("Firefox 120.0", "Gecko 120.0", "Android 13", None, [None, None, "mobile"]),
        ),
        (
            f"Mozilla/5.0 (iPad; CPU OS 16_5 like Mac OS X) {WEBKIT} CriOS/119.0.6045.109 Mobile/15E148 Safari/604.1",
            *("Chrome 119.0.6045.109", "WebKit 605.1.15", "iOS 16.5", None, ["Apple", "iPad", "tablet"]),
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
            *("IE 11.0", "Trident 7.0", "Windows 10", "amd64", [None, None, None]),
        ),
        (
            "Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18",
            *("Opera 12.18", "Presto 2.12.388", "Windows 7", "amd64", [None, None, None]),
        ),
        (
            f"Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) {CHROMIUM} 76.0.3809.146/6.0 TV Safari/537.36",
            *("Safari None", "WebKit 537.36", "Tizen 6.0", None, ["Samsung", "SMART-TV", "smarttv"]),
        ),
    ],
)
def test_the_parts(
    text: str, browser: str, engine: str, system: str, cpu: str | None, device: list[str | None]
) -> None:
    """Names and versions of browsers, engines, systems, processors and devices that are often seen."""
    found = user_agent_from_string(text)
    assert f"{found.browser.name} {found.browser.version}" == browser
    assert f"{found.engine.name} {found.engine.version}" == engine
    assert f"{found.os.name} {found.os.version}" == system
    assert found.cpu.architecture == cpu
    assert [found.device.vendor, found.device.model, found.device.type] == device
    assert found.is_bot is False


@pytest.mark.parametrize(
    ("text", "is_bot"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", True),
        ("mozilla/5.0 (compatible; BINGBOT/2.0)", True),
        ("facebookexternalhit/1.1", True),
        ("WhatsApp/2.23.20.0", True),
        ("quora link preview", True),
        ("Mozilla/5.0 (compatible; SomeBot/1.0)", False),
        ("curl/8.4.0", False),
    ],
)
def test_bots(text: str, is_bot: bool) -> None:
    """Those of Next's list are bots, whatever the case, and no others."""
    found = user_agent_from_string(text)
    assert found.is_bot is is_bot
    assert found.device.vendor is None


def test_a_long_header() -> None:
    """No more than 500 characters are looked at."""
    assert user_agent_from_string(" " * 10_000 + "Googlebot").is_bot is False
    assert len(user_agent_from_string("x" * 10_000).ua) == 500


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where ua-parser is not installed the error says what to install."""
    monkeypatch.setitem(sys.modules, "ua_parser", None)
    with pytest.raises(ExtraError, match=r"pip install 'nextapi-wsgi\[user-agent\]'"):
        user_agent(NextRequest("http://a/", headers={"User-Agent": MAC}))
