from nextapi import NextRequest, PageConfig, Response

from ....lib.bodies import answer

config: PageConfig = {"runtime": "edge"}


def handler(request: NextRequest) -> Response:
    return answer(request)
