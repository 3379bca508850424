from nextapi import HTTPError, NextApiRequest, NextApiResponse
from shop.catalogue import Product, find_product

from ....lib.requests import allow, read_id


def handler(req: NextApiRequest, res: NextApiResponse[Product]) -> None:
    allow(req, "GET", "HEAD")
    product = find_product(read_id(req.query["id"]))
    if product is None:
        raise HTTPError(404, "There is no such product")
    res.json(product)
