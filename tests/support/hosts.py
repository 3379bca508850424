"""The three hosts, each as a module `app` that serves a tree: what a user writes, and nothing else."""

from __future__ import annotations

from pathlib import Path

HOSTS = ("wsgi", "flask", "django")

_WSGI = """
from nextapi.adapters.wsgi import create_app

app = create_app({root!r})
"""

_WSGI_BELOW = """
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from nextapi.adapters.wsgi import create_app

app = DispatcherMiddleware(NotFound(), {{{prefix!r}: create_app({root!r})}})
"""

_FLASK = """
from flask import Flask
from nextapi.adapters.flask import create_blueprint

app = Flask("app")
app.register_blueprint(create_blueprint({root!r}), url_prefix={prefix!r})
"""

_DJANGO = """
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="secret",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="urls",
    MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
    NEXTAPI={{"ROOT": {root!r}}},
)
django.setup()

from django.core.wsgi import get_wsgi_application

app = get_wsgi_application()
"""

_DJANGO_URLS = """
from django.urls import include, path

urlpatterns = [path({prefix!r}, include("nextapi.adapters.django.urls"))]
"""


def write_app(host: str, root: Path, folder: Path, prefix: str = "") -> str:
    """Write the app of a host that serves `root`, below `prefix` ("/v2"), into `folder`; return how servers name it."""
    text = {"wsgi": _WSGI_BELOW if prefix else _WSGI, "flask": _FLASK, "django": _DJANGO}[host]
    (folder / "app.py").write_text(text.format(root=str(root), prefix=prefix or None))
    if host == "django":
        (folder / "urls.py").write_text(_DJANGO_URLS.format(prefix=f"{prefix[1:]}/" if prefix else ""))
    return "app:app"
