from itertools import count

from nextapi import Response

revalidate = 1
dynamic = "force-static"
# When the app is built, another process makes it.
n = count(0)


def GET() -> Response:
    return Response(f"isr {next(n) or 'build'}", status=200, headers={"x-a": "1", "content-type": "text/plain"})
