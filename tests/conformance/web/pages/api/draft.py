from collections.abc import Callable
from typing import Any

from nextapi import NextApiRequest, NextApiResponse

undefined: Any = None


def withcookie(r: NextApiResponse) -> None:
    r.set_header("Set-Cookie", "mine=1; Path=/")
    r.set_draft_mode(enable=True)


def clearafterset(r: NextApiResponse) -> None:
    r.set_preview_data({"a": 1})
    r.clear_preview_data()


c: dict[str, Callable[[NextApiResponse], object]] = {
    "enable": lambda r: r.set_draft_mode(enable=True),
    "default": lambda r: r.set_draft_mode(),
    "disable": lambda r: r.set_draft_mode(enable=False),
    "emptyobj": lambda r: r.set_draft_mode(enable=undefined),
    "withcookie": withcookie,
    "preview": lambda r: r.set_preview_data({"a": 1}),
    "previewopts": lambda r: r.set_preview_data({"a": 1}, max_age=60, path="/isr"),
    "previewmax0": lambda r: r.set_preview_data({"a": 1}, max_age=0),
    "previewbig": lambda r: r.set_preview_data({"a": "x" * 3000}),
    "previewundef": lambda r: r.set_preview_data(undefined),
    "clear": lambda r: r.clear_preview_data(),
    "clearpath": lambda r: r.clear_preview_data(path="/isr"),
    "clearafterset": clearafterset,
}


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    cmd = req.query.get("c")
    chained = c[cmd](res) is res if cmd else None
    # Off is `undefined` in JavaScript and null in this answer; only the data keep their own false.
    preview = getattr(req, "preview", None) or None
    draft_mode = getattr(req, "draft_mode", None) or None
    preview_data = getattr(req, "preview_data", None)
    res.json({"chained": chained, "preview": preview, "draftMode": draft_mode, "previewData": preview_data})
