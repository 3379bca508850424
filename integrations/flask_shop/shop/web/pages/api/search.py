from typing import TypedDict

from nextapi import NextApiRequest, NextApiResponse
from shop.catalogue import Product, find_products

from ...lib.requests import allow


class Found(TypedDict):
    q: str
    products: list[Product]


def handler(req: NextApiRequest, res: NextApiResponse[Found]) -> None:
    allow(req, "GET", "HEAD")
    text = req.search_params.get("q", "").strip()
    res.json({"q": text, "products": find_products(text)})
