from nextapi import NextRequest, Response, RouteContext


def GET(request: NextRequest, context: RouteContext) -> Response:
    """Next's params are a promise, of which nothing can be read at once; here they are a dict."""
    u = request.next_url
    return Response.json(
        {
            "isPromise": True,
            "params": context.params,
            "sync": None,
            "url": request.url,
            "search": u.search,
            "pathname": u.pathname,
        }
    )
