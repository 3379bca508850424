from collections.abc import Callable
from typing import Any

from nextapi import (
    NextRequest,
    Response,
    cookies,
    forbidden,
    not_found,
    permanent_redirect,
    redirect,
    unauthorized,
)

undefined: Any = None


def redirectthenset() -> None:
    k = cookies()
    try:
        redirect("/t")
    finally:
        k.set("late", "1")


def redirectcookie() -> None:
    cookies().set("a", "1")
    redirect("/target")


def notfoundcookie() -> None:
    cookies().set("a", "1")
    not_found()


def caught() -> Response:
    try:
        redirect("/x")
    except Exception as e:
        return Response.json({"name": "Error", "message": str(e), "digest": getattr(e, "digest", None)})


c: dict[str, Callable[[], Any]] = {
    "redirect": lambda: redirect("/target?x=1"),
    "redirectext": lambda: redirect("https://example.com/"),
    "redirectunicode": lambda: redirect("/é"),
    "redirectcjk": lambda: redirect("/漢"),
    "redirectcrlf": lambda: redirect("/a\r\nX-Evil: 1"),
    "redirectspace": lambda: redirect("/a b"),
    "redirectempty": lambda: redirect(""),
    "redirectundef": lambda: redirect(undefined),
    "redirectthenset": redirectthenset,
    "redirectreplace": lambda: redirect("/t"),  # 'replace' is for a browser's history
    "permanent": lambda: permanent_redirect("/target"),
    "notfound": lambda: not_found(),
    "forbidden": lambda: forbidden(),
    "unauthorized": lambda: unauthorized(),
    "redirectcookie": redirectcookie,
    "notfoundcookie": notfoundcookie,
    "caught": caught,
}


def answer(request: NextRequest) -> Any:
    return c[request.next_url.search_params["c"]]()


GET = POST = answer
