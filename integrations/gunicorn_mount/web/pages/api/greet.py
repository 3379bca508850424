from typing import TypedDict

from nextapi import HTTPError, NextApiRequest, NextApiResponse, PageConfig

config: PageConfig = {"api": {"bodyParser": {"sizeLimit": "1kb"}}}


class Greeting(TypedDict):
    message: str


def handler(req: NextApiRequest, res: NextApiResponse[Greeting]) -> None:
    if req.method != "POST":
        res.json({"message": 'POST a name: curl --json \'{"name": "Ada"}\' ...'})
    elif not isinstance(req.body, dict) or "name" not in req.body:
        raise HTTPError(422, "Say your name")
    else:
        res.status(201).json({"message": f"Hello {req.body['name']}!"})
