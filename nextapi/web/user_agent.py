"""`user_agent` of next/server: what a User-Agent header says of the browser, the system and the device.

The header is read by ua-parser, which the extra `user-agent` installs; names are those of ua-parser-js, which Next
uses, as far as the two know the same. What ua-parser leaves out is found here: engine, processor and kind of device.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nextapi.errors import ExtraError
from nextapi.web.request import NextRequest

__all__ = [
    "Browser",
    "Cpu",
    "Device",
    "Engine",
    "OperatingSystem",
    "UserAgent",
    "user_agent",
    "user_agent_from_string",
]

_MOST = 500  # characters that are looked at, as in ua-parser-js: the time for more is a client's to choose

# Next's own list, not that of ua-parser.
_BOTS = (
    "AdsBot-Google",
    "Bingbot",
    "BingPreview",
    "Discordbot",
    "DuckDuckBot",
    "Google-Extended",
    "Google-InspectionTool",
    "Google-PageRenderer",
    "Googlebot",
    "GoogleOther",
    "LinkedInBot",
    "Mediapartners-Google",
    "SkypeUriPreview",
    "Slackbot",
    "Slurp",
    "Storebot-Google",
    "Twitterbot",
    "WhatsApp",
    "applebot",
    "baiduspider",
    "bitlybot",
    "facebookcatalog",
    "facebookexternalhit",
    "googleweblight",
    "ia_archiver",
    "quora link preview",
    "redditbot",
    "sogou",
    "tumblr",
    "vkShare",
    "yandex",
)
_BOT = re.compile("|".join(map(re.escape, _BOTS)), re.IGNORECASE)

_BROWSERS = {
    "Android": "Android Browser",
    "Chrome Mobile": "Chrome",
    "Chrome Mobile WebView": "Chrome WebView",
    "Chrome Mobile iOS": "Chrome",
    "Edge Mobile": "Edge",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "HeadlessChrome": "Chrome Headless",
    "IE Mobile": "IEMobile",
    "Opera Mobile": "Opera Mobi",
}
_SYSTEMS = {"Chrome OS": "Chromium OS", "Mac OS X": "Mac OS"}
_MODELS = {"Mac": "Macintosh"}

# The first that fits names it. Chrome has had an engine of its own since 28; it has the browser's version.
_ENGINES = [
    ("EdgeHTML", re.compile(r"\bEdge/([\d.]+)")),
    ("Trident", re.compile(r"\bTrident/([\d.]+)")),
    ("Presto", re.compile(r"\bPresto/([\d.]+)")),
    ("Blink", re.compile(r"\bAppleWebKit/537\.36\b.*\bChrome/((?:2[89]|[3-9]\d|\d{3,})\b[\d.]*)")),
    ("WebKit", re.compile(r"\bAppleWebKit/([\d.]+)")),
    ("Gecko", re.compile(r"\brv:([\w.]{1,9})\b.*\bGecko\b")),
]
_ARCHITECTURES = [
    ("arm64", re.compile(r"\b(?:aarch64|arm64)\b", re.IGNORECASE)),
    ("amd64", re.compile(r"\b(?:amd64|x86[_-]?64|wow64|win64|x64)\b", re.IGNORECASE)),
    ("ia32", re.compile(r"\b(?:i[346]86|x86)\b", re.IGNORECASE)),
    ("arm", re.compile(r"\barm(?:v\d+\w*|hf)?\b", re.IGNORECASE)),
]
_TYPES = [
    ("console", re.compile(r"PlayStation|Nintendo|Xbox", re.IGNORECASE)),
    ("smarttv", re.compile(r"smart-?tv|apple ?tv|google ?tv|\bTV\b|BRAVIA|CrKey|\bAFT[A-Z]", re.IGNORECASE)),
    ("wearable", re.compile(r"\bwatch|\bglass\b", re.IGNORECASE)),
    ("tablet", re.compile(r"iPad|tablet(?! PC)|\bSilk/|PlayBook|Android(?!.*\bMobi)", re.IGNORECASE)),
    ("mobile", re.compile(r"iPhone|iPod|\bMobi|Windows Phone|Opera Mini|BlackBerry", re.IGNORECASE)),
]


@dataclass(frozen=True, slots=True)
class Browser:
    """The browser, such as "Chrome", "120.0.0.0", "120"."""

    name: str | None = None
    version: str | None = None
    major: str | None = None


@dataclass(frozen=True, slots=True)
class Engine:
    """What renders pages: "Blink", "WebKit", "Gecko", "Trident", "EdgeHTML" or "Presto"."""

    name: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """The system, such as "iOS", "16.0"."""

    name: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """The device: `type` is "console", "mobile", "smarttv", "tablet", "wearable", or None, as for desktops."""

    vendor: str | None = None
    model: str | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Cpu:
    """The processor: "amd64", "ia32", "arm64" or "arm"."""

    architecture: str | None = None


@dataclass(frozen=True, slots=True)
class UserAgent:
    """What a User-Agent header says; None is what it does not. `ua` is the header, its first 500 characters."""

    ua: str
    browser: Browser
    engine: Engine
    os: OperatingSystem
    device: Device
    cpu: Cpu
    is_bot: bool


def user_agent(request: NextRequest) -> UserAgent:
    """Return what the User-Agent header of a request says (Next's `userAgent`).

    Raises `ExtraError` where ua-parser is not installed.
    """
    return user_agent_from_string(request.headers.get("user-agent"))


def user_agent_from_string(text: str | None) -> UserAgent:
    """Return what a User-Agent header says, all of it unknown where there is none (Next's `userAgentFromString`)."""
    try:
        from ua_parser import parse
    except ImportError as error:
        raise ExtraError("user_agent() needs a library: pip install 'nextapi-wsgi[user-agent]'") from error

    text = (text or "")[:_MOST]
    found = parse(text).with_defaults()
    browser, system = found.user_agent, found.os
    return UserAgent(
        text,
        Browser(
            _named(browser.family, _BROWSERS),
            _version(browser.major, browser.minor, browser.patch, browser.patch_minor),
            browser.major,
        ),
        Engine(*_first(_ENGINES, text)),
        OperatingSystem(
            _named(system.family, _SYSTEMS), _version(system.major, system.minor, system.patch, system.patch_minor)
        ),
        _device(found.device.brand, found.device.model, text),
        Cpu(_first(_ARCHITECTURES, text)[0]),
        _BOT.search(text) is not None,
    )


def _device(brand: str | None, model: str | None, text: str) -> Device:
    if brand == "Spider":
        return Device()
    if brand is not None and brand.startswith("Generic"):
        brand, model = None, model if brand != "Generic" else None  # "Generic" has a kind for a model
    return Device(brand, _MODELS.get(model, model) if model else None, _first(_TYPES, text)[0])


def _named(family: str, names: dict[str, str]) -> str | None:
    return None if family == "Other" else names.get(family, family)


def _version(*parts: str | None) -> str | None:
    return ".".join(part for part in parts if part) or None


def _first(patterns: list[tuple[str, re.Pattern[str]]], text: str) -> tuple[str | None, str | None]:
    """Return the name of the first pattern that fits, and what it has found as the version."""
    for name, pattern in patterns:
        if match := pattern.search(text):
            return name, match[1] if pattern.groups else None
    return None, None
