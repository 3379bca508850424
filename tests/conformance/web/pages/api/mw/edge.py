from nextapi import NextRequest, PageConfig, Response

config: PageConfig = {"runtime": "edge"}


def handler(request: NextRequest) -> Response:
    return Response(
        "edge",
        headers=[
            ("set-cookie", "h=1; Path=/"),
            ("set-cookie", "mw=handler; Path=/"),
            ("x-from-mw", "handler"),
            ("x-seen", request.headers.get("x-mw", "none")),
        ],
    )
