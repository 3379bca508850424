from nextapi import NextRequest, Response

cors = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Authorization",
}


def GET(request: NextRequest) -> Response:
    return Response.json({"origin": request.headers.get("origin")}, headers=cors)


def OPTIONS() -> Response:
    return Response(None, status=204, headers=cors)
