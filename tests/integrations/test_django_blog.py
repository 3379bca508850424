"""The Django blog under gunicorn: its API routes live behind its middleware, with its users and its ORM."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integrations.conftest import INTEGRATIONS, run
from tests.support.servers import wait_until
from tests.support.visitors import Answer, Visitor

JSON = {"Accept": "application/json"}
HELLO = {"title": "Hello", "slug": "hello", "text": "The first post.", "is_published": True}
DRAFT = {"title": "Not yet", "slug": "not-yet", "text": "A draft."}


def log_in(port: int, username: str, password: str, page: str = "/accounts/login/") -> tuple[Visitor, Answer]:
    """Log in by a form of Django's, with its CSRF token."""
    visitor = Visitor(port)
    token = csrf_token(visitor.get(page))
    form = {"username": username, "password": password, "csrfmiddlewaretoken": token}
    return visitor, visitor.ask("POST", page, form=form)


def csrf_token(page: Answer) -> str:
    """Return the token of a page's form."""
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert found, page.text
    return found[1]


@pytest.fixture
def ada(blog: int) -> Visitor:
    """Log the superuser in."""
    visitor, answer = log_in(blog, "ada", "swordfish")
    assert (answer.status, answer.headers["Location"]) == (302, "/")
    return visitor


@pytest.fixture
def grace(blog: int, ada: Visitor) -> Visitor:
    """Log a reader in, to a blog with one post and one draft."""
    for post in (HELLO, DRAFT):
        assert ada.ask("POST", "/api/posts", data=post).status == 201
    return log_in(blog, "grace", "hopper")[0]


def test_a_post_from_first_to_last(ada: Visitor, blog: int) -> None:
    """What the API writes is on the pages, and goes away again."""
    made = ada.ask("POST", "/api/posts", data=HELLO)
    assert (made.status, made.headers["Location"]) == (201, "/api/posts/hello")
    assert made.json().items() >= {**HELLO, "author": "ada"}.items()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made.json()["created"])

    nobody = Visitor(blog)
    assert nobody.get("/api/posts/hello").json() == made.json()
    assert "The first post." in nobody.get("/posts/hello/").text

    changed = ada.ask("PATCH", "/api/posts/hello", data={"title": "Hello again"})
    assert (changed.status, changed.json()["title"], changed.json()["text"]) == (200, "Hello again", HELLO["text"])
    assert "Hello again" in nobody.get("/").text

    gone = ada.ask("DELETE", "/api/posts/hello")
    assert (gone.status, gone.text) == (204, "")
    assert nobody.get("/api/posts/hello").status == nobody.get("/posts/hello/").status == 404


def test_what_is_wrong_with_a_post(ada: Visitor) -> None:
    """The form of the project says what is wrong, and nothing is written."""
    answer = ada.ask("POST", "/api/posts", data={"title": "", "slug": "no slug"}, **JSON)
    assert answer.status == 422
    assert {part.split(":")[0] for part in answer.json()["detail"].split("; ")} == {"title", "slug", "text"}
    assert ada.ask("POST", "/api/posts", data=["list"]).text == "Send a JSON object"
    ada.ask("POST", "/api/posts", data=HELLO)
    assert "already exists" in ada.ask("POST", "/api/posts", data=HELLO).text
    assert ada.ask("PATCH", "/api/posts/hello", data={"title": ""}).status == 422
    assert ada.get("/api/posts/hello").json()["title"] == "Hello"


def test_pages_of_posts(ada: Visitor) -> None:
    """The list is paged by the query; a page that cannot be is a 400."""
    posts = [{**HELLO, "title": str(number), "slug": f"post-{number}"} for number in range(5)]
    assert ada.ask("POST", "/api/import", data=posts).json() == {"imported": 5}
    first = ada.get("/api/posts?per_page=2").json()
    assert ([post["title"] for post in first["posts"]], first["page"], first["pages"]) == (["4", "3"], 1, 3)
    assert [post["title"] for post in ada.get("/api/posts?per_page=2&page=3").json()["posts"]] == ["0"]
    assert ada.get("/api/posts?page=99").json()["posts"] == []
    for query in ("page=0", "page=x", "page=-1", "per_page=101", "page=99999999999"):
        assert ada.get(f"/api/posts?{query}").status == 400, query


def test_who_may_do_what(grace: Visitor, blog: int) -> None:
    """Nobody is a 401, a reader a 403 where the staff is asked for, and drafts are there for the staff alone."""
    nobody = Visitor(blog)
    for method, path in [
        ("POST", "/api/posts"),
        ("PATCH", "/api/posts/hello"),
        ("DELETE", "/api/posts/hello"),
        ("POST", "/api/import"),
    ]:
        assert nobody.ask(method, path, data={}).status == 401, path
        assert grace.ask(method, path, data={}).status == 403, path
    assert grace.get("/api/posts/not-yet").status == nobody.get("/posts/not-yet/").status == 404
    assert [post["slug"] for post in grace.get("/api/posts").json()["posts"]] == ["hello"]
    assert nobody.get("/api/me", **JSON).json()["detail"] == "Log in first"
    assert grace.get("/api/me").json() == {"username": "grace", "is_staff": False}


def test_methods(ada: Visitor) -> None:
    """What a route does not take is a 405 with `Allow`."""
    for path, allowed in [
        ("/api/posts", "GET, HEAD, POST"),
        ("/api/posts/hello", "GET, HEAD, PATCH, DELETE"),
        ("/api/posts/hello/comments", "GET, HEAD, POST"),
        ("/api/me", "GET, HEAD"),
    ]:
        answer = ada.ask("PUT", path)
        assert (answer.status, answer.headers["Allow"]) == (405, allowed)


def test_comments(grace: Visitor, blog: int) -> None:
    """A comment by the API and one by the page's form are both in both."""
    assert grace.ask("POST", "/api/posts/hello/comments", data={"text": "By the API"}).status == 201
    assert "By the API" in grace.get("/posts/hello/").text
    form = {"text": "By the form", "csrfmiddlewaretoken": csrf_token(grace.get("/posts/hello/comment/"))}
    answer = grace.ask("POST", "/posts/hello/comment/", form=form)
    assert (answer.status, answer.headers["Location"]) == (302, "/posts/hello/")
    assert "By the form" in Visitor(blog).get("/posts/hello/").text
    comments = grace.get("/api/posts/hello/comments").json()
    assert [(comment["author"], comment["text"]) for comment in comments] == [
        ("grace", "By the API"),
        ("grace", "By the form"),
    ]
    assert grace.ask("POST", "/api/posts/hello/comments", data={"text": " "}).status == 422
    assert grace.ask("POST", "/api/posts/not-yet/comments", data={"text": "?"}).status == 404
    assert Visitor(blog).ask("POST", "/api/posts/hello/comments", data={"text": "?"}).status == 401


def test_public_pages_are_the_same_for_everybody(ada: Visitor, grace: Visitor, blog: int) -> None:
    """What they show does not depend on who asks, not even for the staff, and they say so."""
    for path in ("/", "/posts/hello/", "/posts/not-yet/", "/nothing/"):
        answers = [visitor.get(path) for visitor in (Visitor(blog), grace, ada)]
        assert len({(answer.status, answer.text) for answer in answers}) == 1, path
        assert {(answer.headers["Vary"], answer.headers["Set-Cookie"]) for answer in answers} == {(None, None)}, path


def test_what_is_for_one_reader_has_pages_of_its_own(grace: Visitor, blog: int) -> None:
    """Who has not logged in is sent to do so."""
    nobody = Visitor(blog)
    for path in ("/account/", "/posts/hello/comment/"):
        assert nobody.get(path).headers["Location"] == f"/accounts/login/?next={path}"
        assert grace.get(path).headers["Vary"] == "Cookie"
    assert "<h2>grace</h2>" in grace.get("/account/").text
    assert grace.get("/posts/not-yet/comment/").status == 404
    leave = {"csrfmiddlewaretoken": csrf_token(grace.get("/account/"))}
    assert grace.ask("POST", "/accounts/logout/", form=leave).headers["Location"] == "/"
    assert grace.get("/account/").status == 302


def test_a_failing_route_leaves_no_row(ada: Visitor) -> None:
    """With ATOMIC_REQUESTS, what a route wrote before it raised is taken back."""
    answer = ada.ask("POST", "/api/import", data=[HELLO, DRAFT, {**HELLO, "title": "Its slug is taken"}])
    assert (answer.status, "already exists" in answer.text) == (422, True)
    assert ada.get("/api/posts").json()["posts"] == []
    assert ada.ask("POST", "/api/import", data=[HELLO, DRAFT]).status == 201
    assert len(ada.get("/api/posts").json()["posts"]) == 2


def test_csrf(grace: Visitor, ada: Visitor) -> None:
    """JSON needs no token, forms of other sites are refused, and without the guard Django's own check holds."""
    comment, mention = "/api/posts/hello/comments", "/api/webmention"
    assert grace.ask("POST", comment, data={"text": "JSON"}).status == 201
    assert grace.ask("POST", comment, form={"text": "A form of this site"}, Sec_Fetch_Site="same-origin").status == 201
    refused = grace.ask("POST", comment, form={"text": "evil"}, Origin="https://evil.example")
    assert (refused.status, "Cross-site POST" in refused.text) == (403, True)
    assert grace.ask("POST", "/posts/hello/comment/", form={"text": "no token"}).status == 403
    # Any site may send this one, but not with the session of a user of this one.
    form = {"source": "https://other.example/1", "target": "https://blog.example/posts/hello/"}
    mentioned = grace.ask("POST", mention, form=form)
    assert (mentioned.status, "CSRF verification failed" in mentioned.text) == (403, True)
    token = grace.cookies["csrftoken"]
    assert grace.ask("POST", mention, form=form, X_CSRFToken=token).status == 202
    assert len(ada.get(comment).json()) == 3


def test_webmentions(grace: Visitor, blog: int) -> None:
    """Another site's server, or a form on its page, says that it mentions a post."""
    other = Visitor(blog)
    form = {"source": "https://other.example/1", "target": "https://blog.example/posts/hello/"}
    assert other.ask("POST", "/api/webmention", form=form, Origin="https://other.example").status == 202
    assert grace.get("/api/posts/hello/comments").json() == [
        {"author": None, "source": "https://other.example/1", "text": "mentions this post"}
    ]
    assert "https://other.example/1" in grace.get("/posts/hello/").text
    for wrong in ({"source": ""}, {"source": "nonsense"}, {"target": "/posts/not-yet/"}, {"target": ""}):
        assert other.ask("POST", "/api/webmention", form={**form, **wrong}).status == 400, wrong


def test_a_command_that_saves_a_post(grace: Visitor, blog: int, tmp_path: Path) -> None:
    """It has the pages that show it made anew, when they are next asked for."""
    wait_until(lambda: grace.get("/posts/hello/").headers["x-nextjs-cache"] == "HIT", "the page is not kept")
    variables = {"BLOG_DATABASE": str(tmp_path / "blog.sqlite3"), "BLOG_PAGE_CACHE": str(tmp_path / "pages.sqlite3")}
    say = "from blog.models import Post; Post.objects.get(slug='hello').comments.create(text='By a command')"
    run(INTEGRATIONS / "django_blog", variables, "manage.py", "shell", "-c", say)
    assert "By a command" in Visitor(blog).get("/posts/hello/").text


def test_the_admin_is_as_it_was(blog: int, grace: Visitor) -> None:
    """Its login page leads into it; the API knows the same session, and the admin shows what the API wrote."""
    nobody = Visitor(blog)
    assert nobody.get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"
    ada, answer = log_in(blog, "ada", "swordfish", "/admin/login/?next=/admin/")
    assert (answer.status, answer.headers["Location"]) == (302, "/admin/")
    assert "Site administration" in ada.get("/admin/").text
    assert "Not yet" in ada.get("/admin/blog/post/").text
    assert ada.get("/api/me").json() == {"username": "ada", "is_staff": True}


def test_the_pages_are_as_they_were(grace: Visitor) -> None:
    """APPEND_SLASH, the 405 of a view and the project's 404 page are Django's; below /api a 404 is nextapi's."""
    assert grace.get("/posts/hello").headers["Location"] == "/posts/hello/"
    refused = grace.ask("PUT", "/posts/hello/", X_CSRFToken=grace.cookies["csrftoken"])
    assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert "There is no such page" in grace.get("/nothing/").text
    assert grace.get("/api/nothing").text == "Not Found"
    assert grace.get("/").headers["X-Frame-Options"] == grace.get("/api/posts").headers["X-Frame-Options"] == "DENY"
