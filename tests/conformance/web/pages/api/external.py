from time import sleep

from nextapi import NextApiRequest, NextApiResponse, PageConfig

config: PageConfig = {"api": {"externalResolver": True}}


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    sleep(0.01)
    res.json({"external": True})
