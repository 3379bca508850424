import hmac
from typing import TypedDict

from flask import current_app, url_for

from nextapi import NextApiRequest, NextApiResponse
from nextapi.errors import RevalidateError

from ...lib.requests import read_id


class Done(TypedDict):
    revalidated: bool


class Refused(TypedDict):
    message: str


def handler(req: NextApiRequest, res: NextApiResponse[Done | Refused]) -> None:
    """Make a product's page and the list anew: for what writes to the database beside the shop, with its secret."""
    secret = current_app.config["REVALIDATE_SECRET"]
    given = req.search_params.get("secret", "")
    if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
        res.status(401).json({"message": "Invalid token"})
        return
    product_id = read_id(req.search_params.get("product", ""))
    try:
        res.revalidate(url_for("pages.product", product_id=product_id))
        res.revalidate(url_for("pages.products"))
    except RevalidateError:
        # Customers go on seeing the last pages that could be made.
        res.status(500).send("Error revalidating")
    else:
        res.json({"revalidated": True})
