"""When an error is answered as a problem document."""

from __future__ import annotations

import pytest

from nextapi.http.accept import prefers_json


@pytest.mark.parametrize(
    ("accept", "prefers"),
    [
        (None, False),
        ("", False),
        ("application/json", True),
        ("APPLICATION/JSON", True),
        ("application/problem+json", True),
        ("text/html, application/json", True),
        ("application/json, text/plain, */*", True),  # axios
        ("application/json;q=0.2, */*;q=0.9", True),
        ("application/problem+json;q=0.5, text/html;q=0.5", True),
        ("application/json;q=0.1, application/problem+json, text/html;q=0.9", True),
        ("*/*", False),
        ("application/*", False),
        ("text/html", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),  # a browser
        ("application/json;q=0", False),
        ("application/json;q=0, */*", False),
        ("application/json;q=0.5, application/xml", False),
        ("application/json;q=0.5, application/*", False),
        ("text/json, application/vnd.api+json", False),
        (",;,=", False),
    ],
)
def test_json_is_preferred_where_it_is_named_and_nothing_is_rather_wanted(accept: str | None, prefers: bool) -> None:
    """A JSON type must be named, with a q not below any other's; `*/*` names nothing and stands against nothing."""
    assert prefers_json(accept) is prefers
