from nextapi import NextRequest, Response, revalidate_path, revalidate_tag


def POST(request: NextRequest) -> Response:
    p = request.next_url.search_params
    if path := p.get("path"):
        revalidate_path(path)
    if tag := p.get("tag"):
        revalidate_tag(tag)
    return Response.json({"revalidated": True})
