from nextapi import NextRequest, PageConfig, Response

config: PageConfig = {"runtime": "edge"}


def handler(request: NextRequest) -> Response:
    return Response(f"Hello {request.next_url.search_params.get('name', 'world')}!\n")
