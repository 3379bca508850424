from nextapi import Response


def GET() -> Response:
    return Response("<feed/>", headers={"Content-Type": "application/xml"})
