from nextapi import NextRequest, Response, RouteContext


def GET(request: NextRequest, context: RouteContext) -> Response:
    return Response.json({"route": "mix/fixed", "params": context.params or "undefined"})
