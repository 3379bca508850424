"""The commands of `edge/resp` and `rh/resp`, which are the same."""

import inspect
from collections.abc import Callable, Iterator
from time import sleep
from typing import Any, NoReturn, cast

from nextapi import URL, FormData, NextRequest, NextResponse, Response, URLSearchParams

from .js_errors import js_error


class Thrown(Exception):
    """Carry what JavaScript throws and Python cannot raise."""


def fail(error: Exception) -> NoReturn:
    raise error


async def reject() -> NoReturn:
    raise RuntimeError("edge reject")


def stream(*parts: str) -> Iterator[bytes]:
    for part in parts:
        yield part.encode()
        sleep(0.005)


def broken_stream() -> Iterator[bytes]:
    yield b"partial"
    raise RuntimeError("stream broke")


def formdata() -> Response:
    f = FormData()
    f.set("a", "1")
    return Response(f)


def reuse() -> Response:
    r = Response("c")
    r.text()
    return r


def mutate() -> Response:
    r = Response("c")
    r.headers.set("x-late", "1")
    r.headers.append("x-late", "2")
    return r


c: dict[str, Callable[[NextRequest], Any]] = {
    "text": lambda r: Response("hello"),
    "empty": lambda r: Response(),
    "emptystr": lambda r: Response(""),
    "null": lambda r: Response(None),
    "status": lambda r: Response("made", status=201),
    "statustext": lambda r: Response("made", status=201, status_text="Made It"),
    "s204": lambda r: Response(None, status=204),
    "s204body": lambda r: Response("x", status=204),
    "s304": lambda r: Response(None, status=304),
    "s199": lambda r: Response("x", status=199),
    "s600": lambda r: Response("x", status=600),
    "s404": lambda r: Response("nope", status=404),
    "s500": lambda r: Response("err", status=500, headers={"x-a": "1"}),
    "html": lambda r: Response("<p>x</p>", headers={"content-type": "text/html"}),
    "headers": lambda r: Response(
        "h",
        headers={"X-Mixed": "A", "cache-control": "public, s-maxage=60, stale-while-revalidate=30", "ETag": '"v1"'},
    ),
    "headersarr": lambda r: Response(
        "h", headers=[("x-a", "1"), ("x-a", "2"), ("set-cookie", "a=1"), ("set-cookie", "b=2; Path=/")]
    ),
    "json": lambda r: Response.json({"a": 1, "u": "é😀"}),
    "jsonnull": lambda r: Response.json(None),
    "jsonstatus": lambda r: Response.json({"a": 1}, status=201, headers={"x-a": "1"}),
    "jsonundef": lambda r: Response.json(object()),  # as undefined has none, an object without JSON text
    "nextjson": lambda r: NextResponse.json({"a": 1}),
    "nextjsonstatus": lambda r: NextResponse.json({"error": "x"}, status=422),
    "nextredirect": lambda r: NextResponse.redirect(URL("/target?x=1", r.url)),
    "nextredirect301": lambda r: NextResponse.redirect(URL("/target", r.url), 301),
    "nextredirectinit": lambda r: NextResponse.redirect(URL("/target", r.url), 303, headers={"x-a": "1"}),
    "nextredirectrel": lambda r: NextResponse.redirect("/target"),
    "nextredirect200": lambda r: NextResponse.redirect(URL("/target", r.url), 200),
    "nextredirectext": lambda r: NextResponse.redirect("https://example.com/"),
    "respredirect": lambda r: Response.redirect(URL("/target", r.url)),
    "respredirect301": lambda r: Response.redirect(URL("/target", r.url), 301),
    "respredirectext": lambda r: Response.redirect("https://example.com/a b?c=é"),
    "nextrewrite": lambda r: NextResponse.rewrite(URL("/api/edge/echo", r.url)),
    "nextnext": lambda r: NextResponse.next(),
    "nextnextheaders": lambda r: NextResponse.next(headers={"x-a": "1"}),
    "stream": lambda r: Response(stream("one", "two", "three"), headers={"content-type": "text/plain"}),
    "streamnoct": lambda r: Response(stream("one", "two")),
    "streamerror": lambda r: Response(broken_stream()),
    "bytes": lambda r: Response(bytes([1, 2, 255])),
    "arraybuffer": lambda r: Response(bytearray([104, 105])),
    "blob": lambda r: Response(b"blob", headers={"content-type": "text/x-blob"}),
    "formdata": lambda r: formdata(),
    "params": lambda r: Response(URLSearchParams({"a": "1 2", "b": "é"})),
    "error": lambda r: Response.error(),
    "undefined": lambda r: None,
    "nullret": lambda r: None,
    "string": lambda r: "a string",
    "object": lambda r: {"a": 1},
    "throw": lambda r: fail(RuntimeError("edge boom")),
    "throwstr": lambda r: fail(Thrown("str")),
    "throwresponse": lambda r: fail(Thrown(Response("thrown", status=402))),
    "reject": lambda r: reject(),
    "cl": lambda r: Response("hello", headers={"content-length": "5"}),
    "ce": lambda r: Response("hello", headers={"content-encoding": "identity"}),
    "conn": lambda r: Response("hello", headers={"connection": "close", "transfer-encoding": "chunked"}),
    "num": lambda r: Response(cast(Any, 5)),
    "obj": lambda r: Response(cast(Any, {"a": 1})),
    "clone": lambda r: Response("c", status=202, headers={"x-a": "1"}).clone(),
    "reuse": lambda r: reuse(),
    "mutate": lambda r: mutate(),
    "lastmod": lambda r: Response("c", headers={"last-modified": "Thu, 01 Jan 2020 00:00:00 GMT"}),
}


async def answer(request: NextRequest) -> Any:
    p = request.next_url.search_params
    try:
        returned = c[p["c"]](request)
        return await returned if inspect.isawaitable(returned) else returned
    except Exception as e:
        if p.has("catch"):
            return Response.json(js_error(e), status=400)
        raise
