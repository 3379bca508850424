from nextapi import Response


def GET() -> Response:
    return Response("must not be reachable")
