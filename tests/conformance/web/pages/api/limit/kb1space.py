from nextapi import NextApiRequest, NextApiResponse, PageConfig

from ....lib.echo import echo

config: PageConfig = {"api": {"bodyParser": {"sizeLimit": "1 KB"}}}


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    res.json(echo(req))
