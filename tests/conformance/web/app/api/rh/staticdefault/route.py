from itertools import count

from nextapi import Response

n = count(1)


def GET() -> Response:
    return Response(f"n={next(n)}")
