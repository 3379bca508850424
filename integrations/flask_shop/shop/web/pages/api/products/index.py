from nextapi import NextApiRequest, NextApiResponse
from shop.catalogue import Product, all_products

from ....lib.requests import allow


def handler(req: NextApiRequest, res: NextApiResponse[list[Product]]) -> None:
    allow(req, "GET", "HEAD")
    res.json(all_products())
