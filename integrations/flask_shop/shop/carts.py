"""What customers are about to buy, and what they have bought."""

from __future__ import annotations

from dataclasses import dataclass

from .catalogue import Product
from .db import get_db


class OutOfStockError(Exception):
    """There is not enough of a product."""

    def __init__(self, product: Product) -> None:
        left = f"only {product.stock} left" if product.stock else "sold out"
        super().__init__(f"{product.name}: {left}")
        self.product = product


@dataclass
class Line:
    """So many of a product, at `price` cents for each."""

    product: int
    name: str
    price: int
    quantity: int


@dataclass
class Cart:
    """What a customer is about to buy: `count` pieces in all, for `total` cents."""

    lines: list[Line]
    count: int
    total: int


@dataclass
class Order:
    """What a customer has bought, for `total` cents."""

    id: int
    placed: str
    lines: list[Line]
    total: int


@dataclass
class Sold:
    """What an order took off the shelves, as text."""

    order: int
    text: str


def get_cart(user_id: int) -> Cart:
    """Return a customer's cart."""
    rows = get_db().execute(
        "SELECT products.id AS product, name, price, quantity FROM cart_lines"
        " JOIN products ON products.id = product_id WHERE user_id = ? ORDER BY name",
        (user_id,),
    )
    lines = [Line(**row) for row in rows]
    return Cart(lines, sum(line.quantity for line in lines), _total(lines))


def add_to_cart(user_id: int, product: Product, quantity: int = 1) -> None:
    """Put a product into a cart; raise `OutOfStockError` if the cart would hold more than there are."""
    with get_db() as connection:
        [(held,)] = connection.execute(
            "INSERT INTO cart_lines VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity RETURNING quantity",
            (user_id, product.id, quantity),
        ).fetchall()
        if held > product.stock:
            raise OutOfStockError(product)


def empty_cart(user_id: int) -> None:
    """Put everything back on the shelves."""
    with get_db() as connection:
        connection.execute("DELETE FROM cart_lines WHERE user_id = ?", (user_id,))


def place_order(user_id: int) -> int | None:
    """Order what is in a cart and return the order's id, None for an empty cart; raise `OutOfStockError`."""
    cart = get_cart(user_id)
    if not cart.lines:
        return None
    with get_db() as connection:
        order_id = connection.execute("INSERT INTO orders (user_id) VALUES (?)", (user_id,)).lastrowid
        for line in cart.lines:
            taken = connection.execute(
                "UPDATE products SET stock = stock - ?1 WHERE id = ?2 AND stock >= ?1", (line.quantity, line.product)
            )
            if not taken.rowcount:
                row = connection.execute("SELECT * FROM products WHERE id = ?", (line.product,)).fetchone()
                raise OutOfStockError(Product(**row))
            connection.execute(
                "INSERT INTO order_lines VALUES (?, ?, ?, ?)", (order_id, line.product, line.quantity, line.price)
            )
        connection.execute("DELETE FROM cart_lines WHERE user_id = ?", (user_id,))
    return order_id


def before_last_orders(count: int) -> int:
    """Return the id after which there are so many orders."""
    [(order_id,)] = get_db().execute("SELECT coalesce(max(id), 0) FROM orders").fetchall()
    return max(int(order_id) - count, 0)


def find_sold(after: int) -> list[Sold]:
    """Return what was sold by the orders after one, for everybody to see."""
    rows = get_db().execute(
        "SELECT order_id, group_concat(quantity || ' ' || name, ', ') AS text FROM order_lines"
        " JOIN products ON products.id = product_id WHERE order_id > ? GROUP BY order_id ORDER BY order_id",
        (after,),
    )
    return [Sold(row["order_id"], row["text"]) for row in rows]


def find_order(user_id: int, order_id: int) -> Order | None:
    """Return an order of this customer's, if there is one with this id."""
    where = "SELECT id, placed FROM orders WHERE id = ? AND user_id = ?"
    order = get_db().execute(where, (order_id, user_id)).fetchone()
    if order is None:
        return None
    rows = get_db().execute(
        "SELECT products.id AS product, name, order_lines.price, quantity FROM order_lines"
        " JOIN products ON products.id = product_id WHERE order_id = ? ORDER BY name",
        (order_id,),
    )
    lines = [Line(**row) for row in rows]
    return Order(order["id"], order["placed"], lines, _total(lines))


def _total(lines: list[Line]) -> int:
    return sum(line.price * line.quantity for line in lines)
