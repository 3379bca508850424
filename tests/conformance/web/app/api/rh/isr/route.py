from itertools import count

from nextapi import Response

revalidate = 1
dynamic = "force-static"
n = count(1)


def GET() -> Response:
    return Response(f"isr {next(n)}", status=200, headers={"x-a": "1", "content-type": "text/plain"})
