from nextapi import Response

dynamic = "force-dynamic"


def GET() -> Response:
    return Response("escaped underscore")
