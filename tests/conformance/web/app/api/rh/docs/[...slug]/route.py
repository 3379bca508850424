from nextapi import NextRequest, Response, RouteContext


def GET(request: NextRequest, context: RouteContext) -> Response:
    return Response.json({"params": context.params, "url": request.url})
