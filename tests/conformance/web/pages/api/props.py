from typing import Any

from nextapi import NextApiRequest, NextApiResponse

from ...lib.echo import forwarded

METHODS = {
    "status": "status", "send": "send", "json": "json", "redirect": "redirect", "revalidate": "revalidate",
    "setDraftMode": "set_draft_mode", "setPreviewData": "set_preview_data", "clearPreviewData": "clear_preview_data",
    "appendHeader": "append_header", "unstable_revalidate": "unstable_revalidate", "cookie": "cookie", "type": "type",
    "set": "set", "get": "get",
}  # fmt: skip


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    """Show what WSGI can know: of a header's lines it has one, joined, with the name as CGI writes it."""
    environ: dict[str, Any] = getattr(req.raw, "environ", req.raw)
    header = req.headers.get
    shown = {
        "httpVersion": environ["SERVER_PROTOCOL"].removeprefix("HTTP/"),
        "rawHeaders": [
            text for name, value in req.headers.items() if name in ("x-one", "x-two") for text in (name.title(), value)
        ],
        "x": header("x-one"),
        "cookieHeader": header("cookie"),
        "accept": header("accept"),
        "ua": header("user-agent"),
        "dup": header("content-type"),
        "complete": True,
        "env": "object" if hasattr(req, "env") else "undefined",
        "hasNext": hasattr(req, "next_url"),
        "keys": list(req.query),
        "proto": "Object" if type(req.query) is dict else "other",
        "cproto": "Object" if type(req.cookies) is dict else "other",
        "resMethods": [js for js, name in METHODS.items() if callable(getattr(res, name, None))],
        "xff": [forwarded(req)[f"x-forwarded-{part}"] for part in ("for", "host", "port", "proto")],
    }
    res.json({key: value for key, value in shown.items() if value is not None})
