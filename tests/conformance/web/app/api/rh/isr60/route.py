from nextapi import Response

revalidate = 60


def GET() -> Response:
    return Response.json({"isr": 60}, headers={"Cache-Control": "private"})
