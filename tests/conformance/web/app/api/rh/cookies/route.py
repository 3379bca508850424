from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from nextapi import NextRequest, Response, cookies

from .....lib.edge_echo import shown_cookie

d = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def read(k: Any) -> dict[str, Any]:
    """Next's jar has no size, which JSON leaves out."""
    every = [shown_cookie(each) for each in k.get_all()]
    return {"a": shown_cookie(k.get("a")), "all": every, "has": k.has("a"), "str": str(k)}


def set_(k: Any) -> dict[str, Any]:
    k.set("a", "1")
    return {"now": shown_cookie(k.get("a"))}


def setopts(k: Any) -> dict[str, Any]:
    k.set("a", "1", http_only=True, secure=True, same_site="lax", max_age=60, path="/p")
    return {}


def setobj(k: Any) -> dict[str, Any]:
    k.set("a", "x y", expires=d)
    return {}


def delete(k: Any) -> dict[str, Any]:
    k.delete("a")
    return {"now": shown_cookie(k.get("a")), "has": k.has("a")}


def two(k: Any) -> dict[str, Any]:
    k.set("a", "1").set("b", "2")
    return {}


c: dict[str, Callable[[Any], dict[str, Any]]] = {
    "read": read,
    "set": set_,
    "setopts": setopts,
    "setobj": setobj,
    "delete": delete,
    "two": two,
}


def GET(request: NextRequest) -> Response:
    return Response.json(c[request.next_url.search_params["c"]](cookies()))


def POST(request: NextRequest) -> Response:
    cookies().set("jar", "1")
    how = request.next_url.search_params.get("c")
    if how == "resp":
        return Response("both", headers={"Set-Cookie": "mine=2; Path=/x"})
    if how == "same":
        return Response("same", headers={"Set-Cookie": "jar=2; Path=/"})
    if how == "throw":
        raise RuntimeError("x")
    return Response("jar")
