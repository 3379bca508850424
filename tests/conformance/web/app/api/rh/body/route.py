from nextapi import NextRequest, Response

from .....lib.bodies import answer


def POST(request: NextRequest) -> Response:
    return answer(request)
