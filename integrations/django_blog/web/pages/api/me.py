from typing import TypedDict

from blog.api import allow, reader
from nextapi import NextApiRequest, NextApiResponse


class Me(TypedDict):
    username: str
    is_staff: bool


def handler(req: NextApiRequest, res: NextApiResponse[Me]) -> None:
    allow(req, "GET", "HEAD")
    user = reader(req)
    res.set_header("Cache-Control", "private, no-store")
    res.json({"username": user.get_username(), "is_staff": user.is_staff})
