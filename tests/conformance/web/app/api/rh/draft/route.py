from nextapi import NextRequest, Response, draft_mode


def GET(request: NextRequest) -> Response:
    d = draft_mode()
    c = request.next_url.search_params.get("c")
    if c == "enable":
        d.enable()
    if c == "disable":
        d.disable()
    return Response.json({"isEnabled": d.is_enabled})
