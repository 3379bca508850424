import re
from typing import Any, cast

from nextapi import Response, headers


def GET() -> Response:
    h = headers()
    err = None
    try:
        cast(Any, h).set("x", "1")
    except Exception as e:
        err = {"name": "Error", "message": str(e)}
    return Response.json(
        {
            "one": h.get("X-One"),
            "missing": h.get("nope"),
            "has": h.has("x-one"),
            "err": err,
            "keys": [name for name in h if re.fullmatch("x-(one|two)", name)],
        }
    )
