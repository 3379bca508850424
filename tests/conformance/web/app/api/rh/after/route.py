from nextapi import NextRequest, Response, after

log: list[str] = []


def GET(request: NextRequest) -> Response:
    p = request.next_url.search_params
    if p.has("read"):
        return Response.json(log)
    after(lambda: log.append("after"))
    if p.has("throw"):
        raise RuntimeError("x")
    log.append("handler")
    return Response.json({"sent": True})
