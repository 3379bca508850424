"""The apps of integrations/, each served by gunicorn with a database of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.servers import serve

INTEGRATIONS = Path(__file__).parents[2] / "integrations"
_SHOP, _BLOG = INTEGRATIONS / "flask_shop", INTEGRATIONS / "django_blog"


@contextmanager
def flask_shop(folder: Path, server: str = "gunicorn-gthread", **variables: str) -> Iterator[int]:
    """Serve the shop with its products and the customers ada and grace, and yield the port."""
    database = folder / "shop.sqlite3"
    database.write_bytes(_shop_database())
    variables = {"SHOP_PAGE_CACHE": str(folder / "pages.sqlite3"), "SHOP_DATABASE": str(database), **variables}
    with serve("shop:create_app()", folder, server, _SHOP, variables) as port:
        yield port


@cache
def _shop_database() -> bytes:
    """Return a database with the products and the customers, which is made once."""
    with TemporaryDirectory() as folder:
        variables = {"SHOP_DATABASE": f"{folder}/database"}
        for command in ("init-db", "add-user ada --password swordfish", "add-user grace --password hopper"):
            run(_SHOP, variables, "-m", "flask", "--app", "shop", *command.split())
        return Path(folder, "database").read_bytes()


@contextmanager
def django_blog(
    folder: Path, server: str = "gunicorn-gthread", source: Path = _BLOG, **variables: str
) -> Iterator[int]:
    """Serve the blog, empty, with the superuser ada and the reader grace, and yield the port."""
    database = folder / "blog.sqlite3"
    database.write_bytes(_blog_database())
    variables = {"BLOG_PAGE_CACHE": str(folder / "pages.sqlite3"), "BLOG_DATABASE": str(database), **variables}
    with serve("blog_site.wsgi", folder, server, source, variables) as port:
        yield port


@cache
def _blog_database() -> bytes:
    """Return a database without posts that has the users, which is made once."""
    superuser = {"DJANGO_SUPERUSER_USERNAME": "ada", "DJANGO_SUPERUSER_PASSWORD": "swordfish"}
    with TemporaryDirectory() as folder:
        variables = {"BLOG_DATABASE": f"{folder}/database", **superuser}
        run(_BLOG, variables, "manage.py", "migrate", "--verbosity", "0")
        run(_BLOG, variables, "manage.py", "createsuperuser", "--noinput", "--email", "ada@example.com")
        reader = "from django.contrib.auth.models import User; User.objects.create_user('grace', password='hopper')"
        run(_BLOG, variables, "manage.py", "shell", "-c", reader)
        return Path(folder, "database").read_bytes()


def run(source: Path, variables: dict[str, str], *arguments: str) -> None:
    """Run a command of an app by Python, such as one that makes its tables."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=source,
        env={**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{Path.cwd()}", **variables},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[int]:
    """Serve a shop of this test's own."""
    with flask_shop(tmp_path) as port:
        yield port


@pytest.fixture
def blog(tmp_path: Path) -> Iterator[int]:
    """Serve a blog of this test's own."""
    with django_blog(tmp_path) as port:
        yield port
