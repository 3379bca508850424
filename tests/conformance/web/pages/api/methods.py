from nextapi import NextApiRequest, NextApiResponse


def GET() -> str:
    """Be ignored: in pages/api only `handler` answers."""
    return "pages GET"


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    res.set_header("X-Method", req.method)
    res.json({"method": req.method})
