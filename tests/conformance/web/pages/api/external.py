from threading import Timer

from nextapi import NextApiRequest, NextApiResponse, PageConfig

config: PageConfig = {"api": {"externalResolver": True}}


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    Timer(0.01, lambda: res.json({"external": True})).start()
