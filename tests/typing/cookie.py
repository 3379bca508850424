"""Cookies: the setCookie of Next's documentation, and what `serialize_cookie` takes."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Unpack, assert_type

from nextapi import CookieSerializeOptions, NextApiRequest, NextApiResponse, parse_cookie, serialize_cookie


def set_cookie(res: NextApiResponse, name: str, value: object, **options: Unpack[CookieSerializeOptions]) -> None:
    """Set a cookie by the response."""
    text = "j:" + json.dumps(value) if isinstance(value, dict | list) else str(value)
    max_age = options.get("max_age")
    assert_type(max_age, float | None)
    if max_age is not None:
        options["expires"] = datetime.now(UTC) + timedelta(seconds=max_age)
    res.set_header("Set-Cookie", serialize_cookie(name, text, **options))


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    """Show the header that was set."""
    set_cookie(res, "Next.js", "api-middleware!", path="/", max_age=2592000)
    res.end(res.get_header("Set-Cookie"))
    set_cookie(res, "a", 1, maxAge=60)  # type: ignore[call-arg]
    set_cookie(res, "a", 1, same_site="always")  # type: ignore[arg-type]


options: CookieSerializeOptions = {"http_only": True, "secure": True, "same_site": "lax", "priority": "high"}
misspelt: CookieSerializeOptions = {"httpOnly": True}  # type: ignore[typeddict-unknown-key]

assert_type(serialize_cookie("a", "1", **options), str)
assert_type(parse_cookie("a=1"), dict[str, str])
serialize_cookie("a", 1)  # type: ignore[arg-type]
serialize_cookie("a", "1", expires="tomorrow")  # type: ignore[arg-type]
