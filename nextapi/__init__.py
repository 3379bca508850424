"""The API layer of Next.js for Flask, Django and WSGI: a folder of files answers requests.

Mount a tree by `nextapi.adapters.wsgi.create_app`, `nextapi.adapters.flask.create_blueprint` or an `include` of
`nextapi.adapters.django.urls`. Here are the names that route files use.

PYTEST_DONT_REWRITE: a pytest that starts after this import would warn that it cannot rewrite the assertions in here.
"""

from nextapi.cache.static_page import static_page
from nextapi.errors import (
    BodyError,
    BuildError,
    FetchError,
    HTTPError,
    NextApiError,
    RevalidateError,
    StoreError,
    TreeError,
)
from nextapi.handlers.web import NextFetchEvent
from nextapi.http.cookies import CookieSerializeOptions, parse_cookie, serialize_cookie
from nextapi.pages.request import NextApiRequest
from nextapi.pages.response import NextApiResponse
from nextapi.types import (
    AsyncCallNext,
    CallNext,
    MiddlewareConfig,
    NextApiHandler,
    PageConfig,
    RouteContext,
)
from nextapi.web.cookies import RequestCookies, ResponseCookies
from nextapi.web.cors import cors
from nextapi.web.events import EventStream, ServerSentEvent
from nextapi.web.fetch import fetch
from nextapi.web.form_data import FormData
from nextapi.web.headers import Headers
from nextapi.web.navigation import forbidden, not_found, permanent_redirect, redirect, unauthorized
from nextapi.web.next_url import NextURL
from nextapi.web.request import NextRequest
from nextapi.web.response import NextResponse, Response
from nextapi.web.revalidation import revalidate_path, revalidate_tag
from nextapi.web.scope import after, cookies, draft_mode, headers
from nextapi.web.search_params import URLSearchParams
from nextapi.web.url import URL
from nextapi.web.user_agent import UserAgent, user_agent

__all__ = [
    "URL",
    "AsyncCallNext",
    "BodyError",
    "BuildError",
    "CallNext",
    "CookieSerializeOptions",
    "EventStream",
    "FetchError",
    "FormData",
    "HTTPError",
    "Headers",
    "MiddlewareConfig",
    "NextApiError",
    "NextApiHandler",
    "NextApiRequest",
    "NextApiResponse",
    "NextFetchEvent",
    "NextRequest",
    "NextResponse",
    "NextURL",
    "PageConfig",
    "RequestCookies",
    "Response",
    "ResponseCookies",
    "RevalidateError",
    "RouteContext",
    "ServerSentEvent",
    "StoreError",
    "TreeError",
    "URLSearchParams",
    "UserAgent",
    "after",
    "cookies",
    "cors",
    "draft_mode",
    "fetch",
    "forbidden",
    "headers",
    "not_found",
    "parse_cookie",
    "permanent_redirect",
    "redirect",
    "revalidate_path",
    "revalidate_tag",
    "serialize_cookie",
    "static_page",
    "unauthorized",
    "user_agent",
]
