"""`@static_page` on views of Flask and Django, as their clients see it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from http import HTTPStatus
from inspect import iscoroutinefunction, signature
from typing import Any

import flask
import pytest
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotFound,
    HttpResponseRedirect,
    HttpResponseServerError,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from flask.views import MethodView
from werkzeug.datastructures import Headers
from werkzeug.test import Client, TestResponse

import nextapi
from nextapi import static_page
from nextapi.errors import OptionError
from tests.support.mounts import django_project

MINUTE = "s-maxage=60, stale-while-revalidate=31535940"

minute = static_page(revalidate=60, tags=["posts", "post 1"])


def ask_flask(view: Callable[..., Any], method: str = "GET") -> TestResponse:
    """Return what a Flask app answers with a view."""
    app = flask.Flask("app")
    app.add_url_rule("/", "view", view, methods=["GET", "POST"])
    return Client(app).open("/", method=method)


def ask_django(view: Callable[..., Any]) -> TestResponse:
    """Return what a Django project answers with a view."""
    with django_project([path("", view)]) as client:
        return client.get("/")


def said(response: TestResponse) -> tuple[list[str], list[str]]:
    return response.headers.getlist("Cache-Control"), response.headers.getlist("Cache-Tag")


# Flask


def chunks() -> Iterator[str]:
    yield "a"
    yield "b"


ANSWERS: dict[str, tuple[Callable[[], Any], int, bytes]] = {
    "str": (lambda: "text", 200, b"text"),
    "empty": (lambda: "", 200, b""),
    "bytes": (lambda: b"text", 200, b"text"),
    "dict": (lambda: {"a": 1}, 200, b'{"a":1}\n'),
    "list": (lambda: ["a", 1], 200, b'["a",1]\n'),
    "pair in a list": (lambda: ["a", 404], 200, b'["a",404]\n'),
    "generator": (chunks, 200, b"ab"),
    "status": (lambda: ("text", 203), 203, b"text"),
    "HTTPStatus": (lambda: ("text", HTTPStatus.GONE), 410, b"text"),
    "status line": (lambda: ("text", "404 NOT FOUND"), 404, b"text"),
    "status without a reason": (lambda: ("text", "203"), 203, b"text"),
    "dict and status": (lambda: ({"a": 1}, 404), 404, b'{"a":1}\n'),
    "headers as a dict": (lambda: ("text", {"X-A": "b"}), 200, b"text"),
    "headers as pairs": (lambda: ("text", [("X-A", "b")]), 200, b"text"),
    "headers as Headers": (lambda: ("text", Headers({"X-A": "b"})), 200, b"text"),
    "all three": (lambda: ("text", 203, {"X-A": "b"}), 203, b"text"),
    "all three, pairs": (lambda: ("text", "203 So", (("X-A", "b"),)), 203, b"text"),
    "all three, no headers": (lambda: ("text", 203, None), 203, b"text"),
    "Response": (lambda: flask.make_response("text"), 200, b"text"),
    "redirect": (lambda: flask.redirect("/a", 307), 307, b""),
    "Response and status": (lambda: (flask.make_response("text"), 404), 404, b"text"),
    "Response and headers": (lambda: (flask.make_response("text"), {"X-A": "b"}), 200, b"text"),
    "bad Response made a good one": (lambda: (flask.make_response("text", 500), 200), 200, b"text"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_that_flask_takes(name: str) -> None:
    """What a view of Flask returns gets both headers, and is otherwise what it was."""
    answer, status, body = ANSWERS[name]
    plain, response = ask_flask(lambda: answer()), ask_flask(minute(lambda: answer()))
    assert said(plain) == ([], [])
    assert said(response) == ([MINUTE], ["posts, post 1"])
    assert response.status_code == status
    assert response.status == plain.status
    assert response.data == plain.data
    assert response.data == body or name == "redirect"
    rest = [pair for pair in response.headers if pair[0] not in ("Cache-Control", "Cache-Tag")]
    assert sorted(rest) == sorted(plain.headers)


@pytest.mark.parametrize(
    "answer",
    [
        lambda: ("text", 500),
        lambda: ("text", "403 Forbidden"),
        lambda: ("text", "no status"),
        lambda: ("text", 400, {"X-A": "b"}),
        lambda: flask.make_response("text", 429),
        lambda: (flask.make_response("text"), 500),
        lambda: flask.abort(404),
        lambda: flask.Flask("other"),
    ],
)
def test_errors_of_flask_are_no_pages(answer: Callable[[], Any]) -> None:
    """An answer with the status of an error, an exception and another WSGI app are left as they are."""
    plain, response = ask_flask(lambda: answer()), ask_flask(minute(lambda: answer()))
    assert said(response) == ([], [])
    assert response.status == plain.status
    assert response.data == plain.data


@pytest.mark.parametrize("answer", [lambda: None, lambda: ("a", 200, {}, 1), lambda: 5, lambda: (None, 200)])
def test_what_flask_does_not_take_is_left_to_it(answer: Callable[[], Any]) -> None:
    """What is no answer gets the same complaint of Flask as ever."""
    assert ask_flask(minute(lambda: answer())).status_code == 500


@pytest.mark.parametrize(
    "answer",
    [
        lambda: ("text", {"cache-control": "no-store", "Cache-Tag": "own"}),
        lambda: ("text", 200, [("Cache-Control", "no-store"), ("cache-tag", "own")]),
        lambda: flask.Response("text", headers={"Cache-Control": "no-store", "Cache-Tag": "own"}),
        lambda: (flask.Response("text", headers={"Cache-Control": "no-store", "Cache-Tag": "own"}), 200),
        lambda: (flask.Response("text"), {"Cache-Control": "no-store", "Cache-Tag": "own"}),
    ],
)
def test_own_headers_in_flask(answer: Callable[[], Any]) -> None:
    """A Cache-Control of the view's stands; its tags come before those of the decorator."""
    assert said(ask_flask(minute(lambda: answer()))) == (["no-store"], ["own, posts, post 1"])


def test_several_tag_lines_become_one() -> None:
    """Tags of several lines are all kept, each once."""
    headers = [("Cache-Tag", "a, posts"), ("Cache-Tag", "b"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    for answer in (("text", headers), flask.Response("text", headers=headers)):
        response = ask_flask(minute(lambda answer=answer: answer))
        assert said(response)[1] == ["a, posts, b, post 1"]
        assert len(response.headers.getlist("Set-Cookie")) == 2


def test_headers_of_the_view_are_not_changed() -> None:
    """Headers that a view returns again and again are its own."""
    headers = {"X-A": "b"}
    view = minute(lambda: ("text", headers))
    for _ in range(2):
        assert said(ask_flask(view)) == ([MINUTE], ["posts, post 1"])
    assert headers == {"X-A": "b"}


def test_file_of_flask() -> None:
    """A file that Flask sends says no-cache by itself, which stands."""
    view = minute(lambda: flask.send_file(io.BytesIO(b"a"), mimetype="text/plain"))
    assert said(ask_flask(view)) == (["no-cache"], ["posts, post 1"])


def test_methods_are_alike() -> None:
    """What a page says does not depend on the method: HEAD is what GET would be."""
    for method in ("GET", "HEAD", "POST"):
        assert said(ask_flask(minute(lambda: "text"), method))[0] == [MINUTE]


def test_async_view_of_flask() -> None:
    """A coroutine function stays one."""

    @minute
    async def view() -> str:
        return "text"

    assert iscoroutinefunction(view)
    response = ask_flask(view)
    assert (response.data, said(response)) == (b"text", ([MINUTE], ["posts, post 1"]))


def test_class_of_flask() -> None:
    """The view of a class, and a method of one, are decorated."""

    class Page(MethodView):
        @static_page(revalidate=False)
        def get(self) -> str:
            return "text"

    assert said(ask_flask(Page.as_view("a"))) == (["s-maxage=31536000"], [])

    class Other(MethodView):
        decorators = [minute]  # noqa: RUF012  # Flask's own way

        def get(self) -> str:
            return "text"

    assert said(ask_flask(Other.as_view("a"))) == ([MINUTE], ["posts, post 1"])


# Django


@pytest.mark.parametrize(
    ("view", "status"),
    [
        (lambda request: HttpResponse("text"), 200),
        (lambda request: JsonResponse({"a": 1}), 200),
        (lambda request: StreamingHttpResponse(["a", "b"]), 200),
        (lambda request: HttpResponseRedirect("/a"), 302),
        (lambda request: HttpResponseNotFound("text"), 404),
        (lambda request: HttpResponse("text", status=410), 410),
    ],
)
def test_every_response_of_django(view: Callable[[HttpRequest], Any], status: int) -> None:
    """What a view of Django returns gets both headers."""
    response = ask_django(minute(view))
    assert response.status_code == status
    assert said(response) == ([MINUTE], ["posts, post 1"])


def test_errors_of_django_are_no_pages() -> None:
    """An answer with the status of an error, and an exception, are left as they are."""

    def missing(request: HttpRequest) -> HttpResponse:
        raise Http404

    for view in (missing, lambda request: HttpResponseServerError("text"), lambda request: HttpResponse(status=403)):
        assert said(ask_django(minute(view))) == ([], [])


def test_own_headers_in_django() -> None:
    """A Cache-Control of the view's, or of a decorator below, stands; tags are joined."""
    headers = {"cache-control": "no-store", "cache-tag": "own"}
    response = ask_django(minute(lambda request: HttpResponse("text", headers=headers)))
    assert said(response) == (["no-store"], ["own, posts, post 1"])
    assert "no-store" in said(ask_django(minute(never_cache(lambda request: HttpResponse("text")))))[0][0]


def test_async_views_of_django() -> None:
    """A coroutine function, and a class of them, stay what they are to Django."""

    @minute
    async def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("text")

    class Page(View):
        async def get(self, request: HttpRequest) -> HttpResponse:
            return HttpResponse("text")

    for page in (view, minute(Page.as_view())):
        response = ask_django(page)
        assert (response.data, said(response)) == (b"text", ([MINUTE], ["posts, post 1"]))


def test_classes_of_django() -> None:
    """A class is decorated by Django's own method_decorator, or where it becomes a view."""

    @method_decorator(minute, name="dispatch")
    class Page(View):
        def get(self, request: HttpRequest, name: str = "") -> HttpResponse:
            return HttpResponse("text")

    class Plain(View):
        def get(self, request: HttpRequest) -> HttpResponse:
            return HttpResponse("text")

    for view in (Page.as_view(), minute(Plain.as_view())):
        assert said(ask_django(view)) == ([MINUTE], ["posts, post 1"])


# Either


def test_view_keeps_what_it_is() -> None:
    """Name, docstring, signature and attributes of the view stay."""

    @minute
    @csrf_exempt
    def page(request: HttpRequest, name: str = "a") -> HttpResponse:
        """Show it."""
        return HttpResponse(name)

    assert page.__name__ == "page"
    assert page.__doc__ == "Show it."
    assert list(signature(page).parameters) == ["request", "name"]
    assert vars(page)["csrf_exempt"] is True
    assert page(HttpRequest(), name="b").content == b"b"


def test_without_tags_there_is_no_header_of_them() -> None:
    """A page without tags says none, and keeps those that it has."""
    plain = static_page(revalidate=1)
    assert said(ask_flask(plain(lambda: "a"))) == (["s-maxage=1, stale-while-revalidate=31535999"], [])
    assert said(ask_flask(plain(lambda: ("a", {"Cache-Tag": "b ,c"}))))[1] == ["b ,c"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "revalidate is None.* write @static_page\\(revalidate=60\\)"),
        ({"revalidate": 0}, "revalidate is 0.*goes without @static_page"),
        ({"revalidate": -1}, "revalidate is -1"),
        ({"revalidate": True}, "revalidate is True"),
        ({"revalidate": 1.5}, "revalidate is 1.5"),
        ({"revalidate": "60"}, "revalidate is '60'"),
        ({"revalidate": 60, "tags": "posts"}, "write tags=\\['posts'\\]"),
        ({"revalidate": 60, "tags": ["a,b"]}, "tags has 'a,b'.*one tag an item"),
        ({"revalidate": 60, "tags": [""]}, "tags has ''"),
        ({"revalidate": 60, "tags": [" a"]}, "tags has ' a'"),
        ({"revalidate": 60, "tags": ["a\r\nb"]}, "tags has"),
        ({"revalidate": 60, "tags": ["a\n"]}, "tags has"),
        ({"revalidate": 60, "tags": ["\xe4"]}, "percent-encode"),
        ({"revalidate": 60, "tags": [1]}, "tags has 1"),
        ({"revalidate": 60, "tags": ["a" * 257]}, "257 characters: 256 are the most"),
        ({"revalidate": 60, "tags": [str(n) for n in range(129)]}, "129 tags: 128 are the most"),
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], words: str) -> None:
    """An error says what to write, before there is a view."""
    with pytest.raises(OptionError, match=words):
        static_page(**options)


def test_decorator_has_brackets_and_decorates_functions() -> None:
    """`@static_page` alone, a number without its name, and something that is no view are refused."""
    for misplaced in (lambda: "text", 60):
        with pytest.raises(OptionError, match=r"has brackets.*write @static_page\(revalidate=60\)"):
            static_page(misplaced)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="decorates a view, not 'view'"):
        minute("view")  # type: ignore[type-var]


def test_route_handlers_have_their_own_way() -> None:
    """A route handler's answer is refused, with what to write there."""
    with pytest.raises(OptionError, match="revalidate = 60"):
        minute(lambda: nextapi.Response("text"))()
