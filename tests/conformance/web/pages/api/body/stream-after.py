from nextapi import NextApiRequest, NextApiResponse


async def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    n = 0
    while chunk := req.stream.read(65536):
        n += len(chunk)
    res.json({"parsed": req.body, "streamBytes": n})
