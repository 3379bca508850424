import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from nextapi import NextRequest, NextResponse, PageConfig, Response, ResponseCookies

from ....lib.edge_echo import shown_cookie

config: PageConfig = {"runtime": "edge"}
d = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
epoch = datetime(1970, 1, 1, tzinfo=UTC)


class Noting:
    """Set cookies, and note the order in which the options of the last call were written."""

    def __init__(self, cookies: ResponseCookies) -> None:
        self.cookies, self.order = cookies, list[str]()

    def set(self, name: str, value: Any, **options: Any) -> "Noting":
        self.order = list(options)
        self.cookies.set(name, value, **options)
        return self

    def delete(self, name: str, **options: Any) -> None:
        self.order = list(options)
        self.cookies.delete(name, **options)


def setdelete(k: Noting) -> None:
    k.set("a", "1", path="/p")
    k.delete("a")


sets: dict[str, Callable[[Noting], object]] = {
    "simple": lambda k: k.set("a", "1"),
    "object": lambda k: k.set("a", "1", path="/x"),
    "httponly": lambda k: k.set("a", "1", http_only=True),
    "secure": lambda k: k.set("a", "1", secure=True),
    "lax": lambda k: k.set("a", "1", same_site="lax"),
    "strict": lambda k: k.set("a", "1", same_site="strict"),
    "nonecap": lambda k: k.set("a", "1", same_site="None"),
    "sstrue": lambda k: k.set("a", "1", same_site=True),
    "ssfalse": lambda k: k.set("a", "1", same_site=False),
    "ssbad": lambda k: k.set("a", "1", same_site="bogus"),
    "maxage": lambda k: k.set("a", "1", max_age=60),
    "maxage0": lambda k: k.set("a", "1", max_age=0),
    "maxageneg": lambda k: k.set("a", "1", max_age=-1),
    "maxagefloat": lambda k: k.set("a", "1", max_age=1.5),
    "expires": lambda k: k.set("a", "1", expires=d),
    "expiresnum": lambda k: k.set("a", "1", expires=d),  # milliseconds in JavaScript; a datetime in Python
    "expires0": lambda k: k.set("a", "1", expires=epoch),
    "path": lambda k: k.set("a", "1", path="/sub"),
    "pathempty": lambda k: k.set("a", "1", path=""),
    "pathundef": lambda k: k.set("a", "1", path=None),
    "domain": lambda k: k.set("a", "1", domain="example.com"),
    "priority": lambda k: k.set("a", "1", priority="high"),
    "prioritycap": lambda k: k.set("a", "1", priority="Medium"),
    "partitioned": lambda k: k.set("a", "1", partitioned=True, secure=True),
    "all": lambda k: k.set(
        "a", "1", path="/p", expires=d, max_age=60, domain="example.com", secure=True, http_only=True,
        same_site="strict", partitioned=True, priority="low",
    ),
    "falses": lambda k: k.set("a", "1", http_only=False, secure=False, partitioned=False),
    "special": lambda k: k.set("a", 'x y;z,"=%é'),
    "empty": lambda k: k.set("a", ""),
    "undef": lambda k: k.set("a", None),
    "num": lambda k: k.set("a", 5),
    "badname": lambda k: k.set("a b;c", "1"),
    "twice": lambda k: k.set("a", "1").set("a", "2"),
    "two": lambda k: k.set("a", "1").set("b", "2"),
    "chain": lambda k: k.set("a", "1").set("b", "2"),
    "delete": lambda k: k.delete("a"),
    "deleteobj": lambda k: k.delete("a", path="/p", domain="example.com"),
    "deletemissing": lambda k: k.delete("zzz"),
    "setdelete": setdelete,
}  # fmt: skip


def handler(request: NextRequest) -> Response:
    res = NextResponse.json({"ok": True})
    k = Noting(res.cookies)
    sets[request.next_url.search_params["c"]](k)
    state = {
        "get": shown_cookie(res.cookies.get("a"), k.order),
        "all": [shown_cookie(each, k.order) for each in res.cookies.get_all()],
        "has": res.cookies.has("a"),
    }
    res.headers.set("x-state", re.sub(r"[^\x20-\x7e]", "?", Response.json(state).text()))
    return res
