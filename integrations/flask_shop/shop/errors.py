"""What customers see when something goes wrong."""

from __future__ import annotations

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import InternalServerError, NotFound

from .carts import OutOfStockError


def not_found(_: NotFound) -> ResponseReturnValue:
    """Answer what is not there."""
    return render_template("error.html", title="There is no such page", text="Have a look at the shelves."), 404


def failed(_: InternalServerError) -> ResponseReturnValue:
    """Answer what nobody foresaw."""
    text = "It is our fault, and we have been told. Please try again later."
    return render_template("error.html", title="Something broke", text=text), 500


def out_of_stock(error: OutOfStockError) -> ResponseReturnValue:
    """Say what is sold out, to scripts as JSON."""
    if request.accept_mimetypes.best == "application/json":
        return {"error": str(error), "left": error.product.stock}, 409
    return render_template("error.html", title="Not enough of it", text=str(error)), 409


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(NotFound, not_found)
    app.register_error_handler(InternalServerError, failed)
    app.register_error_handler(OutOfStockError, out_of_stock)
