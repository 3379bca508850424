"""The recorded app in Django: its API is the tree, its pages are views."""

from __future__ import annotations

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.shortcuts import redirect
from django.urls import include, path
from django.views.decorators.http import require_safe

from nextapi import static_page
from nextapi.adapters.wsgi import PageCache
from nextapi.cache import MemoryStore
from tests.conformance.rendered import pages

settings.configure(
    SECRET_KEY="secret",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
    NEXTAPI={"ROOT": pages.ROOT},
)


@static_page(revalidate=10)
def index(request: HttpRequest) -> HttpResponse:
    return HttpResponse(pages.INDEX)


def isr(request: HttpRequest, slug: str) -> HttpResponse:
    return HttpResponse(pages.isr(slug))


@static_page(revalidate=60)
def missing(request: HttpRequest) -> HttpResponse:
    return HttpResponseNotFound("There is none.")


@static_page(revalidate=60)
def moved(request: HttpRequest) -> HttpResponse:
    answer = HttpResponse("/isr/one", status=307, headers={"Location": "/isr/one"})
    del answer["Content-Type"]
    return answer


def without_slash(request: HttpRequest, slug: str) -> HttpResponse:
    return redirect(f"/isr/{slug}", permanent=True)


@require_safe
def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse(pages.PLAIN)


def ssr(request: HttpRequest) -> HttpResponse:
    return HttpResponse(pages.ssr(request.GET.dict()), headers={"Cache-Control": pages.PRIVATE})


urlpatterns = [
    path("isr", index),
    path("isr/missing", missing),
    path("isr/moved", moved),
    path("isr/quick", static_page(revalidate=1)(isr), {"slug": "quick"}),
    path("isr/forever", static_page(revalidate=False)(isr), {"slug": "forever"}),
    path("isr/<slug>", static_page(revalidate=60)(isr)),
    path("isr/<slug>/", without_slash),
    path("plain", plain),
    path("ssr", ssr),
    path("", include("nextapi.adapters.django.urls")),
]

app = PageCache(get_wsgi_application(), MemoryStore())
