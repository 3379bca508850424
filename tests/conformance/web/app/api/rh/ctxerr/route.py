from typing import Any, cast

from nextapi import NextRequest, Response, user_agent


def fields(part: object, *names: str) -> dict[str, str]:
    """Return what is known of a part; JSON leaves out what is undefined."""
    return {name: value for name in names if (value := getattr(part, name)) is not None}


def agent(request: NextRequest) -> dict[str, Any]:
    found = user_agent(request)
    return {
        "ua": found.ua,
        "browser": fields(found.browser, "name", "version", "major"),
        "engine": fields(found.engine, "name", "version"),
        "os": fields(found.os, "name", "version"),
        "device": fields(found.device, "vendor", "model", "type"),
        "cpu": fields(found.cpu, "architecture"),
        "isBot": found.is_bot,
    }


def GET(request: NextRequest) -> Response:
    p = request.next_url.search_params
    if p.has("late"):
        r = Response("x")
        r.headers.set("x-a", "1")
        raise RuntimeError("late")
    if p.has("page"):
        return Response.json({"page": cast(Any, request).page})
    if p.has("ua"):
        return Response.json(agent(request))
    # The other fields of a fetch Request (mode, credentials, cache ...) are a client's.
    shown = {name: getattr(request, name, "undefined") for name in ("ip", "geo")}
    return Response.json({**shown, "bodyUsed": request.body_used})
