from collections.abc import Callable
from typing import Any

from nextapi import NextApiRequest, NextApiResponse

args: dict[str, Any] = {
    "none": None, "null": None, "num": 1, "noslash": "isr/one", "empty": "", "url": "https://example.com/x",
}  # fmt: skip


async def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    path, bad, only = req.query.get("path"), req.query.get("bad"), req.query.get("only")
    try:
        revalidate: Callable[..., object] = res.revalidate
        target = args.get(bad) if bad else path
        r = revalidate(target, only_generated=True) if only else revalidate(target)
        res.json({"revalidated": True, "returned": "undefined" if r is None else r})
    except Exception as e:
        res.status(500).json({"error": str(e)})
