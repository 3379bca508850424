from nextapi import NextRequest, Response, RouteContext

# What generateStaticParams makes of it, for the paths that it names.
dynamic = "force-static"


def GET(request: NextRequest, context: RouteContext) -> Response:
    return Response.json(context.params)
