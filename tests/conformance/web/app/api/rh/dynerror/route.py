from nextapi import Response

dynamic = "force-dynamic"
revalidate = 0


def GET() -> Response:
    return Response("ok", headers={"Cache-Control": "max-age=5"})
