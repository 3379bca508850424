from nextapi import NextRequest, Response, RouteContext

runtime = "edge"


def GET(request: NextRequest, context: RouteContext) -> Response:
    return Response.json({"params": context.params, "url": request.url, "search": request.next_url.search})
