from collections.abc import Callable

from nextapi import Response


def mk(method: str) -> Callable[[], Response]:
    return lambda: Response(method)


GET, POST, PUT, PATCH, DELETE, TRACE = map(mk, ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"))
PROPFIND = mk("PROPFIND")
