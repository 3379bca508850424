"""The Flask shop under gunicorn: its API routes live in its sessions, its database and its error handlers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integrations.conftest import INTEGRATIONS
from tests.support.servers import serve
from tests.support.visitors import Visitor

JSON = {"Accept": "application/json"}
PEN = {"id": 1, "name": "Fountain pen", "price": 2900, "stock": 12}


@pytest.fixture
def ada(shop: int) -> Visitor:
    """Log in by the form of the shop's own page."""
    visitor = Visitor(shop)
    answer = visitor.ask("POST", "/login", form={"name": "ada", "password": "swordfish"})
    assert (answer.status, answer.headers["Location"]) == (302, "/")
    return visitor


def test_products(shop: int) -> None:
    """The API lists, finds and shows what the pages do."""
    visitor = Visitor(shop)
    products = visitor.get("/api/products").json()
    assert [product["name"] for product in products][:3] == ["Blotting paper", "Bottle of ink", "Fountain pen"]
    assert visitor.get("/api/products/1").json().items() >= PEN.items()
    found = visitor.get("/api/search?q=INK").json()
    assert [product["name"] for product in found["products"]] == ["Bottle of ink", "Fountain pen"]
    assert visitor.get("/api/search").json()["products"] == products


def test_a_product_that_is_not_there(shop: int) -> None:
    """An id without a product is a 404 of the route's, as a problem document for who wants JSON."""
    for name in ("999", "0", "one", "%D9%A3", "9" * 30):
        answer = Visitor(shop).get(f"/api/products/{name}", **JSON)
        assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json"), name


def test_methods(ada: Visitor) -> None:
    """What a route does not take is a 405 with `Allow`; the shop's own 405 is as it was."""
    for path, allowed in [
        ("/api/products", "GET, HEAD"),
        ("/api/login", "POST"),
        ("/api/cart", "GET, HEAD, POST, DELETE"),
    ]:
        answer = ada.ask("PUT", path)
        assert (answer.status, answer.headers["Allow"]) == (405, allowed)
    answer = ada.ask("DELETE", "/cart")
    assert answer.status == 405
    assert {*answer.headers["Allow"].split(", ")} == {"GET", "HEAD", "OPTIONS", "POST"}
    assert ada.ask("HEAD", "/api/products/1").text == ""


def test_the_cart_is_the_one_of_the_pages(ada: Visitor) -> None:
    """What the API puts into the cart the page shows, and the other way round."""
    assert ada.get("/api/cart").json() == {"lines": [], "count": 0, "total": 0}
    answer = ada.ask("POST", "/api/cart", data={"product": 1, "quantity": 2})
    line = {"product": 1, "name": "Fountain pen", "price": 2900, "quantity": 2}
    assert (answer.status, answer.json()) == (201, {"lines": [line], "count": 2, "total": 5800})
    assert "€58.00" in ada.get("/cart").text
    assert ada.ask("POST", "/cart", form={"product": "3"}).status == 302
    assert ["Notebook is in your cart." in ada.get("/cart").text for _ in range(2)] == [True, False]
    assert ada.get("/api/cart").json()["count"] == 3
    assert ada.ask("DELETE", "/api/cart").json()["count"] == 0
    assert "nothing in it" in ada.get("/cart").text


def test_what_cannot_be_put_into_a_cart(ada: Visitor) -> None:
    """A request that makes no sense is refused, and the cart stays empty."""
    wrong: list[tuple[object, int]] = [
        ({}, 422),
        ([1], 422),
        ({"product": "1"}, 422),
        ({"product": 1, "quantity": 0}, 422),
        ({"product": 1, "quantity": "2"}, 422),
        ({"product": 999}, 404),
        ({"product": 10**30}, 404),
    ]
    for data, status in wrong:
        assert ada.ask("POST", "/api/cart", data=data).status == status, data
    assert ada.get("/api/cart").json()["count"] == 0


def test_who_is_nobody(shop: int) -> None:
    """Without a login the cart and the orders are a 401, for every method."""
    visitor = Visitor(shop)
    for asked in ("GET /api/cart", "POST /api/cart", "DELETE /api/cart", "GET /api/orders/1"):
        method, _, path = asked.partition(" ")
        answer = visitor.ask(method, path, **JSON)
        assert (answer.status, answer.json()["detail"]) == (401, "Log in first")
    assert visitor.get("/cart").headers["Location"] == "/login"


def test_login_and_logout_are_those_of_the_pages(shop: int) -> None:
    """A session that the API began is the pages' session, and ends for both."""
    visitor = Visitor(shop)
    for data, status in [({"name": "ada", "password": "wrong"}, 401), ({"name": "ada"}, 422), ({}, 422)]:
        assert visitor.ask("POST", "/api/login", data=data).status == status
        assert not visitor.cookies
    answer = visitor.ask("POST", "/api/login", data={"name": "ada", "password": "swordfish"})
    assert answer.json() == {"id": 1, "name": "ada"}
    assert "SameSite=Lax" in answer.headers["Set-Cookie"]
    assert visitor.get("/api/me").json() == {"name": "ada", "cart": 0}
    assert visitor.ask("POST", "/api/logout").status == 204
    assert visitor.get("/api/cart").status == 401
    assert visitor.get("/api/me").json() is None


def test_public_pages_are_the_same_for_everybody(ada: Visitor, shop: int) -> None:
    """What they show does not depend on who asks, and they say so; those of one customer say that they do."""
    ada.ask("POST", "/cart", form={"product": "1"})
    for path in ("/", "/products/1", "/search?q=ink", "/sold", "/nothing"):
        mine, public = ada.get(path), Visitor(shop).get(path)
        assert (mine.text, mine.headers["Vary"], mine.headers["Set-Cookie"]) == (public.text, None, None), path
    for path in ("/cart", "/login", "/api/me"):
        assert ada.get(path).headers["Vary"] == "Cookie", path


def test_the_search_page_needs_no_script(shop: int) -> None:
    """The form of the list leads to a page with what the script would show."""
    page = Visitor(shop).get("/search?q=INK").text
    assert 'action="/search"' in page
    assert "Bottle of ink" in page
    assert "Notebook" not in page


def test_orders(ada: Visitor, shop: int) -> None:
    """An order that the page placed is shown to its customer, and to nobody else."""
    ada.ask("POST", "/api/cart", data={"product": 5})
    placed = ada.ask("POST", "/orders")
    assert placed.headers["Location"] == "/orders/1"
    order = ada.get("/api/orders/1").json()
    assert order["lines"] == [{"product": 5, "name": "Wax seal", "price": 1900, "quantity": 1}]
    assert order["total"] == 1900
    assert ada.get("/api/products/5").json()["stock"] == 0
    grace = Visitor(shop)
    grace.ask("POST", "/api/login", data={"name": "grace", "password": "hopper"})
    assert grace.get("/api/orders/1").status == grace.get("/api/orders/x").status == 404


def test_an_exception_of_the_shops_own(ada: Visitor) -> None:
    """OutOfStockError is answered by the shop's error handler, as a page or as JSON, and nothing is written."""
    answer = ada.ask("POST", "/api/cart", data={"product": 5, "quantity": 2}, **JSON)
    assert (answer.status, answer.json()) == (409, {"error": "Wax seal: only 1 left", "left": 1})
    by_api = ada.ask("POST", "/api/cart", data={"product": 6})
    by_page = ada.ask("POST", "/cart", form={"product": "6"})
    assert (by_api.status, by_api.text) == (by_page.status, by_page.text)
    assert "Letter opener: sold out" in by_api.text
    assert ada.get("/api/cart").json()["count"] == 0


def test_not_found(shop: int) -> None:
    """The shop's 404 page is for its paths, nextapi's for what is below /api."""
    visitor = Visitor(shop)
    page, api = visitor.get("/nothing"), visitor.get("/api/nothing")
    assert (page.status, api.status) == (404, 404)
    assert "There is no such page" in page.text
    assert api.text == "Not Found"


def test_a_failure_is_the_shops_500_page(tmp_path: Path) -> None:
    """Without tables every query fails; a route's failure is answered and logged by the shop as a page's is."""
    names = {"SHOP_DATABASE": "empty.sqlite3", "SHOP_PAGE_CACHE": "pages.sqlite3"}
    variables = {name: str(tmp_path / file) for name, file in names.items()}
    with serve("shop:create_app()", tmp_path, source=INTEGRATIONS / "flask_shop", environment=variables) as port:
        visitor = Visitor(port)
        page, api = visitor.get("/"), visitor.get("/api/products")
    assert (page.status, api.status) == (500, 500)
    assert "we have been told" in page.text
    assert page.text == api.text
    assert "no such table: products" in (tmp_path / "log.txt").read_text()


def test_forms_of_other_sites_are_refused(ada: Visitor) -> None:
    """The same-origin guard keeps other sites' pages from using a customer's session."""
    answer = ada.ask("POST", "/api/logout", form={}, Origin="https://evil.example")
    assert answer.status == 403
    assert "https://evil.example" in answer.text
    assert ada.get("/api/cart").status == 200
