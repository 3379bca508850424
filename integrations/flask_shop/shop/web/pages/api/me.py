from typing import TypedDict

from nextapi import NextApiRequest, NextApiResponse
from shop.accounts import get_user
from shop.carts import get_cart

from ...lib.requests import allow


class Me(TypedDict):
    name: str
    cart: int


def handler(req: NextApiRequest, res: NextApiResponse[Me | None]) -> None:
    """Say who has logged in, and how much is in the cart; null for nobody."""
    allow(req, "GET", "HEAD")
    user = get_user()
    res.set_header("Cache-Control", "private, no-store")
    res.json({"name": user["name"], "cart": get_cart(user["id"]).count} if user else None)
