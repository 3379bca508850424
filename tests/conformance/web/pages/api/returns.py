from collections.abc import Callable

from nextapi import NextApiRequest, NextApiResponse

log: dict[str, object] = {}
c: dict[str, Callable[[NextApiResponse], object]] = {
    "json": lambda r: r.json({}),
    "send": lambda r: r.send("x"),
    "redirect": lambda r: r.redirect("/x"),
    "end": lambda r: r.end(),
    "status": lambda r: r.status(200),
    "setHeader": lambda r: r.set_header("x-a", "1"),
    "appendHeader": lambda r: r.append_header("x-a", "1"),
    "write": lambda r: r.write("x"),
    "writeHead": lambda r: r.write_head(200),
    "setDraftMode": lambda r: r.set_draft_mode(),
    "clearPreviewData": lambda r: r.clear_preview_data(),
    "revalidate": lambda r: r.revalidate("/isr/one"),
    "removeHeader": lambda r: r.remove_header("x-a"),
}


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    """Note what a method returns; without a command, tell all notes of this process."""
    d = req.query.get("do")
    if not d:
        res.json(log)
        return
    v = c[d](res)
    log[d] = "res" if v is res else "undefined" if v is None else v
    if not res.writable_ended:
        res.end()
