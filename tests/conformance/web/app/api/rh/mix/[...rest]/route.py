from nextapi import NextRequest, Response, RouteContext


def GET(request: NextRequest, context: RouteContext) -> Response:
    return Response.json({"route": "mix/[...rest]", "params": context.params})
