"""nextapi's answers are Next's, on a real server, through every host."""

from __future__ import annotations

import json

import pytest

from tests.conformance.replay import HERE, RECORDINGS, Declared, Recording, compare, declarations, differences
from tests.support.hosts import HOSTS


@pytest.mark.parametrize("recording", RECORDINGS.values(), ids=RECORDINGS)
@pytest.mark.parametrize("host", HOSTS)
def test_answers_are_next_s_or_declared(host: str, recording: Recording) -> None:
    """Every recorded request is answered as by Next, or its difference is declared, with a reason."""
    result = compare(host, recording)
    assert not result.different
    assert not result.stale
    total = result.equal + result.declared.total()
    assert result.equal >= 0.8 * total
    assert result.declared["meant"] < 0.08 * total


def test_what_next_renders_or_caches_is_no_api() -> None:
    """Where there are no pages, they and the route handlers in the page cache are left out."""
    played = {case["id"] for case in RECORDINGS["plain"].cases()}
    assert {
        "edge-text",
        "rh-empty",
        "mw-next",
        "matcher-08",
        "rhroute-Upper",
        "rhstaticdefault-1",
        "reval-rh",
    } <= played
    assert played.isdisjoint(
        {"isr-one-1", "isr-ssr", "method-page-post", "rhisr-1", "rhisr60", "rhstatic-1", "rhroute-30"}
    )


def test_what_next_renders_or_caches_is_a_recording_of_its_own() -> None:
    """Pages and route handlers in the page cache are played to apps that have them, after what leads to them."""
    cases = RECORDINGS["pages"].cases()
    played = [case["id"] for case in cases]
    assert {"isr-one-1", "isr-ssr", "isr-data", "method-page-post", "rhisr-1", "rhisr60", "rhroute-30"} < set(played)
    assert played.index("flow-draft-1") < played.index("flow-draft-isr")
    assert not {"rhstaticdefault-1", "rhroute-36", "method-pages-GET", "echo"}.intersection(played)
    left_out = {case["id"] for case in json.loads((HERE / "data" / "cases.json").read_text())}
    left_out -= {*played, *(case["id"] for case in RECORDINGS["plain"].cases())}
    assert all(name.startswith("cfg-") for name in left_out)


@pytest.mark.parametrize(
    "line", [*declarations(), *declarations(has_pages=True)], ids=lambda line: f"{line.host}/{line.cases}"
)
def test_every_declaration_has_a_reason(line: Declared) -> None:
    """A declared difference stands under a heading and says why."""
    assert line.heading
    assert len(line.reason) > 10


def test_the_comparison_can_fail() -> None:
    """A status, a header and a body that differ are each noticed."""
    recorded = {"status": 200, "reason": "OK", "headers": [["X-A", "1"]], "body": "a"}
    assert differences(recorded, recorded) == []
    assert differences(recorded, {**recorded, "status": 201}) == ["status 201, not 200"]
    assert differences(recorded, {**recorded, "headers": []}) == ["headers [], not [('x-a', '1')]"]
    assert differences(recorded, {**recorded, "body": "b"}) == ["body 'b', not 'a'"]


def test_the_comparison_of_pages_can_fail() -> None:
    """Of a page, the text and what is said of keeping it are compared where the app has pages."""
    recorded = {"status": 200, "reason": "OK", "headers": [["x-nextjs-cache", "HIT"]], "html": {"text": "1 &amp; 2"}}
    kept = [["X-NextJS-Cache", "HIT"], ["Age", "3"], ["ETag", '"a"'], ["Content-Length", "3"]]
    answer = {"status": 200, "reason": "OK", "headers": kept, "body": "<title>A</title><p>1 &#38; 2</p>"}
    assert differences(recorded, answer, has_pages=True) == []
    assert differences(recorded, {**answer, "headers": []}, has_pages=True) == [
        "headers [], not [('x-nextjs-cache', 'HIT')]"
    ]
    assert differences(recorded, {**answer, "body": "<p>2</p>"}, has_pages=True) == ["text '<p>2</p>', not '1 & 2'"]
    assert differences(recorded, {**answer, "headers": [], "body": ""}) == []
