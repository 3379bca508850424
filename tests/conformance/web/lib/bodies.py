"""The commands of `edge/body` and `rh/body`, which are the same."""

from collections.abc import Callable
from typing import Any

from werkzeug.datastructures import FileStorage

from nextapi import NextRequest, Response

from .js_errors import js_error


def shown(value: str | FileStorage) -> object:
    if isinstance(value, str):
        return value
    data = value.read()
    return {"file": value.filename, "type": value.content_type, "size": len(data), "text": data.decode()}


def blob(r: NextRequest) -> dict[str, Any]:
    """Python's Blob is bytes, with the type beside it."""
    return {"size": len(r.bytes()), "type": r.headers.get("content-type", "")}


def twice(r: NextRequest) -> dict[str, Any]:
    a = r.text()
    used = r.body_used
    try:
        r.text()
    except Exception as e:
        return {"a": a, "used": used, **js_error(e)}
    return {"a": a, "used": used, "second": "ok"}


def clone(r: NextRequest) -> dict[str, Any]:
    k = r.clone()
    return {"a": r.text(), "b": k.text()}


c: dict[str, Callable[[NextRequest], dict[str, Any]]] = {
    "json": lambda r: {"v": r.json()},
    "text": lambda r: {"v": r.text()},
    "ab": lambda r: {"v": list(r.bytes())},
    "blob": blob,
    "form": lambda r: {"v": [[name, shown(value)] for name, value in r.form_data().multi_items()]},
    "twice": twice,
    "clone": clone,
    "none": lambda r: {"body": "null" if r.body is None else "object", "used": r.body_used},
    "stream": lambda r: {"n": sum(map(len, r.body)) if r.body is not None else 0},
}


def answer(request: NextRequest) -> Response:
    p = request.next_url.search_params
    try:
        return Response.json(c[p["c"]](request))
    except Exception as e:
        if p.has("throw"):
            raise
        told = js_error(e)
        if p["c"] == "json":
            told["name"] = "SyntaxError"
        return Response.json(told, status=400)
