"""What the shop sells."""

from __future__ import annotations

from dataclasses import dataclass

from .db import get_db


@dataclass
class Product:
    """A product; `price` is in cents, `stock` how many are left."""

    id: int
    name: str
    description: str
    price: int
    stock: int


def all_products() -> list[Product]:
    """Return all products by name."""
    return [Product(**row) for row in get_db().execute("SELECT * FROM products ORDER BY name")]


def find_products(text: str) -> list[Product]:
    """Return the products with `text` in name or description."""
    found = "SELECT * FROM products WHERE instr(lower(name || ' ' || description), lower(?)) ORDER BY name"
    return [Product(**row) for row in get_db().execute(found, (text,))]


def find_product(product_id: int) -> Product | None:
    """Return the product with this id, if there is one."""
    if not 0 < product_id < 2**63:  # beyond what SQLite has integers for
        return None
    row = get_db().execute("SELECT * FROM products WHERE id = ?", (product_id,)).fetchone()
    return Product(**row) if row else None
