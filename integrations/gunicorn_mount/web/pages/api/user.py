from nextapi import NextApiRequest, NextApiResponse


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    res.status(200).json({"name": "John Doe"})
