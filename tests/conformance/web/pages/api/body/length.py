from typing import Any

from nextapi import NextApiRequest, NextApiResponse

from ....lib.echo import type_name


def length(body: Any) -> Any:
    """Return `body.length ?? null`; JavaScript counts UTF-16 units."""
    if isinstance(body, str):
        return len(body.encode("utf-16-le", "surrogatepass")) // 2
    if isinstance(body, dict):
        return body.get("length")
    return len(body) if isinstance(body, (bytes, list)) else None


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    kind = type_name(req.body)
    res.json({"type": "object" if kind in ("array", "null") else kind, "length": length(req.body)})
