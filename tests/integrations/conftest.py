"""The apps of integrations/, each served by gunicorn with a database of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.servers import serve

INTEGRATIONS = Path(__file__).parents[2] / "integrations"


@contextmanager
def flask_shop(folder: Path, **variables: str) -> Iterator[int]:
    """Serve the shop with its products and the customers ada and grace, and yield the port."""
    source = INTEGRATIONS / "flask_shop"
    variables["SHOP_DATABASE"] = str(folder / "shop.sqlite3")
    for command in ("init-db", "add-user ada --password swordfish", "add-user grace --password hopper"):
        run(source, variables, "-m", "flask", "--app", "shop", *command.split())
    with serve("shop:create_app()", folder, source=source, environment=variables) as port:
        yield port


@contextmanager
def django_blog(folder: Path) -> Iterator[int]:
    """Serve the blog, empty, with the superuser ada and the reader grace, and yield the port."""
    source = INTEGRATIONS / "django_blog"
    superuser = {"DJANGO_SUPERUSER_USERNAME": "ada", "DJANGO_SUPERUSER_PASSWORD": "swordfish"}
    variables = {"BLOG_DATABASE": str(folder / "blog.sqlite3"), **superuser}
    run(source, variables, "manage.py", "migrate", "--verbosity", "0")
    run(source, variables, "manage.py", "createsuperuser", "--noinput", "--email", "ada@example.com")
    reader = "from django.contrib.auth.models import User; User.objects.create_user('grace', password='hopper')"
    run(source, variables, "manage.py", "shell", "-c", reader)
    with serve("blog_site.wsgi", folder, source=source, environment=variables) as port:
        yield port


def run(source: Path, variables: dict[str, str], *arguments: str) -> None:
    """Run a command of an app by Python, such as one that makes its tables."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=source,
        env={**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{Path.cwd()}", **variables},
        capture_output=True,
        text=True,
        timeout=60,
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
