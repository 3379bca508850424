"""The same-origin guard, question by question in its order."""

from __future__ import annotations

import pytest

from nextapi.errors import HTTPError
from nextapi.guard import check_same_origin
from nextapi.http.message import Request

TRUSTED = frozenset({"https://trusted.test", "https://*.wild.test", "http://dev.test:3000"})
HOST = "example.com"


def _post(headers: dict[str, str]) -> Request:
    keys = {name: name.upper().replace("-", "_") for name in headers}
    environ = {key if key == "CONTENT_TYPE" else f"HTTP_{key}": headers[name] for name, key in keys.items()}
    return Request("POST", "/api/a", "", environ, None, None)


def _passes(headers: dict[str, str], host: str | None = HOST) -> bool:
    request = _post(headers)
    try:
        check_same_origin(request, TRUSTED, lambda asked: host if asked is request else None)
    except HTTPError:
        return False
    return True


CROSS = {"origin": "https://evil.test", "sec-fetch-site": "cross-site"}


@pytest.mark.parametrize(
    ("content_type", "guarded"),
    [
        (None, True),
        ("", True),
        ("application/x-www-form-urlencoded", True),
        ("multipart/form-data; boundary=x", True),
        ("text/plain", True),
        ("Text/Plain;charset=utf-8", True),
        (" text/plain ; x=y", True),
        ("application/json", False),
        ("text/html", False),
        ("text/plain2", False),
        ("text/plain, application/json", False),  # no media type: a browser asks first
    ],
)
def test_only_what_a_form_could_send_is_looked_at(content_type: str | None, guarded: bool) -> None:
    """A POST is guarded where its content type is absent or one that a browser sends without a preflight."""
    headers = CROSS if content_type is None else {**CROSS, "content-type": content_type}
    assert _passes(headers) is not guarded


@pytest.mark.parametrize(
    ("origin", "passes"),
    [
        ("https://trusted.test", True),
        ("http://dev.test:3000", True),
        ("https://a.wild.test", True),
        ("https://a.b.wild.test", True),
        ("https://wild.test", False),
        ("https://notwild.test", False),
        ("http://a.wild.test", False),
        ("http://trusted.test", False),
        ("https://trusted.test:8443", False),
        ("https://trusted.test.evil.test", False),
        ("https://sub.trusted.test", False),
        ("http://dev.test", False),
        ("null", False),
    ],
)
@pytest.mark.parametrize("site", ["cross-site", None], ids=["with Sec-Fetch-Site", "without"])
def test_trusted_origin_goes_before_everything(origin: str, passes: bool, site: str | None) -> None:
    """First, an origin in `trusted_origins` passes, whatever else the request says; it is compared whole."""
    headers = {"origin": origin} if site is None else {"origin": origin, "sec-fetch-site": site}
    assert _passes(headers) is passes


@pytest.mark.parametrize(
    ("site", "passes"),
    [
        ("same-origin", True),
        ("none", True),
        ("same-site", False),
        ("cross-site", False),
        ("", False),
        ("Same-Origin", False),
        ("same-origin, cross-site", False),
    ],
)
@pytest.mark.parametrize("origin", [None, "https://example.com", "https://evil.test", "null"])
def test_sec_fetch_site_decides_where_it_is_sent(site: str, passes: bool, origin: str | None) -> None:
    """Second, Sec-Fetch-Site alone decides, whether Origin agrees or not."""
    headers = {"sec-fetch-site": site} if origin is None else {"sec-fetch-site": site, "origin": origin}
    assert _passes(headers) is passes


@pytest.mark.parametrize("host", [HOST, None, ""])
def test_request_without_origin_passes(host: str | None) -> None:
    """Third, what has no Origin comes from no browser, or from one that cannot say."""
    assert _passes({}, host)


@pytest.mark.parametrize(
    "origin",
    [
        *(
            "null",
            "",
            " ",
            "example.com",
            "//example.com",
            "https://",
            "https:example.com",
            "file://",
            "ftp://example.com",
        ),
        *(
            "https://example.com https://example.com",
            "https://example.com, https://example.com",
            "https://example.com/",
        ),
        *("https://user@example.com", "https://example.com:bad", "https://[example.com", "https://example.com?x"),
        *("https://example.com#x", "https://example.com:99999", "chrome-extension://example.com"),
    ],
)
def test_origin_that_is_not_one_is_refused(origin: str) -> None:
    """Fourth, an Origin that is null, unreadable or several is refused."""
    assert not _passes({"origin": origin})


@pytest.mark.parametrize("host", [None, "", "example.com:bad", "[example.com", ":443"])
def test_host_that_is_none_is_refused(host: str | None) -> None:
    """An Origin with no readable Host to compare it to is refused."""
    assert not _passes({"origin": "https://example.com"}, host)


@pytest.mark.parametrize(
    ("origin", "host", "passes"),
    [
        ("https://example.com", "example.com", True),
        ("https://example.com", "example.com:443", True),
        ("https://example.com:443", "example.com", True),
        ("http://example.com", "example.com:80", True),
        ("http://example.com", "example.com", True),
        ("https://example.com", "EXAMPLE.com", True),
        ("http://localhost:3000", "localhost:3000", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("https://example.com", "example.com:80", False),
        ("http://example.com", "example.com:443", False),
        ("https://example.com:8443", "example.com", False),
        ("https://example.com", "example.com:8443", False),
        ("http://localhost:3000", "localhost:5000", False),
        ("https://evil.test", "example.com", False),
        ("https://example.com.evil.test", "example.com", False),
        ("https://evilexample.com", "example.com", False),
        ("https://sub.example.com", "example.com", False),
        ("https://example.com", "sub.example.com", False),
    ],
)
def test_origin_must_be_the_host(origin: str, host: str, passes: bool) -> None:
    """Last, host and port of Origin and Host must be equal, the default port of Origin's scheme left out."""
    assert _passes({"origin": origin}, host) is passes


@pytest.mark.parametrize(
    ("headers", "sender"),
    [({"origin": "https://evil.test"}, "https://evil.test"), ({"sec-fetch-site": "cross-site"}, "another site")],
)
def test_refusal_names_the_origin_and_the_settings(headers: dict[str, str], sender: str) -> None:
    """The 403 says whom it refused, and both ways to allow it."""
    with pytest.raises(HTTPError, match=f"from {sender} refused") as raised:
        check_same_origin(_post(headers), TRUSTED, lambda _: HOST)
    assert raised.value.status == 403
    assert "trusted_origins" in raised.value.message
    assert 'config = {"api": {"sameOrigin": False}}' in raised.value.message
