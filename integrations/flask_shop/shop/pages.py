"""The pages of the shop."""

from __future__ import annotations

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from nextapi import revalidate_tag, static_page

from .accounts import login_required
from .carts import add_to_cart, empty_cart, find_order, get_cart, place_order
from .catalogue import Product, all_products, find_product, find_products

blueprint = Blueprint("pages", __name__)


@blueprint.app_template_filter()
def money(cents: int) -> str:
    """Write 1450 as €14.50."""
    return f"€{cents / 100:.2f}"


@blueprint.get("/")
@static_page(revalidate=60, tags=["products"])
def products() -> ResponseReturnValue:
    """List all products."""
    return render_template("products.html", products=all_products())


@blueprint.get("/search")
def search() -> ResponseReturnValue:
    """List the products with `?q=` in them."""
    text = request.args.get("q", "")
    return render_template("products.html", products=find_products(text), text=text)


@blueprint.get("/products/<int:product_id>")
@static_page(revalidate=60, tags=["products"])
def product(product_id: int) -> ResponseReturnValue:
    """Show a product."""
    return render_template("product.html", product=_product_or_404(product_id))


@blueprint.get("/cart")
@login_required
def cart() -> ResponseReturnValue:
    """Show the cart."""
    return render_template("cart.html", cart=get_cart(g.user["id"]))


@blueprint.post("/cart")
@login_required
def fill_cart() -> ResponseReturnValue:
    """Put a product into the cart."""
    product = _product_or_404(request.form.get("product", 0, int))
    add_to_cart(g.user["id"], product)
    flash(f"{product.name} is in your cart.")
    return redirect(url_for("pages.cart"))


@blueprint.post("/cart/empty")
@login_required
def clear_cart() -> ResponseReturnValue:
    """Empty the cart."""
    empty_cart(g.user["id"])
    return redirect(url_for("pages.cart"))


@blueprint.post("/orders")
@login_required
def check_out() -> ResponseReturnValue:
    """Order what is in the cart."""
    order_id = place_order(g.user["id"])
    if order_id is None:
        return redirect(url_for("pages.cart"))
    revalidate_tag("products")
    return redirect(url_for("pages.order", order_id=order_id))


@blueprint.get("/orders/<int:order_id>")
@login_required
def order(order_id: int) -> ResponseReturnValue:
    """Show an order."""
    return render_template("order.html", order=find_order(g.user["id"], order_id) or abort(404))


@blueprint.get("/sold")
def sold() -> ResponseReturnValue:
    """Show what others buy, as they do."""
    return render_template("sold.html")


def _product_or_404(product_id: int) -> Product:
    return find_product(product_id) or abort(404)
