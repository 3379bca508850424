"""nextapi's answers are Next's, on a real server, through every host."""

from __future__ import annotations

import pytest

from tests.conformance.replay import RECORDINGS, Declared, Recording, compare, declarations, differences
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


def test_what_next_renders_or_caches_is_not_played() -> None:
    """Pages, the route handlers in the page cache and the rules of next.config.js are left out, and nothing else is."""
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


@pytest.mark.parametrize("line", declarations(), ids=lambda line: f"{line.host}/{line.cases}")
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
