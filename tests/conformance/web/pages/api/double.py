from collections.abc import Callable

from nextapi import NextApiRequest, NextApiResponse


def jsonjson(r: NextApiResponse) -> None:
    r.json({"first": 1})
    r.json({"second": 2})


def sendsend(r: NextApiResponse) -> None:
    r.send("first")
    r.send("second")


def endend(r: NextApiResponse) -> None:
    r.end("first")
    r.end("second")


def sendstatus(r: NextApiResponse) -> None:
    r.send("first")
    r.status(500)


def endjson(r: NextApiResponse) -> None:
    r.end("first")
    r.json({"second": 1})


c: dict[str, Callable[[NextApiResponse], object]] = {
    "jsonjson": jsonjson,
    "sendsend": sendsend,
    "endend": endend,
    "sendstatus": sendstatus,
    "statusstatus": lambda r: r.status(404).status(201).json({}),
    "endjson": endjson,
}


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    c[req.query["c"]](res)
