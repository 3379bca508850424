from nextapi import NextApiRequest, NextApiResponse


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    res.set_header("Cache-Control", "public, max-age=60")
    res.set_header("Link", '</api/user>; rel="author"')
    res.append_header("Link", '</>; rel="index"')
    # A client that sends the ETag of this answer back in If-None-Match gets a 304.
    res.json({"EUR": 1, "USD": 1.09, "GBP": 0.84})
