from nextapi import Response

dynamic = "force-dynamic"


async def GET() -> Response:
    return Response("get only", headers={"x-a": "1"})
