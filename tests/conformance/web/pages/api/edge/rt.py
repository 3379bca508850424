from nextapi import NextRequest, Response

runtime = "edge"


def handler(request: NextRequest) -> Response:
    return Response(f"runtime export {request.method}")
