from nextapi import NextRequest, PageConfig, Response

from ....lib.edge_echo import edge_echo

config: PageConfig = {"runtime": "edge"}


def handler(request: NextRequest) -> Response:
    body_null = request.body is None
    text = None if request.method in ("GET", "HEAD") else request.text()
    return Response.json(edge_echo(request, bodyNull=body_null, text=text))
