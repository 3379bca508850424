from nextapi import NextRequest, Response, cookies, headers

from .....lib.edge_echo import shown_cookie


def GET(request: NextRequest) -> Response:
    k = cookies()
    seen = {
        "mw": shown_cookie(k.get("mw")),
        "all": len(k.get_all()),
        "reqMw": shown_cookie(request.cookies.get("mw")),
        "hdr": headers().get("x-mw"),
    }
    if request.next_url.search_params.has("jar"):
        k.set("jar", "1")
    return Response.json(
        seen,
        headers=[("set-cookie", "h=1; Path=/"), ("set-cookie", "mw=handler; Path=/"), ("x-from-mw", "handler")],
    )
