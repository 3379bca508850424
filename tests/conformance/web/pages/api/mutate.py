from nextapi import NextApiRequest, NextApiResponse


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    a = req.cookies
    b = req.cookies
    q1 = req.query
    req.query["added"] = "x"
    req.body = "replaced"
    res.json({"sameCookies": a is b, "sameQuery": q1 is req.query, "q": req.query, "body": req.body})
