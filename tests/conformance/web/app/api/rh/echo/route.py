from nextapi import NextRequest, Response, RouteContext

from .....lib.edge_echo import edge_echo


def answer(request: NextRequest, context: RouteContext) -> Response:
    """Next's static routes have no params on Node, and none there is `{}` here."""
    body_null = request.body is None
    text = None if request.method in ("GET", "HEAD") else request.text()
    shown = edge_echo(
        request, bodyNull=body_null, text=text, params=context.params or "undefined", cls=True, ctxKeys=["params"]
    )
    return Response.json(shown, headers={"X-Seen-Method": request.method})


GET = POST = PUT = PATCH = DELETE = answer
