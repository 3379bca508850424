"""`nextapi init`: a first tree, and what serves it. No file that is there is touched."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TextIO

from nextapi.commands.colours import BOLD, paint
from nextapi.errors import CommandError

__all__ = ["DIALECTS", "KINDS", "init"]


_PAGES = {
    "web/pages/api/hello.py": '''\
"""/api/hello"""

from nextapi import NextApiRequest, NextApiResponse


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    res.status(200).json({"name": "John Doe"})
''',
    "web/pages/api/post/[pid].py": '''\
"""/api/post/abc, /api/post/1, ..."""

from nextapi import HTTPError, NextApiRequest, NextApiResponse


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    if req.method == "GET":
        res.json({"pid": req.query["pid"]})
    elif req.method == "PUT":
        res.json({"pid": req.query["pid"], "saved": req.body})
    else:
        raise HTTPError(405, "Method Not Allowed", {"Allow": "GET, PUT"})
''',
}

_APP = {
    "web/app/api/hello/route.py": '''\
"""/api/hello"""

from nextapi import NextResponse


def GET() -> NextResponse:
    return NextResponse.json({"name": "John Doe"})
''',
    "web/app/api/post/[pid]/route.py": '''\
"""/api/post/abc, /api/post/1, ..."""

from nextapi import NextRequest, NextResponse, RouteContext


def GET(request: NextRequest, context: RouteContext) -> NextResponse:
    return NextResponse.json({"pid": context.params["pid"]})


def PUT(request: NextRequest, context: RouteContext) -> NextResponse:
    return NextResponse.json({"pid": context.params["pid"], "saved": request.json()})
''',
}

DIALECTS = {"pages": _PAGES, "app": _APP}
"""The files of a first tree: `handler(req, res)` below pages/api, or route handlers below app, at the same paths."""

_FLASK = {
    "app.py": """\
from flask import Flask

from nextapi.adapters.flask import create_blueprint

app = Flask(__name__)
app.register_blueprint(create_blueprint("web"))
""",
}

_DJANGO = {
    "manage.py": """\
import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
    execute_from_command_line(sys.argv)
""",
    "mysite/__init__.py": "",
    "mysite/settings.py": """\
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "{secret}"
DEBUG = True
ALLOWED_HOSTS: list[str] = []
INSTALLED_APPS = ["nextapi.adapters.django"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
ROOT_URLCONF = "mysite.urls"
WSGI_APPLICATION = "mysite.wsgi.application"
USE_TZ = True

NEXTAPI = {{"ROOT": BASE_DIR / "web"}}
""",
    "mysite/urls.py": """\
from django.urls import include, path

urlpatterns = [
    path("", include("nextapi.adapters.django.urls")),
]
""",
    "mysite/wsgi.py": """\
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
application = get_wsgi_application()
""",
}

_ADD_TO_FLASK = """\
Add to the app:

    from nextapi.adapters.flask import create_blueprint

    app.register_blueprint(create_blueprint({web!r}))

"""

_ADD_TO_DJANGO = """\
Add to the settings:

    INSTALLED_APPS += ["nextapi.adapters.django"]
    NEXTAPI = {"ROOT": BASE_DIR / "web"}

and to the URLconf:

    from django.urls import include, path

    path("", include("nextapi.adapters.django.urls")),

"""


def _wsgi(folder: Path) -> tuple[dict[str, str], str, str]:
    return {}, "", "nextapi dev web"


def _flask(folder: Path) -> tuple[dict[str, str], str, str]:
    if any((folder / name).exists() for name in ("app.py", "wsgi.py")):
        # A relative root is below the app's `root_path`, which is another folder where the app is a package.
        web = "web" if (folder / "app.py").exists() else str((folder / "web").absolute())
        return {}, _ADD_TO_FLASK.format(web=web), "flask run --port 8000"
    return _FLASK, "", "flask run --port 8000"


def _django(folder: Path) -> tuple[dict[str, str], str, str]:
    if (folder / "manage.py").exists():
        return {}, _ADD_TO_DJANGO, "python manage.py runserver"
    return _DJANGO, "", "python manage.py runserver"


KINDS: dict[str, Callable[[Path], tuple[dict[str, str], str, str]]] = {
    "wsgi": _wsgi,
    "flask": _flask,
    "django": _django,
}
"""For each host what is written beside the tree, what is to be added to what is there, and what runs it."""


def init(kind: str, folder: Path, out: TextIO, dialect: str = "pages") -> int:
    """Write a first tree of `dialect` into `folder`, and an app of `kind` where none is there; raise `CommandError`,
    with nothing written, if a file of the same name is.
    """
    host, to_add, command = KINDS[kind](folder)
    if kind != "wsgi" and find_spec(kind) is None:
        command = f"pip install 'nextapi-wsgi[{kind}]'\n    {command}"
    files = {**host, **DIALECTS[dialect]}
    # A link that leads nowhere is there, too, and so is a file in the place of a folder.
    there = [folder / name for name in files if os.path.lexists(folder / name)]
    folders = dict.fromkeys(parent for name in files for parent in (folder / name).parents)
    there += [parent for parent in folders if os.path.lexists(parent) and not parent.is_dir()]
    if there:
        raise CommandError(f"nothing was written: {', '.join(map(str, there))} would be overwritten")
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        text = text.format(secret=secrets.token_urlsafe(40)) if name.endswith("settings.py") else text
        file.write_text(text, encoding="utf-8")
        out.write(f"wrote {file}\n")
    out.write(f"\n{to_add}Run it:\n\n")
    out.write(paint(out, BOLD, f"    cd {folder}\n    {command}" if folder != Path() else f"    {command}") + "\n\n")
    out.write("and open http://127.0.0.1:8000/api/hello\n")
    return 0
