from html import escape

from nextapi import NextApiRequest, NextApiResponse


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    name = req.search_params.get("name", "world")
    res.set_header("Content-Type", "text/html; charset=utf-8")
    res.send(f"<!doctype html><title>Hello</title><h1>Hello, {escape(name)}!</h1>")
