from nextapi import HTTPError, NextApiRequest, NextApiResponse
from shop.carts import Order, find_order

from ....lib.requests import allow, read_id, user_id


def handler(req: NextApiRequest, res: NextApiResponse[Order]) -> None:
    user = user_id()
    allow(req, "GET", "HEAD")
    order = find_order(user, read_id(req.query["id"]))
    if order is None:
        raise HTTPError(404, "You have no such order")
    res.json(order)
