"""A CORS policy: whom it allows, what its answers say, and what cannot be one."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from nextapi import NextRequest, NextResponse, Response, cors
from nextapi.errors import CorsError, HTTPError
from nextapi.guard import check_same_origin
from nextapi.web.cors import Cors, policy_of
from nextapi.web.request import message_of

APP, OTHER = "https://app.example", "https://other.example"


def asked(origin: str | None = APP, method: str = "GET", **headers: str) -> NextRequest:
    """Return a request of a page of `origin`."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return NextRequest("https://api.example/data", method=method, headers={"origin": origin, **given})


def preflight(origin: str = APP, method: str = "PUT", **headers: str) -> NextRequest:
    """Return what a browser asks before a request of a page of `origin`."""
    return asked(origin, "OPTIONS", access_control_request_method=method, **headers)


def applied(policy: Cors, origin: str | None = APP, response: Response | None = None) -> dict[str, str]:
    """Return the headers of an answer."""
    return dict(policy.apply(asked(origin), response or Response()).headers)


def test_every_origin() -> None:
    """An answer for all is the same for all: it says so, and varies by nothing."""
    for origin in (APP, OTHER, "null", None):
        assert applied(cors(), origin) == {"access-control-allow-origin": "*"}


@pytest.mark.parametrize(
    "origin",
    [
        APP,
        [APP],
        [OTHER, APP],
        re.compile(r"https://[a-z]+\.example"),
        [OTHER, re.compile("https://app.*")],
        lambda origin: origin == APP,
    ],
)
def test_an_origin_that_is_allowed(origin: Any) -> None:
    """It is named, and caches are told that it depends on who asks."""
    assert applied(cors(origin=origin)) == {"access-control-allow-origin": APP, "vary": "Origin"}


@pytest.mark.parametrize("origin", [APP, [APP], re.compile("https://app"), lambda origin: origin == APP])
@pytest.mark.parametrize("sender", [OTHER, "https://app.example.evil", "http://app.example", "null", None])
def test_an_origin_that_is_not(origin: Any, sender: str | None) -> None:
    """Nothing is said but that another may have another answer: a pattern matches an origin as a whole."""
    assert applied(cors(origin=origin, credentials=True, exposed_headers=["x"]), sender) == {
        "vary": "Origin",
        "access-control-expose-headers": "x",
    }


@pytest.mark.parametrize("origin", [re.compile(".*"), lambda _: True, [re.compile("null")]])
def test_null_is_allowed_where_it_is_listed(origin: Any) -> None:
    """Any page can send it, from a frame of its own: a pattern or a function does not mean it."""
    assert "access-control-allow-origin" not in applied(cors(origin=origin), "null")
    assert applied(cors(origin=["null"]), "null")["access-control-allow-origin"] == "null"


def test_a_function_says_true() -> None:
    """What is merely not false, such as a coroutine, allows nobody."""
    assert "access-control-allow-origin" not in applied(cors(origin=lambda _: "yes"))  # type: ignore[arg-type,return-value]


def test_credentials_and_exposed_headers() -> None:
    """Both are said of the origins that may use them."""
    policy = cors(origin=[APP], credentials=True, exposed_headers="X-Total, X-Page")
    assert applied(policy) == {
        "access-control-allow-origin": APP,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "X-Total, X-Page",
        "vary": "Origin",
    }


def test_what_is_there_already() -> None:
    """The policy decides what the answer says of origins; Vary keeps what it has."""
    own = Response(headers={"Vary": "Cookie", "Access-Control-Allow-Origin": "*", "X-Own": "1"})
    assert applied(cors(origin=[APP]), APP, own) == {
        "x-own": "1",
        "access-control-allow-origin": APP,
        "vary": "Cookie, Origin",
    }
    for vary in ("*", "Origin", "accept, origin"):
        assert applied(cors(origin=[APP]), OTHER, Response(headers={"vary": vary}))["vary"] == vary
    own = Response(headers={"access-control-allow-origin": "*", "access-control-allow-credentials": "true"})
    assert applied(cors(origin=[APP]), OTHER, own) == {"vary": "Origin"}


def test_a_preflight() -> None:
    """Any header may be set unless they are listed; the methods are the usual ones."""
    answer = cors(origin=[APP], max_age=600).preflight(preflight(access_control_request_headers="x-a,x-b"))
    assert answer is not None
    assert (answer.status, answer.bytes()) == (204, b"")
    assert dict(answer.headers) == {
        "access-control-allow-origin": APP,
        "access-control-allow-methods": "GET, HEAD, PUT, PATCH, POST, DELETE",
        "access-control-allow-headers": "x-a,x-b",
        "access-control-max-age": "600",
        "vary": "Origin, Access-Control-Request-Headers",
    }


def test_a_preflight_of_what_is_listed() -> None:
    """Lists are said as they are, whatever was asked for; for all origins nothing varies."""
    policy = cors(methods=["get", "PATCH"], allowed_headers=["Content-Type", "X-A"])
    answer = policy.preflight(preflight(method="DELETE", access_control_request_headers="x-b"))
    assert answer is not None
    assert dict(answer.headers) == {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "GET, PATCH",
        "access-control-allow-headers": "Content-Type, X-A",
    }
    none = cors(allowed_headers=[]).preflight(preflight(access_control_request_headers="x-b"))
    assert none is not None
    assert "access-control-allow-headers" not in none.headers


def test_a_preflight_that_is_refused() -> None:
    """It says nothing that would allow anything."""
    answer = cors(origin=[APP], max_age=600, credentials=True).preflight(preflight(OTHER))
    assert answer is not None
    assert dict(answer.headers) == {"vary": "Origin, Access-Control-Request-Headers"}


@pytest.mark.parametrize(
    "request_",
    [
        asked(method="OPTIONS"),
        asked(access_control_request_method="PUT"),
        asked(None, "OPTIONS", access_control_request_method="PUT"),
    ],
)
def test_what_is_no_preflight(request_: NextRequest) -> None:
    """It is OPTIONS, with an origin and the method that is asked for."""
    assert cors().preflight(request_) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"credentials": True}, "origin='\\*' with credentials: .* browsers refuse it; name the origins"),
        ({"origin": [APP], "credentials": True, "allowed_headers": "*"}, "allowed_headers='\\*' with credentials"),
        ({"origin": [APP], "credentials": True, "exposed_headers": ["*"]}, "exposed_headers='\\*'"),
        ({"origin": [APP], "credentials": True, "methods": "*"}, "methods='\\*'"),
        ({"origin": [APP, "*"]}, "has '\\*' in a list"),
        ({"origin": "app.example"}, "as a browser sends it"),
        ({"origin": APP + "/"}, "without a path or a slash at the end"),
        ({"origin": "https://App.example"}, "in lower case"),
        ({"origin": ["https://*.example"]}, r"re.compile\("),
        ({"origin": "https://app.example:443"}, "its scheme's own port"),
        ({"origin": [3]}, "origin 3 is none"),
        ({"origin": 3}, "origin is 3"),
        ({"origin": True}, "origin is True"),
        ({"methods": ["GET POST"]}, "methods has 'GET POST'"),
        ({"allowed_headers": ["a\r\nb"]}, "allowed_headers has"),
        ({"max_age": -1}, "max_age is -1"),
        ({"max_age": "600"}, "max_age is '600'"),
    ],
)
def test_what_is_no_policy(options: dict[str, Any], message: str) -> None:
    """It is refused when it is made, with the reason and what to write instead."""
    with pytest.raises(CorsError, match=message):
        cors(**options)


def test_a_decorated_function() -> None:
    """It takes and returns what it did, and the same function without the decorator has no policy."""

    def handler(request: NextRequest, *, loud: bool = False) -> Response:
        """Say hello."""
        return Response("HELLO" if loud else "hello")

    policy = cors(origin=[APP])
    decorated = policy(handler)
    assert (policy_of(decorated), policy_of(handler)) == (policy, None)
    assert inspect.signature(decorated) == inspect.signature(handler)
    assert decorated.__doc__ == "Say hello."
    assert decorated(asked(), loud=True).text() == "HELLO"
    with pytest.raises(CorsError, match="decorates a function, not 3"):
        policy(3)  # type: ignore[type-var]


def may_post(policy: Cors, *, is_applied: bool = False, **headers: str) -> bool:
    """Say whether the guard lets a form of another site pass that has no preflight."""
    request = asked(method="POST", **{"content_type": "text/plain", "sec_fetch_site": "cross-site", **headers})
    if is_applied:
        policy.apply(request, NextResponse.next())
    try:
        check_same_origin(message_of(request), frozenset(), lambda _: None, None if is_applied else policy)
    except HTTPError as error:
        return error.status != 403
    return True


@pytest.mark.parametrize("is_applied", [False, True])
def test_the_guard_and_a_policy(is_applied: bool) -> None:
    """The origins of a policy may post, those of no other; without `credentials` not with the visitor's."""
    assert may_post(cors(), is_applied=is_applied)
    assert may_post(cors(origin=[APP]), is_applied=is_applied)
    assert not may_post(cors(origin=[OTHER]), is_applied=is_applied)
    for name in ("cookie", "authorization"):
        assert not may_post(cors(), is_applied=is_applied, **{name: "session=1"})
        assert not may_post(cors(origin=[APP]), is_applied=is_applied, **{name: "session=1"})
        assert may_post(cors(origin=[APP], credentials=True), is_applied=is_applied, **{name: "session=1"})
