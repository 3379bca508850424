from nextapi import NextRequest, Response


def POST(request: NextRequest) -> Response:
    return Response(f"posted {request.text()}")
