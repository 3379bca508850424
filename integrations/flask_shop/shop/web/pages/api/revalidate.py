import hmac
from typing import TypedDict

from flask import current_app

from nextapi import NextApiError, NextApiRequest, NextApiResponse


class Done(TypedDict):
    revalidated: bool


class Refused(TypedDict):
    message: str


def handler(req: NextApiRequest, res: NextApiResponse[Done | Refused]) -> None:
    """Make the page of a path anew: for who writes to the database without the shop, and has its secret."""
    secret, given = current_app.config["REVALIDATE_SECRET"], req.search_params.get("secret", "")
    if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
        res.status(401).json({"message": "Invalid token"})
        return
    try:
        res.revalidate(req.search_params.get("path", ""))
    except NextApiError:
        # Customers go on seeing the last page that could be made.
        res.status(500).send("Error revalidating")
    else:
        res.json({"revalidated": True})
