from nextapi import NextRequest, Response

from ......lib.edge_echo import shown_pairs


def GET(request: NextRequest) -> Response:
    return Response.json({"route": "new", "q": shown_pairs(request)})
