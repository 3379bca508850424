from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from nextapi import URL, Headers, MiddlewareConfig, NextFetchEvent, NextRequest, NextResponse, Response

config: MiddlewareConfig = {
    "matcher": [
        "/api/mw/:path*",
        "/mwx/a",
        "/mwx/one/:id",
        "/mwx/plus/:path+",
        "/mwx/opt/:id?",
        "/mwx/re/(\\d{1,})",
        "/mwx/named/:id(\\d+)",
        "/mwx/neg/((?!skip|\\.ico).*)",
        {"source": "/mwx/has-header", "has": [{"type": "header", "key": "x-one"}]},
        {"source": "/mwx/has-headerval", "has": [{"type": "header", "key": "x-one", "value": "(?<v>yes.*)"}]},
        {"source": "/mwx/has-query", "has": [{"type": "query", "key": "q"}]},
        {"source": "/mwx/has-queryval", "has": [{"type": "query", "key": "q", "value": "on"}]},
        {"source": "/mwx/has-cookie", "has": [{"type": "cookie", "key": "sid"}]},
        {"source": "/mwx/has-host", "has": [{"type": "host", "value": "oracle.test"}]},
        {"source": "/mwx/missing", "missing": [{"type": "header", "key": "x-skip"}]},
        {
            "source": "/mwx/both",
            "has": [{"type": "header", "key": "x-one"}, {"type": "query", "key": "q"}],
            "missing": [{"type": "cookie", "key": "nomw"}],
        },
        "/Case/mwx",
    ],
}


def resphdr() -> Response:
    r = NextResponse.next()
    r.headers.set("x-from-mw", "1")
    r.headers.set("x-handler", "mw")
    return r


def reqhdr(q: NextRequest) -> Response:
    h = Headers(q.headers)
    h.set("x-mw", "added")
    h.set("x-one", "overridden")
    h.delete("x-two")
    return NextResponse.next(request={"headers": h})


def rewritekeep(q: NextRequest) -> Response:
    u = q.next_url.clone()
    u.pathname = "/api/echo"
    return NextResponse.rewrite(u)


def redirectsearch(q: NextRequest) -> Response:
    u = q.next_url.clone()
    u.pathname = "/login"
    u.search_params.set("from", q.next_url.pathname)
    return NextResponse.redirect(u)


def cookie() -> Response:
    r = NextResponse.next()
    r.cookies.set("mw", "v 1", http_only=True)
    r.cookies.set("mw2", "2")
    return r


def cookiedel() -> Response:
    r = NextResponse.next()
    r.cookies.delete("sid")
    return r


def cookieredirect(q: NextRequest) -> Response:
    r = NextResponse.redirect(URL("/x", q.url))
    r.cookies.set("mw", "1")
    return r


def cookiereq(q: NextRequest) -> Response:
    q.cookies.set("added", "1")
    return NextResponse.next(request=q)


def throw() -> NoReturn:
    raise RuntimeError("mw boom")


def bodynext(q: NextRequest) -> Response:
    t = q.text()
    r = NextResponse.next()
    r.headers.set("x-body-len", str(len(t)))
    return r


def info(q: NextRequest) -> Response:
    u = q.next_url
    return NextResponse.json(
        {
            "method": q.method,
            "url": q.url,
            "pathname": u.pathname,
            "search": u.search,
            "sp": [list(pair) for pair in u.search_params.multi_items()],
            "cookies": [{"name": each.name, "value": each.value} for each in q.cookies.get_all()],
            "host": q.headers.get("host"),
            "nhost": u.host,
            "ct": q.headers.get("content-type"),
        }
    )


def both() -> Response:
    r = NextResponse.next()
    r.cookies.set("mw", "1")
    r.headers.set("x-from-mw", "1")
    r.headers.append("x-from-mw", "2")
    r.headers.set("vary", "x-mw-vary")
    return r


def stream() -> Iterator[bytes]:
    yield b"s1"
    yield b"s2"


def wait(event: NextFetchEvent) -> Response:
    event.wait_until(lambda: None)
    return NextResponse.json({"keys": ["sourcePage"] if event.source_page else [], "wu": "function"})


def cachectl() -> Response:
    r = NextResponse.next()
    r.headers.set("cache-control", "max-age=9")
    return r


c: dict[str, Callable[[NextRequest, NextFetchEvent], Any]] = {
    "next": lambda q, ev: NextResponse.next(),
    "undefined": lambda q, ev: None,
    "null": lambda q, ev: None,
    "resphdr": lambda q, ev: resphdr(),
    "nextinit": lambda q, ev: NextResponse.next(headers={"x-from-mw": "init"}),
    "nextstatus": lambda q, ev: NextResponse.next(status=418),
    "reqhdr": lambda q, ev: reqhdr(q),
    "reqhdronly": lambda q, ev: NextResponse.next(request={"headers": Headers({"x-mw": "only"})}),
    "rewrite": lambda q, ev: NextResponse.rewrite(URL("/api/echo?rw=1", q.url)),
    "rewritekeep": lambda q, ev: rewritekeep(q),
    "rewritedyn": lambda q, ev: NextResponse.rewrite(URL("/api/items/77", q.url)),
    "rewrite404": lambda q, ev: NextResponse.rewrite(URL("/nope", q.url)),
    "rewritehdr": lambda q, ev: NextResponse.rewrite(
        URL("/api/echo", q.url), headers={"x-from-mw": "1"}, request={"headers": Headers({"x-mw": "rw"})}
    ),
    "rewriterh": lambda q, ev: NextResponse.rewrite(URL("/api/rh/echo?z=1", q.url)),
    "rewriteedge": lambda q, ev: NextResponse.rewrite(URL("/api/edge/echo?z=1", q.url)),
    "redirect": lambda q, ev: NextResponse.redirect(URL("/elsewhere?x=1", q.url)),
    "redirect301": lambda q, ev: NextResponse.redirect(URL("/elsewhere", q.url), 301),
    "redirectext": lambda q, ev: NextResponse.redirect("https://example.com/x"),
    "redirectsearch": lambda q, ev: redirectsearch(q),
    "json401": lambda q, ev: NextResponse.json({"error": "auth"}, status=401),
    "resp401": lambda q, ev: NextResponse("denied", status=401, headers={"WWW-Authenticate": 'Basic realm="x"'}),
    "respplain": lambda q, ev: Response("from mw", headers={"x-from-mw": "resp"}),
    "respempty": lambda q, ev: Response(None, status=204),
    "cookie": lambda q, ev: cookie(),
    "cookiedel": lambda q, ev: cookiedel(),
    "cookieredirect": lambda q, ev: cookieredirect(q),
    "cookiereq": lambda q, ev: cookiereq(q),
    "throw": lambda q, ev: throw(),
    "string": lambda q, ev: "str",
    "body": lambda q, ev: NextResponse.json({"body": q.text()}),
    "bodynext": lambda q, ev: bodynext(q),
    "info": lambda q, ev: info(q),
    "both": lambda q, ev: both(),
    "ct": lambda q, ev: NextResponse.next(headers={"content-type": "text/x-mw", "content-length": "3", "etag": '"mw"'}),
    "jsonnext": lambda q, ev: NextResponse.json({"mw": 1}, headers={"x-middleware-next": "1"}),
    "rewriteext": lambda q, ev: NextResponse.rewrite("http://localhost:4310/api/rh/get-only"),
    "rewriterel": lambda q, ev: NextResponse.rewrite("/api/echo"),
    "redirectrel": lambda q, ev: NextResponse.redirect("/rel"),
    "redirecthash": lambda q, ev: NextResponse.redirect(URL("/e?a=%20b&c=é#h", q.url)),
    "stream": lambda q, ev: Response(stream()),
    "wait": lambda q, ev: wait(ev),
    "respredirect": lambda q, ev: Response.redirect(URL("/rr", q.url)),
    "manual307": lambda q, ev: Response(None, status=307, headers={"Location": str(URL("/manual", q.url))}),
    "s500": lambda q, ev: Response("five", status=500),
    "s404": lambda q, ev: Response("four", status=404),
    "leak": lambda q, ev: NextResponse.next(headers={"x-mw": "from-response"}),
    "cachectl": lambda q, ev: cachectl(),
    "statusredirect": lambda q, ev: Response(None, status=302, headers={"Location": "/manual"}),
}


def middleware(request: NextRequest, event: NextFetchEvent) -> Any:
    u = request.next_url
    if command := u.search_params.get("mw"):
        return c[command](request, event)
    if u.pathname.startswith(("/mwx", "/Case")):
        return NextResponse(f"matched {u.pathname}")
    return NextResponse.next()
