from typing import TypedDict

from nextapi import NextApiRequest, NextApiResponse, PageConfig

config: PageConfig = {"api": {"bodyParser": {"sizeLimit": "1kb"}}}


class Greeting(TypedDict):
    message: str


def handler(req: NextApiRequest, res: NextApiResponse[Greeting]) -> None:
    if req.method == "POST":
        res.status(201).json({"message": f"Hello {req.body['name']}!"})
    else:
        res.json({"message": 'POST a name: curl --json \'{"name": "Ada"}\' ...'})
