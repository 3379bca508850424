"""The public pages of the shop and of the blog in a page cache that two workers of gunicorn share."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from secrets import token_hex
from typing import Protocol

import pytest

from tests.integrations.conftest import INTEGRATIONS, django_blog, flask_shop, run
from tests.integrations.test_django_blog import csrf_token, log_in
from tests.support.redis import redis_server
from tests.support.servers import wait_until
from tests.support.trees import write_files
from tests.support.visitors import Answer, Visitor

SECRET = "of-the-webhook"


class Place(Protocol):
    """What keeps pages."""

    def stop(self) -> None:
        """Have it gone."""

    def start(self) -> None:
        """Have it back."""


class PagesFile:
    """A SQLite file, in the way of which a folder can be."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def stop(self) -> None:
        """Remove the file, and have no other in its place."""
        self._path.unlink()
        self._path.mkdir()

    def start(self) -> None:
        """Let the file be made anew."""
        self._path.rmdir()


class Site:
    """An app that two workers serve in `folder`, with pages in a place."""

    def __init__(self, port: int, folder: Path, database: str, place: Place | None = None) -> None:
        self.port = port
        self.place = place
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
    """Serve a shop with each store that processes share."""
    folder = tmp_path_factory.mktemp("shop")
    variables = {"SHOP_REVALIDATE_SECRET": SECRET}
    place: Place = PagesFile(folder / "pages.sqlite3")
    with ExitStack() as stack:
        if request.param == "redis":
            place = server = stack.enter_context(redis_server(folder))
            variables["SHOP_PAGE_CACHE"] = server.url
        port = stack.enter_context(flask_shop(folder, "gunicorn-two-logged", **variables))
        yield Site(port, folder, "shop.sqlite3", place)


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
    shop.write("UPDATE products SET price = 900 WHERE id = 2")
    assert shop.webhook("/products/2").status == 200
    shop.is_kept("/products/2", "€9.00")


def test_an_order_is_seen_on_all_pages_with_products(shop: Site) -> None:
    """They have a tag, which the view that takes the order expires; the next who asks has each made."""
    assert first(shop, "/").text.count(">Sold out<") == 1
    assert "1 left" in first(shop, "/products/5").text
    ada = customer(shop, "ada", "swordfish")
    assert ada.ask("POST", "/cart", form={"product": "5"}).status == 302
    shop.is_kept("/products/5", "1 left")
    assert ada.ask("POST", "/orders").status == 302
    assert first(shop, "/").text.count(">Sold out<") == 2
    assert "0 left" in first(shop, "/products/5").text
    shop.is_kept("/products/5", "0 left")


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


def test_without_the_store_the_shop_goes_on(shop: Site) -> None:
    """Pages are made for each who asks, orders are taken, and the webhook says that it failed, until it is back."""
    grace = customer(shop, "grace", "hopper")
    assert shop.place is not None
    shop.place.stop()
    grace.ask("POST", "/cart", form={"product": "4"})
    assert "/orders/" in grace.ask("POST", "/orders").headers["Location"]
    assert "99 left" in Visitor(shop.port).get("/products/4").text
    failed = shop.webhook("/products/4")
    assert (failed.status, failed.text) == (500, "Error revalidating")
    shop.place.start()
    wait_until(lambda: shop.webhook("/products/4").status == 200, "the store is not used again")
    shop.write("UPDATE products SET stock = 98 WHERE id = 4")
    assert shop.webhook("/products/4").status == 200
    wait_until(lambda: Visitor(shop.port).get("/products/4").headers["x-nextjs-cache"] == "HIT", "it is not used again")


def customer(shop: Site, name: str, password: str) -> Visitor:
    """Log in by the page."""
    visitor = Visitor(shop.port)
    assert visitor.ask("POST", "/login", form={"name": name, "password": password}).status == 302
    return visitor


# The blog

# Changes a post without a signal, so that nothing else has its page made anew.
_RENAME = """
from blog.models import Post
from nextapi import HTTPError


def handler(req, res):
    Post.objects.filter(slug=req.body["slug"]).update(title=req.body["title"])
    res.revalidate(f"/posts/{req.body['slug']}/")
    if req.body["fail"]:
        raise HTTPError(409, "Not this one")
    res.json({"revalidated": True})
"""

# As for any cache of Django's in SQLite: else who begins to write while another does is refused, and does not wait.
_SETTINGS = """
import django
from blog_site.settings import *

CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "pages"}}
DATABASES["default"]["OPTIONS"] = {"timeout": 60}
if django.VERSION >= (5, 1):
    DATABASES["default"]["OPTIONS"]["transaction_mode"] = "IMMEDIATE"
"""
_WSGI = """
from django.core.wsgi import get_wsgi_application

from nextapi.adapters.django import DjangoStore
from nextapi.adapters.wsgi import PageCache

application = PageCache(get_wsgi_application(), store=DjangoStore("default"))
"""


@pytest.fixture(scope="module", params=["sqlite, 0", "redis, 60", "django, 60"])
def blog(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve a blog with each store that processes share, and with CONN_MAX_AGE 0 and 60."""
    store, seconds = request.param.split(", ")
    folder = tmp_path_factory.mktemp("blog")
    source = shutil.copytree(INTEGRATIONS / "django_blog", folder / "source")
    write_files(source, {"web/pages/api/rename.py": _RENAME})
    variables = {"BLOG_REVALIDATE_SECRET": SECRET, "BLOG_CONN_MAX_AGE": seconds}
    with ExitStack() as stack:
        if store == "redis":
            variables["BLOG_PAGE_CACHE"] = stack.enter_context(redis_server(folder)).url
        elif store == "django":
            write_files(source, {"with_cache.py": _SETTINGS, "blog_site/wsgi.py": _WSGI})
            variables["DJANGO_SETTINGS_MODULE"] = "with_cache"
        port = stack.enter_context(django_blog(folder, "gunicorn-two-logged", source, **variables))
        if store == "django":
            run(source, {**variables, "BLOG_DATABASE": str(folder / "blog.sqlite3")}, "manage.py", "createcachetable")
        yield Site(port, folder, "blog.sqlite3")
    log = (folder / "log.txt").read_text()
    assert [line for line in log.splitlines() if "Traceback" in line or "ResourceWarning" in line] == []


@pytest.fixture(scope="module")
def ada(blog: Site) -> Visitor:
    """Log the superuser in."""
    return log_in(blog.port, "ada", "swordfish")[0]


def publish(ada: Visitor, slug: str) -> str:
    """Publish a post and return the path of its page."""
    post = {"title": f"The first {slug}", "slug": slug, "text": "Text.", "is_published": True}
    assert ada.ask("POST", "/api/posts", data=post).status == 201
    return f"/posts/{slug}/"


def test_a_post_is_what_it_was_until_the_webhook_is_asked(blog: Site, ada: Visitor) -> None:
    """Then every worker shows the new one at once, to everybody; a wrong secret changes nothing."""
    path = publish(ada, "hook")
    assert "The first hook" in first(blog, path).text
    blog.is_kept(path, "The first hook")

    blog.write("UPDATE blog_post SET title = 'Changed' WHERE slug = 'hook'")
    refused = blog.webhook(path, "wrong")
    assert (refused.status, refused.json()) == (401, {"message": "Invalid token"})
    blog.is_kept(path, "The first hook")

    done = blog.webhook(path)
    assert (done.status, done.json()) == (200, {"revalidated": True})
    blog.is_kept(path, "Changed")
    failed = blog.webhook("no-path")
    assert (failed.status, failed.text) == (500, "Error revalidating")


def test_a_page_is_made_anew_when_its_transaction_commits(blog: Site, ada: Visitor) -> None:
    """What is taken back changes no page; what is not is on the page before the answer comes."""
    path = publish(ada, "renamed")
    first(blog, path)
    failed = {"slug": "renamed", "title": "Second", "fail": True}
    assert ada.ask("POST", "/api/rename", data=failed).status == 409
    blog.is_kept(path, "The first renamed")
    assert ada.ask("POST", "/api/rename", data={**failed, "fail": False}).status == 200
    blog.is_kept(path, "Second")


def test_draft_mode_goes_round_the_cache(blog: Site, ada: Visitor) -> None:
    """Who is in draft mode sees posts as they are now, published or not; nobody else is shown what they see."""
    path = publish(ada, "drafted")
    first(blog, path)
    blog.write("UPDATE blog_post SET is_published = 0 WHERE slug = 'drafted'")
    blog.is_kept(path, "The first drafted</h2>")

    other = Visitor(blog.port)
    assert other.get("/api/draft?slug=drafted&secret=wrong").status == 401
    assert other.get(f"/api/draft?slug=missing&secret={SECRET}").status == 404
    assert other.cookies == {}
    assert other.get(f"/api/draft?slug=drafted&secret={SECRET}").headers["Location"] == path
    assert ada.get("/api/draft?slug=drafted").headers["Location"] == path
    for reader in (other, ada):
        page = reader.get(path)
        assert "The first drafted (draft)</h2>" in page.text
        assert page.headers["Cache-Control"].startswith("private, no-cache, no-store")
    blog.is_kept(path, "The first drafted</h2>")

    for reader in (other, ada):
        assert reader.get("/api/disable-draft").headers["Location"] == "/"
        assert reader.get(path).headers["x-nextjs-cache"] == "HIT"


def test_what_is_saved_is_on_the_pages(blog: Site, ada: Visitor) -> None:
    """By the API, the admin or a page: the next who asks has them made; what is taken back changes none."""
    path = publish(ada, "saved")
    assert "None yet." in first(blog, path).text
    assert "The first saved" in first(blog, "/").text

    new = {"title": "Never", "slug": "never", "text": "Text.", "is_published": True}
    assert ada.ask("POST", "/api/import", data=[new, {**new, "title": "Its slug is taken"}]).status == 422
    blog.is_kept("/", "The first saved")

    assert ada.ask("PATCH", "/api/posts/saved", data={"title": "By the API"}).status == 200
    assert "By the API" in first(blog, path).text
    assert "Never" not in first(blog, "/").text

    [number] = re.findall(r"/post/(\d+)/change/\">By the API<", ada.get("/admin/blog/post/").text)
    form = f"/admin/blog/post/{number}/change/"
    post = {"title": "By the admin", "slug": "saved", "text": "Text.", "author": "1", "is_published": "on"}
    post["csrfmiddlewaretoken"] = csrf_token(ada.get(form))
    assert ada.ask("POST", form, form=post).status == 302
    assert "By the admin" in first(blog, path).text

    comment = {"text": "By the page", "csrfmiddlewaretoken": csrf_token(ada.get(f"{path}comment/"))}
    assert ada.ask("POST", f"{path}comment/", form=comment).headers["Location"] == path
    assert "By the page" in first(blog, path).text
    blog.is_kept(path, "By the page")


def test_readers_see_one_public_page_and_each_their_own(blog: Site, ada: Visitor) -> None:
    """No page that is kept knows who asked first; what is one reader's is never kept."""
    grace = log_in(blog.port, "grace", "hopper")[0]
    path = publish(ada, "public")
    page = ada.get(path)
    assert page.headers["Set-Cookie"] is None
    wait_until(lambda: grace.get(path).headers["x-nextjs-cache"] == "HIT", "the page is not kept")
    assert grace.get(path).text == Visitor(blog.port).get(path).text == page.text
    for _ in range(2):
        assert ada.get("/api/me").json() == {"username": "ada", "is_staff": True}
        assert grace.get("/api/me").json() == {"username": "grace", "is_staff": False}
        assert ("<h2>ada" in ada.get("/account/").text, "<h2>grace" in grace.get("/account/").text) == (True, True)
        assert Visitor(blog.port).get("/account/").status == 302
