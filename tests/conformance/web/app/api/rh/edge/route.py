from nextapi import NextRequest, Response, RouteContext

from .....lib.edge_echo import edge_echo

runtime = "edge"


def GET(request: NextRequest, context: RouteContext) -> Response:
    return Response.json(edge_echo(request, params=context.params))


def POST(request: NextRequest) -> Response:
    return Response(request.text(), status=201)
