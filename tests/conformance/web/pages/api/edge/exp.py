from nextapi import NextRequest, PageConfig, Response

config: PageConfig = {"runtime": "experimental-edge"}


def handler(request: NextRequest) -> Response:
    return Response("experimental")
