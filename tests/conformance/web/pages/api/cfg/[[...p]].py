from nextapi import NextApiRequest, NextApiResponse

from ....lib.echo import echo


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    res.json(echo(req))
