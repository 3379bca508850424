from nextapi import HTTPError, NextApiRequest, NextApiResponse
from shop.carts import Cart, add_to_cart, empty_cart, get_cart
from shop.catalogue import find_product

from ...lib.requests import allow, user_id


def handler(req: NextApiRequest, res: NextApiResponse[Cart]) -> None:
    allow(req, "GET", "HEAD", "POST", "DELETE")
    user = user_id()
    if req.method == "POST":
        add(user, req.body)
        res.status(201)
    elif req.method == "DELETE":
        empty_cart(user)
    res.json(get_cart(user))


def add(user: int, wanted: object) -> None:
    match wanted:
        case {"product": int(product_id), **rest}:
            quantity = rest.get("quantity", 1)
        case _:
            raise HTTPError(422, "Say which product: its id, a number")
    if not isinstance(quantity, int) or not 1 <= quantity <= 99:
        raise HTTPError(422, "The quantity is a number from 1 to 99")
    product = find_product(product_id)
    if product is None:
        raise HTTPError(404, "There is no such product")
    # Its OutOfStockError goes on to the shop's own error handler.
    add_to_cart(user, product, quantity)
