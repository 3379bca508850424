from nextapi import NextRequest, PageConfig, Response

from .....lib.edge_echo import shown_route

config: PageConfig = {"runtime": "edge"}


def handler(request: NextRequest) -> Response:
    return shown_route("/api/edge/items/new", request)
