from nextapi import NextApiRequest, NextApiResponse

from ...lib.echo import echo


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    res.status(200).json(echo(req))
