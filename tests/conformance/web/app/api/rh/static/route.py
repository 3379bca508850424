from itertools import count

from nextapi import NextRequest, Response

from .....lib.edge_echo import shown_cookie

dynamic = "force-static"
n = count(1)


def GET(request: NextRequest) -> Response:
    return Response.json(
        {
            "n": next(n),
            "url": request.url,
            "search": request.next_url.search,
            "cookie": shown_cookie(request.cookies.get("a")),
            "h": request.headers.get("x-one"),
        }
    )
