"""The public pages of the shop and of the blog in a page cache that two workers of gunicorn share."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from secrets import token_hex

import pytest

from tests.integrations.conftest import INTEGRATIONS, django_blog, flask_shop
from tests.integrations.test_django_blog import csrf_token, log_in
from tests.support.redis import serve_redis
from tests.support.servers import wait_until
from tests.support.trees import write_files
from tests.support.visitors import Answer, Visitor

SECRET = "of-the-webhook"


class Site:
    """An app in `folder` that two workers serve."""

    def __init__(self, port: int, folder: Path, database: str) -> None:
        self.port = port
        self._log = folder / "log.txt"
        self._database = folder / database

    def write(self, statement: str, *values: object) -> None:
        """Change a row of the database, as another program does, of which the app hears nothing."""
        with closing(sqlite3.connect(self._database, timeout=60)) as connection, connection:
            assert connection.execute(statement, values).rowcount == 1

    def webhook(self, path: str, secret: str = SECRET) -> Answer:
        """Ask for the page of a path to be made anew."""
        return Visitor(self.port).get(f"/api/revalidate?secret={secret}&path={path}")

    def is_kept(self, path: str, text: str) -> None:
        """Ask for a page until both workers have answered: each time it has the text, and is the one that is kept."""
        client = token_hex()

        def has_answered() -> bool:
            answer = Visitor(self.port).get(path, User_Agent=client)
            assert (answer.status, answer.headers["x-nextjs-cache"]) == (200, "HIT"), path
            assert text in answer.text
            lines = {line for line in self._log.read_text().splitlines() if line.endswith(f":{client}")}
            return len(lines) == 2

        wait_until(has_answered, "one worker has answered all")


def first(site: Site, path: str) -> Answer:
    """Ask for a page that is not there yet."""
    answer = Visitor(site.port).get(path)
    assert (answer.status, answer.headers["x-nextjs-cache"]) == (200, "MISS")
    return answer


# The shop


@pytest.fixture(scope="module", params=["sqlite", "redis"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve a shop with each store that a Flask app shares."""
    folder = tmp_path_factory.mktemp("shop")
    with ExitStack() as stack:
        redis = stack.enter_context(serve_redis(folder)) if request.param == "redis" else None
        variables = {"SHOP_REVALIDATE_SECRET": SECRET, "SHOP_PAGE_CACHE": redis or str(folder / "pages.sqlite3")}
        yield Site(stack.enter_context(flask_shop(folder, "gunicorn-two", **variables)), folder, "shop.sqlite3")


def test_a_product_is_what_it_was_until_the_webhook_is_asked(shop: Site) -> None:
    """Then every worker shows the new one at once, to everybody; a wrong secret changes nothing."""
    assert "€29.00" in first(shop, "/products/1").text
    shop.is_kept("/products/1", "€29.00")

    shop.write("UPDATE products SET price = 3100 WHERE id = 1")
    shop.is_kept("/products/1", "€29.00")
    for secret in ("wrong", "", SECRET.upper()):
        refused = shop.webhook("/products/1", secret)
        assert (refused.status, refused.json()) == (401, {"message": "Invalid token"})
    shop.is_kept("/products/1", "€29.00")

    done = shop.webhook("/products/1")
    assert (done.status, done.json()) == (200, {"revalidated": True})
    shop.is_kept("/products/1", "€31.00")


def test_a_page_that_cannot_be_made_anew(shop: Site) -> None:
    """The webhook says so, and the last good one is shown on."""
    first(shop, "/products/2")
    shop.write("UPDATE products SET price = 'much' WHERE id = 2")
    failed = shop.webhook("/products/2")
    assert (failed.status, failed.text) == (500, "Error revalidating")
    shop.is_kept("/products/2", "€8.50")
    assert shop.webhook("no-path").status == 500


def test_an_order_is_seen_on_all_pages_with_products(shop: Site) -> None:
    """They have a tag, which the view that takes the order expires; the next who asks has each made."""
    for path in ("/", "/products/5"):
        Visitor(shop.port).get(path)
        shop.is_kept(path, "Wax seal")
    ada = customer(shop, "ada", "swordfish")
    assert ada.ask("POST", "/cart", form={"product": "5"}).status == 302
    assert ada.ask("POST", "/orders").status == 302
    for path in ("/", "/products/5"):
        assert "Sold out" in first(shop, path).text
        shop.is_kept(path, "Sold out")


def test_customers_see_one_public_page_and_each_their_own(shop: Site) -> None:
    """No page that is kept knows who asked first; what is one customer's is never kept."""
    ada, grace = customer(shop, "ada", "swordfish"), customer(shop, "grace", "hopper")
    ada.ask("POST", "/api/cart", data={"product": 3})
    page = ada.get("/products/3")
    assert page.headers["Set-Cookie"] is None
    wait_until(lambda: grace.get("/products/3").headers["x-nextjs-cache"] == "HIT", "the page is not kept")
    assert grace.get("/products/3").text == Visitor(shop.port).get("/products/3").text == page.text
    for _ in range(2):
        assert ada.get("/api/me").json() == {"name": "ada", "cart": 1}
        assert grace.get("/api/me").json() == {"name": "grace", "cart": 0}
        assert ("Notebook" in ada.get("/cart").text, "Notebook" in grace.get("/cart").text) == (True, False)
        assert Visitor(shop.port).get("/cart").headers["Location"] == "/login"


def customer(shop: Site, name: str, password: str) -> Visitor:
    """Log in by the page."""
    visitor = Visitor(shop.port)
    assert visitor.ask("POST", "/login", form={"name": name, "password": password}).status == 302
    return visitor


# The blog

# What a project may do in one request. An update by SQL tells no signal, so that nothing else has the page made anew.
_RENAME = """
from blog.models import Post
from nextapi import HTTPError


def handler(req, res):
    Post.objects.filter(slug="hello").update(title=req.body["title"])
    res.revalidate("/posts/hello/")
    if req.body["fail"]:
        raise HTTPError(409, "Not this one")
    res.json({"revalidated": True})
"""


@pytest.fixture(scope="module", params=["sqlite-0", "redis-60", "django-0", "django-60"])
def blog(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve a blog with one post, with each store that a Django project shares, and two times of CONN_MAX_AGE."""
    folder = tmp_path_factory.mktemp("blog")
    store, _, seconds = request.param.partition("-")
    source = shutil.copytree(INTEGRATIONS / "django_blog", folder / "source")
    write_files(source / "web", {"pages/api/rename.py": _RENAME})
    with ExitStack() as stack:
        variables = {"BLOG_REVALIDATE_SECRET": SECRET, "BLOG_CONN_MAX_AGE": seconds}
        port = stack.enter_context(django_blog(folder, "gunicorn-two", source, **variables))
        yield Site(port, folder, "blog.sqlite3")
