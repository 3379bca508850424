from nextapi import NextApiRequest, NextApiResponse


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    res.json(
        {
            "method": req.method,
            "url": req.url,
            "agent": req.headers.get("user-agent"),
            "server": req.raw["SERVER_SOFTWARE"],
        }
    )
