from nextapi import NextRequest, Response

dynamic = "force-dynamic"


def GET(request: NextRequest) -> Response:
    return Response(f"grouped {request.next_url.pathname}")
