import nextapi
from nextapi import NextRequest, Response


def POST(request: NextRequest) -> Response:
    p = request.next_url.search_params
    if path := p.get("path"):
        nextapi.revalidate_path(path)
    if tag := p.get("tag"):
        nextapi.revalidate_tag(tag)
    return Response.json({"revalidated": True})
