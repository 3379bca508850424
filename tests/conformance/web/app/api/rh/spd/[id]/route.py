from nextapi import NextRequest, Response, RouteContext

revalidate = 60


def GET(request: NextRequest, context: RouteContext) -> Response:
    return Response.json(context.params)
