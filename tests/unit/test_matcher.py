"""The matcher of a middleware, against recorded requests to Next, and its faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextapi.http.message import Request
from nextapi.middleware.matcher import Matcher, read_matcher
from nextapi.testing import load

DATA = Path(__file__).parents[1] / "conformance/data"
GOLDEN = json.loads((DATA / "golden.json").read_text("utf-8"))
# The first is a redirect, before which no middleware runs.
CASES = [
    case
    for case in json.loads((DATA / "cases.json").read_text("utf-8"))
    if case["id"].startswith("matcher-") and GOLDEN[case["id"]]["status"] != 308
]

# The matcher of the app that was recorded.
CONFIG = load(Path(__file__).parents[1] / "conformance/web/middleware.py").config


def matcher_of(config: object) -> Matcher:
    matcher, faults = read_matcher(config)
    assert faults == []
    return matcher


def matches(matcher: Matcher, target: str, headers: list[list[str]] | None = None) -> bool:
    path, _, query = target.partition("?")
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers or []}
    return matcher.matches(Request("GET", path, query, environ, None, None), path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']} {case['about']}")
def test_runs_where_next_runs(case: dict[str, Any]) -> None:
    """The middleware runs for the recorded requests for which Next's did."""
    request = case["request"]
    headers = [["Host", "localhost:4310"], *request["headers"]]
    ran = (GOLDEN[case["id"]]["body"] or "").startswith("matched ")
    assert matches(matcher_of(CONFIG), request["target"], headers) is ran


@pytest.mark.parametrize(
    ("target", "headers", "expected"),
    [
        ("/mwx/has-query?q", [], False),
        ("/mwx/has-query?q=&q=", [], True),  # in Next a list, which is never empty
        ("/mwx/has-query?%71=1", [], True),
        ("/mwx/has-queryval?q=%6Fn", [], True),
        ("/mwx/has-queryval?q=on%0A", [], False),
        ("/mwx/has-queryval?q=on&q=", [], False),
        ("/mwx/has-headerval", [["X-One", "oh yes"]], False),
        ("/mwx/has-headerval", [["X-One", "yes, no"]], True),
        ("/mwx/has-cookie", [["Cookie", "x=1; sid=2"]], True),
        ("/mwx/has-cookie", [["Cookie", "sid="]], False),
        ("/mwx/has-cookie", [["Cookie", 'sid=""']], False),
        ("/mwx/has-cookie", [["Cookie", "sid"]], False),
        ("/mwx/has-cookie", [["Cookie", "sid=; sid=2"]], False),  # the first one counts
        ("/mwx/has-cookie", [["Cookie", "SID=1"]], False),
        ("/mwx/has-host", [], False),
        ("/mwx/has-host", [["Host", ""]], False),
        ("/mwx/has-host", [["Host", "oracle.test.evil"]], False),
        ("/mwx/has-host", [["X-Forwarded-Host", "oracle.test"]], False),
        ("/mwx/missing", [["X-Skip", ""]], True),
        ("/mwx/both?q=1", [["X-One", "1"], ["Cookie", "nomw="]], True),
    ],
)
def test_conditions(target: str, headers: list[list[str]], expected: bool) -> None:
    """What is empty is not there, of repeated values the last counts, of cookies the first."""
    assert matches(matcher_of(CONFIG), target, headers) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/mwx/%61", True),
        ("/%6D%77x/a", True),
        ("/mwx%2Fa", True),
        ("/mwx/%41", False),
        ("/mwx/%2561", False),  # decoded once
        ("/mwx/one/a%2Fb", True),
        ("/mwx/one/%zz", True),
        ("/mwx/%6Fne/%zz", True),
        ("/mwx/%6Fne/%ff", True),
        ("/mwx/re/%31", True),
        ("/mwx/neg/%73kip", True),  # not as it was sent, which is enough
        ("/mwx/%6Fne/a%23b", True),
        ("/mwx/%6Fne/a%3Fb", True),
        ("/api/%6Dw/a%0Ab%0D/c", True),
    ],
)
def test_escapes_hide_no_path(path: str, expected: bool) -> None:
    """A path matches as it was sent, or decoded once; escapes that are none keep no other from being decoded."""
    assert matches(matcher_of(CONFIG), path) is expected


def test_conditions_hold_for_the_rule_that_names_the_path() -> None:
    """A path of two rules matches if all conditions of one of them are met."""
    has_a, has_b = ({"type": "header", "key": key} for key in ("x-a", "x-b"))
    matcher = matcher_of({"matcher": [{"source": "/:p", "has": [has_a, has_b]}, {"source": "/a", "missing": [has_a]}]})
    assert matches(matcher, "/a")
    assert not matches(matcher, "/b")
    assert not matches(matcher, "/a", [["X-A", "1"]])
    assert matches(matcher, "/a", [["X-A", "1"], ["X-B", "1"]])
    assert matches(matcher, "/a", [["X-B", "1"]])


def test_host_is_compared_without_case_on_both_sides() -> None:
    """A host that is written in capitals is met by the same in small letters, whatever its port."""
    matcher = matcher_of({"matcher": {"source": "/", "has": [{"type": "host", "value": "Shop\\.Example"}]}})
    assert matches(matcher, "/", [["Host", "shop.example:8000"]])
    assert not matches(matcher, "/", [["Host", "shopxexample"]])


def test_alternatives_of_a_value_are_anchored_together() -> None:
    """Each alternative of a value has to be the whole of what was sent."""
    matcher = matcher_of({"matcher": {"source": "/", "missing": [{"type": "header", "key": "x-a", "value": "on|off"}]}})
    assert [matches(matcher, "/", [["X-A", text]]) for text in ("on", "off", "once", "x off")] == [
        False,
        False,
        True,
        True,
    ]


def test_without_matcher_everything_matches() -> None:
    """A config without `matcher`, and a matcher with a fault, take every request; an empty list takes none."""
    for config in ({}, {"runtime": "edge"}):
        assert matches(matcher_of(config), "/_next/static/x.js")
    assert not matches(matcher_of({"matcher": []}), "/")
    faulty, faults = read_matcher({"matcher": ["/a", "b"]})
    assert faults
    assert matches(faulty, "/c")


HEADERS = st.dictionaries(
    st.sampled_from(["x-middleware-subrequest", "x-middleware-next", "x-middleware-rewrite", "purpose", "next-action"])
    | st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1),
    st.text(max_size=9) | st.just("middleware:middleware:middleware:middleware:middleware"),
)


@given(HEADERS, st.sampled_from(["/mwx/a", "/mwx/b", "/mwx/one/1"]))
def test_no_header_decides_that_no_rule_names(headers: dict[str, str], path: str) -> None:
    """Headers change nothing for a path whose rules ask for none."""
    matcher = matcher_of(CONFIG)
    assert matches(matcher, path, [[*item] for item in headers.items()]) is matches(matcher, path)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_escaped_spelling_matches(text: str) -> None:
    """Text of a source is met by each spelling of it, escaped in full or where it has to be."""
    source = "/" + "".join(f"\\{character}" for character in text)
    matcher = matcher_of({"matcher": source})
    assert matches(matcher, quote("/" + text))
    assert matches(matcher, "/" + "".join(f"%{byte:02x}" for byte in text.encode()))


def test_accepts_what_next_accepts() -> None:
    """The other keys of a config, `locale: False`, an empty value and tuples are no faults."""
    config = {
        "matcher": ({"source": "/a", "locale": False, "has": ({"type": "query", "key": "q", "value": ""},)},),
        "runtime": "experimental-edge",
        "regions": ["fra1"],
        "unstable_allowDynamic": "**/x.js",
        "allowDynamic": [],
    }
    matcher = matcher_of(config)
    assert matches(matcher, "/a?q=1")
    assert not matches(matcher, "/a?q=")


PLACE = "config['matcher']"
FAULTS = [
    (None, ["config is None (NoneType), not a dict"]),
    ({"matchers": "/a"}, ["config has the unknown key 'matchers'; did you mean 'matcher'?"]),
    ({"runtime": "node"}, ["config['runtime'] is 'node'; did you mean 'nodejs'?"]),
    ({"matcher": None}, [f"{PLACE} is None (NoneType), not a path, or a dict with 'source', or a list of these"]),
    ({"matcher": ["/a", 1]}, [f"{PLACE}[1] is 1 (int), not a path, or a dict with 'source', or a list of these"]),
    ({"matcher": "api"}, [f"{PLACE}: source must start with / at \"matcher\": write '/api', not 'api'"]),
    ({"matcher": {}}, [f"{PLACE} has no 'source', a path"]),
    ({"matcher": {"source": 1}}, [f"{PLACE}['source'] is 1 (int), not a path"]),
    (
        {"matcher": {"source": "/a", "regexp": ".*", "locale": True}},
        [
            f"{PLACE} has the unknown key 'regexp'; there is source, has, missing, locale",
            f"{PLACE}['locale'] is True (bool): it can only be False",
        ],
    ),
    ({"matcher": {"source": "/a", "has": {}}}, [f"{PLACE}['has'] is {{}} (dict), not a list of dicts"]),
    ({"matcher": {"source": "/a", "missing": ["x"]}}, [f"{PLACE}['missing'][0] is 'x' (str), not a dict"]),
]
ITEM_FAULTS = [
    ({}, "['type'] is None; there is header, cookie, query, host"),
    ({"type": "headers", "key": "a"}, "['type'] is 'headers'; did you mean 'header'?"),
    ({"type": []}, "['type'] is []; there is header, cookie, query, host"),
    ({"type": "query"}, ": key is required when type is header, query or cookie; it is the name to look for"),
    ({"type": "query", "key": 1}, ": key is required when type is header, query or cookie; it is the name to look for"),
    ({"type": "host"}, ": host must have a value, a regular expression for the host's name"),
    ({"type": "host", "key": "a", "value": "b"}, " has the unknown key 'key'; there is type, value"),
    ({"type": "query", "key": "a", "values": "b"}, " has the unknown key 'values'; did you mean 'value'?"),
    (
        {"type": "query", "key": "a", "value": 1},
        "['value'] is 1 (int): value must be a string, a regular expression",
    ),
    (
        {"type": "query", "key": "a", "value": "["},
        (
            "['value']: '[' is no regular expression that Python can run: "
            "the character class at 0 has no end: write \\[ for the bracket itself"
        ),
    ),
]


@pytest.mark.parametrize(("config", "faults"), FAULTS, ids=lambda value: repr(value)[:60])
def test_names_the_faults(config: object, faults: list[str]) -> None:
    """Each fault is named with its place, and what is there instead."""
    assert read_matcher(config)[1] == faults


@pytest.mark.parametrize(("item", "fault"), ITEM_FAULTS, ids=lambda value: repr(value)[:60])
def test_names_the_fault_of_a_condition(item: dict[str, object], fault: str) -> None:
    """A fault in `has` and the same in `missing` are both named."""
    _, faults = read_matcher({"matcher": [{"source": "/a", "has": [item], "missing": [item]}]})
    assert faults == [f"{PLACE}[0]['has'][0]{fault}", f"{PLACE}[0]['missing'][0]{fault}"]
