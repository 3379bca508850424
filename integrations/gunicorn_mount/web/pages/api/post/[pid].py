from nextapi import NextApiRequest, NextApiResponse


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    res.json({"post": req.query["pid"], "page": req.query.get("page", "1")})
