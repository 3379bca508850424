from nextapi import Response


def GET() -> Response:
    return Response("got")


def HEAD() -> Response:
    return Response(None, status=200, headers={"x-head": "custom"})


def OPTIONS() -> Response:
    return Response(None, status=204, headers={"Allow": "GET, HEAD", "x-options": "custom"})
