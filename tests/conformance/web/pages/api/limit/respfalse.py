from nextapi import NextApiRequest, NextApiResponse, PageConfig

config: PageConfig = {"api": {"responseLimit": False}}


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    n = int(req.query.get("n") or 0)
    if req.query.get("how") == "write":
        for start in range(0, n, 1000000):
            res.write("x" * min(1000000, n - start))
        res.end()
    else:
        res.send("x" * n)
