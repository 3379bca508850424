"""The API layer of Next.js for Flask, Django and WSGI: a folder of files answers requests.

Mount a tree by `nextapi.adapters.wsgi.create_app`, `nextapi.adapters.flask.create_blueprint` or an `include` of
`nextapi.adapters.django.urls`. Here are the names that route files use.

PYTEST_DONT_REWRITE: a pytest that starts after this import would warn that it cannot rewrite the assertions in here.
"""

from nextapi.errors import BodyError, BuildError, HTTPError, NextApiError, TreeError
from nextapi.http.cookies import CookieSerializeOptions, parse_cookie, serialize_cookie
from nextapi.pages.request import NextApiRequest
from nextapi.pages.response import NextApiResponse
from nextapi.types import NextApiHandler, PageConfig
from nextapi.web.search_params import URLSearchParams

__all__ = [
    "BodyError",
    "BuildError",
    "CookieSerializeOptions",
    "HTTPError",
    "NextApiError",
    "NextApiHandler",
    "NextApiRequest",
    "NextApiResponse",
    "PageConfig",
    "TreeError",
    "URLSearchParams",
    "parse_cookie",
    "serialize_cookie",
]
