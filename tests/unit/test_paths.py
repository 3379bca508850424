"""The path of a request: as it was sent, and as Next would have it."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextapi.routing.paths import canonical_path, cut_path, host_path, quote_path, raw_path
from nextapi.text import decode_uri_component

UNESCAPED = "/!\"$&'()*+,-./:;<=>@[\\]^_`{|}~"


@pytest.mark.parametrize(
    ("script", "info", "target", "raw"),
    [
        # The target is believed where it decodes to what WSGI says.
        ("", "/api/a", "/api/a", ("", "/api/a")),
        ("", "/api/a", "/api/a?x=/b", ("", "/api/a")),
        ("", "/api/a", "/api/a#frag?x", ("", "/api/a")),
        ("", "/api/a/b", "/api/a%2Fb?x=1", ("", "/api/a%2Fb")),
        ("", "/api/a%2Fb", "/api/a%252Fb", ("", "/api/a%252Fb")),
        ("", "/api/echo", "/api/%65cho", ("", "/api/%65cho")),
        ("", "/\xc3\xa9", "/%c3%a9", ("", "/%c3%a9")),
        ("", "/\xe9", "/%E9", ("", "/%E9")),
        ("", "/%zz", "/%zz", ("", "/%zz")),
        ("", "/a\x00b", "/a%00b", ("", "/a%00b")),
        ("", "//api/a", "//api/a", ("", "//api/a")),
        ("", "/api/\xc3\xa9", "/api/\xc3\xa9", ("", "/api/%C3%A9")),
        ("", "/api/\xc3\xa9/b/c", "/api/\xc3\xa9/b%2Fc", ("", "/api/%C3%A9/b%2Fc")),
        # Its absolute form has the path behind scheme and host.
        ("", "/api/a/b", "http://other.test/api/a%2Fb?x=http://y", ("", "/api/a%2Fb")),
        ("", "/api/a", "https://other.test:8443/api/a", ("", "/api/a")),
        ("", "/", "http://other.test", ("", "/")),
        ("/v2", "/api/a/b", "http://other.test/v2/api/a%2Fb", ("/v2", "/api/a%2Fb")),
        # A prefix is cut off by its segments.
        ("/v2", "/api/a/b", "/v2/api/a%2Fb", ("/v2", "/api/a%2Fb")),
        ("/v2", "/api/a", "/%762/api/a", ("/%762", "/api/a")),
        ("/v/2", "/api/a/b", "/v/2/api/a%2Fb", ("/v/2", "/api/a%2Fb")),
        ("/v2", "", "/v2", ("/v2", "")),
        ("/\xc3\xa9", "/x/y", "/%C3%A9/x%2Fy", ("/%C3%A9", "/x%2Fy")),
        ("/\xc3\xa9", "/x", "/\xc3\xa9/x", ("/%C3%A9", "/x")),
        ("/v/2", "/api", "/v%2F2/api", ("/v%2F2", "/api")),
        # A target that says something else is that of another request, or was rewritten.
        ("", "/api/other", "/api/a%2Fb", ("", "/api/other")),
        ("", "/api/a b", "/api/A%20b", ("", "/api/a%20b")),
        ("", "/api/a", "/v2/api/a", ("", "/api/a")),
        ("/v2", "/api/a", "/api/a", ("/v2", "/api/a")),
        ("", "/api/a/b", "/api/a%252Fb", ("", "/api/a/b")),
        # A path begins with a slash, and has nothing in it that a URL would end at, or leave out.
        ("", "*", "*", ("", "/*")),
        ("", "admin", "admin", ("", "/admin")),
        ("", "x/admin", "x/admin", ("", "/x/admin")),
        ("", "a b", "a%20b", ("", "/a%20b")),
        ("/v2", "admin", None, ("/v2", "/admin")),
        ("", "/a\tb", "/a\tb", ("", "/a%09b")),
        ("", "/a\tb/c", "/a\tb%2Fc", ("", "/a%09b%2Fc")),
        ("", "/a#b", "/a#b", ("", "/a%23b")),
        ("", "/a\x7f", "/a\x7f?x", ("", "/a%7F")),
        # Without a target the path is escaped again, one escape for every byte that needs one.
        ("", "/api/a b", None, ("", "/api/a%20b")),
        ("", "/api/a%2Fb", None, ("", "/api/a%252Fb")),
        ("", "/a?b#c", "", ("", "/a%3Fb%23c")),
        ("", "/\xc3\xa9\xff\x00", None, ("", "/%C3%A9%FF%00")),
        ("", UNESCAPED, None, ("", UNESCAPED)),
        ("/a b", "/\xe9", None, ("/a%20b", "/%E9")),
        ("", "", None, ("", "")),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("key", ["RAW_URI", "REQUEST_URI"])
def test_path_is_had_as_it_was_sent(script: str, info: str, target: str | None, raw: tuple[str, str], key: str) -> None:
    """SCRIPT_NAME and PATH_INFO are had as the client escaped them, where the server hands its target over."""
    environ = {"SCRIPT_NAME": script, "PATH_INFO": info}
    if target is not None:
        environ[key] = target
    assert raw_path(environ) == raw


def test_gunicorns_name_goes_before_the_other() -> None:
    """RAW_URI is the target itself; it goes before REQUEST_URI, which a proxy's module may have rewritten."""
    environ = {"PATH_INFO": "/a/b", "RAW_URI": "/a%2Fb", "REQUEST_URI": "/a/b"}
    assert raw_path(environ) == ("", "/a%2Fb")


@given(st.text(st.characters(codec="latin-1")))
def test_escaped_path_is_printable_and_the_same(info: str) -> None:
    """What stands in for an unknown target is ASCII without blanks, and decodes to the path."""
    _, path = raw_path({"PATH_INFO": info})
    assert all("!" <= character <= "~" for character in path)
    assert raw_path({"PATH_INFO": info, "RAW_URI": "/" + path}) == raw_path({"PATH_INFO": info})


@pytest.mark.parametrize(
    ("sent", "path", "collapsed", "had_dots", "had_end_slash"),
    [
        ("/", "/", None, False, False),
        ("/api/echo", "/api/echo", None, False, False),
        ("/api/echo/", "/api/echo", None, False, True),
        ("/api//echo", "/api/echo", "/api/echo", False, False),
        ("//api/echo", "/api/echo", "/api/echo", False, False),
        ("///api/echo", "/api/echo", "/api/echo", False, False),
        ("/api/echo//", "/api/echo", "/api/echo/", False, True),
        ("/api\\echo", "/api/echo", "/api/echo", False, False),
        ("\\\\api/echo", "/api/echo", "/api/echo", False, False),
        ("//evil.test/x", "/evil.test/x", "/evil.test/x", False, False),
        ("/\\evil.test/", "/evil.test", "/evil.test/", False, True),
        ("//", "/", "/", False, False),
        ("/api/./echo", "/api/echo", None, True, False),
        ("/api/x/../echo", "/api/echo", None, True, False),
        ("/api/x/%2e%2E/echo", "/api/echo", None, True, False),
        ("/api/x/.%2e/echo", "/api/echo", None, True, False),
        ("/api/items/.", "/api/items", None, True, True),
        ("/api/items/%2e", "/api/items", None, True, True),
        ("/api/items/..", "/api", None, True, True),
        ("/../../api", "/api", None, True, False),
        ("/..", "/", None, True, False),
        ("/api/..", "/", None, True, False),
        ("/a//../b", "/b", "/a/../b", True, False),
        # only whole segments, and only slashes that stand unescaped
        *((path, path, None, False, False) for path in ("/a%2e%2e", "/..%2fx", "/a/...", "/.well-known", "/a..")),
        *((path, path, None, False, False) for path in ("/api%2Fecho", "/a/%2F/b", "/a/%5C", "/a%2F")),
    ],
)
def test_path_is_made_canonical(
    sent: str, path: str, collapsed: str | None, had_dots: bool, had_end_slash: bool
) -> None:
    """Slashes are mended first, dot segments resolved, the last slash dropped, and each is told (1.5)."""
    assert canonical_path(sent) == (path, collapsed, had_dots, had_end_slash)


@given(st.text(st.sampled_from("/\\.%2eEa")).map("/".__add__))
def test_canonical_path_is_final(sent: str) -> None:
    """A canonical path is its own, begins with one slash, and has no empty and no dot segment."""
    path = canonical_path(sent).path
    assert canonical_path(path) == (path, None, False, False)
    assert path == "/" or all(
        part.lower().replace("%2e", ".") not in ("", ".", "..") and "\\" not in part for part in path[1:].split("/")
    )


@given(st.text(st.sampled_from("/\\.%2eEa")).map("/".__add__))
def test_path_is_canonical_where_nothing_is_told(sent: str) -> None:
    """A path differs from its canonical one only where something is told, and slashes are mended first."""
    found = canonical_path(sent)
    assert (found.path == sent) is (found == (sent, None, False, False))
    assert found.collapsed is None or canonical_path(found.collapsed) == found._replace(collapsed=None)


@pytest.mark.parametrize(
    ("segment", "value"),
    [
        # what Next.js 16 does
        *[("a%20b", "a b"), ("a+b", "a+b"), ("a%2Fb", "a/b"), ("a%2fb", "a/b"), ("%25", "%"), ("%2525", "%25")],
        *[("%3F", "?"), ("%23", "#"), ("%5C", "\\"), ("a%00b", "a\x00b"), ("a%0Ab", "a\nb"), ("a%7Fb", "a\x7fb")],
        *[("%C3%A9", "\xe9"), ("%F0%9F%98%80", "\U0001f600"), ("%EF%BF%BD", "\ufffd"), ("%EF%BB%BFa", "\ufeffa")],
        *((text, text) for text in ("a;b=1", "a:b@c", "[id]", "~user", "a'b", "a(b)", "a*b", "a|b", "-", "", "\xe9")),
    ],
    ids=ascii,
)
def test_segment_is_decoded_once(segment: str, value: str) -> None:
    """A segment is decoded as by JavaScript's decodeURIComponent: once, with "+" for itself."""
    assert decode_uri_component(segment) == value


@pytest.mark.parametrize(
    "segment",
    [*("%zz", "%", "100%", "%E9", "a%80", "%ED%A0%80", "%F4%90%80%80", "%C0%AF", "%2", "%u0041"), "%\u0661\u0661"],
)
def test_segment_that_is_no_text_is_refused(segment: str) -> None:
    """A bad escape, or bytes that are no UTF-8, are a ValueError: a 400."""
    with pytest.raises(ValueError):  # noqa: PT011  # a 400, whatever it says
        decode_uri_component(segment)


@pytest.mark.parametrize(
    ("sent", "rest", "index"),
    [
        ("/api/a", "/api/a", 0),
        ("/v2/api/a", "/api/a", 3),
        ("/v%32/api/a%2Fb", "/api/a/b", 5),
        ("/a%2Fb/api/x", "/api/x", 6),
        ("/api/api/x", "/api/x", 4),
        ("/api/a", "/api/b", None),
        ("/v2%2Fapi/a", "/api/a", None),
    ],
)
def test_cut_path(sent: str, rest: str, index: int | None) -> None:
    """A prefix ends at the slash from which on the path decodes to the rest, however it hides slashes itself."""
    assert cut_path(sent, rest, unquote) == index


def test_cut_path_is_not_slow() -> None:
    """A long path is decoded as often as its prefix has slashes, and not for each of its own."""
    calls = []
    sent = "/x" * 30_000
    assert cut_path("/v2" + sent, sent, lambda path: calls.append(1) or path) == 3
    assert len(calls) <= 20
    assert cut_path(sent + "/api", "/api", lambda path: calls.append(1) or path) == len(sent)
    assert len(calls) <= 40


@pytest.mark.parametrize(
    ("path", "quoted"), [("/a b/\xe9%?#", "/a%20b/%C3%A9%25%3F%23"), (UNESCAPED, UNESCAPED)], ids=ascii
)
def test_decoded_path_is_quoted_as_utf8(path: str, quoted: str) -> None:
    """A path that is known only decoded is escaped as a client would escape it."""
    assert quote_path(path) == quoted


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("/a/b", "/a/b"),
        ("/%61/b%20c", "/a/b%20c"),
        ("/a%2fb", "/a/b"),
        ("/a/%C3%A9", "/a/%C3%A9"),
        ("/a/%ff", "/a/%FF"),
        ("/a/../b", "/b"),
        ("/a/%2e%2E/b/.", "/b/"),
        ("/../..", "/"),
        ("//a//b/", "/a//b/"),
        ("/%2fa", "/a"),
        ("/a%5C..", "/a%5C.."),
        ("/%252e%252e/a", "/%252e%252e/a"),
        ("a", "/a"),
        ("", ""),
    ],
)
def test_path_as_a_host_has_it(sent: str, seen: str) -> None:
    """A path is decoded once and loses its dot segments; what is left is escaped, and stays as it is if asked again."""
    assert host_path(sent) == seen
    assert host_path(seen) == seen
