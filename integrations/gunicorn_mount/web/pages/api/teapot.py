from nextapi import NextApiRequest, NextApiResponse


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    res.status_message = "Short and stout"
    res.status(418).send("Here is my handle, here is my spout\n")
