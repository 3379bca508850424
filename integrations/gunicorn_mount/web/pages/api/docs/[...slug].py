from nextapi import NextApiRequest, NextApiResponse


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    res.send(f"Docs: {', '.join(req.query['slug'])}\n")
