from base64 import b64encode
from collections.abc import Mapping
from math import nan
from typing import Any

from nextapi import NextApiRequest

HEADERS = (
    "host", "content-type", "content-length", "transfer-encoding", "cookie", "x-one", "x-two", "accept",
    "if-none-match", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port",
    "x-real-ip", "x-mw",
)  # fmt: skip
PORT = "4310"  # of the server that was recorded


def entries(mapping: Mapping[str, Any]) -> list[list[Any]]:
    return [[key, value] for key, value in mapping.items()]


def type_name(body: object) -> str:
    if body is None:
        return "null"
    if isinstance(body, bytes):
        return "Buffer"
    if isinstance(body, list):
        return "array"
    if isinstance(body, bool):
        return "boolean"
    if isinstance(body, (int, float)):
        return "number"
    return "string" if isinstance(body, str) else "object"


def describe_body(body: Any) -> Any:
    return {"buffer": b64encode(body).decode()} if isinstance(body, bytes) else body


def number(text: str) -> Any:
    """Return JavaScript's `Number(text)`, a whole number as an int; untyped, for it goes where only an int belongs."""
    try:
        value = float(text.strip() or 0)
    except ValueError:
        return nan
    return int(value) if value.is_integer() else value


def forwarded(req: NextApiRequest) -> dict[str, str]:
    """Return what Next's own front server, and no WSGI server, adds to a request that does not have it."""
    environ: dict[str, Any] = getattr(req.raw, "environ", req.raw)
    host = req.headers.get("host", "localhost")
    added = {
        "x-forwarded-for": environ.get("REMOTE_ADDR", ""),
        "x-forwarded-host": host,
        "x-forwarded-port": PORT,
        "x-forwarded-proto": environ["wsgi.url_scheme"],
    }
    return {name: req.headers.get(name, value) for name, value in added.items()}


def echo(req: NextApiRequest) -> dict[str, Any]:
    headers = {**req.headers, **forwarded(req)}
    shown: dict[str, Any] = {
        "method": req.method,
        "url": req.url,
        "query": entries(req.query),
        "cookies": entries(req.cookies),
        "bodyType": type_name(req.body),
        "body": describe_body(req.body),
        "headers": {name: headers[name] for name in HEADERS if name in headers},
    }
    # Off is `undefined` in JavaScript, which JSON leaves out.
    if getattr(req, "preview", None):
        shown["preview"] = True
    if getattr(req, "draft_mode", None):
        shown["draftMode"] = True
    return shown
