from typing import TypedDict

from flask import session

from nextapi import HTTPError, NextApiRequest, NextApiResponse
from shop.accounts import check_user

from ...lib.requests import allow


class Customer(TypedDict):
    id: int
    name: str


def handler(req: NextApiRequest, res: NextApiResponse[Customer]) -> None:
    allow(req, "POST")
    match req.body:
        case {"name": str(name), "password": str(password)}:
            user = check_user(name, password)
        case _:
            raise HTTPError(422, "Send name and password")
    if user is None:
        raise HTTPError(401, "Name or password is wrong")
    session.clear()
    session["user_id"] = user["id"]
    res.json({"id": user["id"], "name": user["name"]})
