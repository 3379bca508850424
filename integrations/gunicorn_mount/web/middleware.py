import hmac

from nextapi import MiddlewareConfig, NextRequest, NextResponse

config: MiddlewareConfig = {"matcher": "/api/admin/:path*"}


def middleware(request: NextRequest) -> NextResponse:
    # A guard before all routes of the matcher's paths, whatever file answers them.
    token = request.cookies.get("admin-token")
    if token is None or not hmac.compare_digest(token.value.encode(), b"swordfish"):
        return NextResponse.json({"error": "Unauthorized"}, status=401)
    return NextResponse.next()
