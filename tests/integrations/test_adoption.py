"""Each app is the one that it was before the lines that its README shows were added."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.docs.pages import blocks, hunks
from tests.integrations.conftest import INTEGRATIONS, run
from tests.support.servers import serve
from tests.support.visitors import Visitor

APPS = {
    "flask_shop": ("shop:create_app()", "shop:create_app()", ["shop/web"]),
    "django_blog": (
        "blog_site.wsgi",
        "blog_site.wsgi",
        ["web", *(f"blog/{name}.py" for name in ("api", "apps", "signals"))],
    ),
    "gunicorn_mount": ("app:old_app", "app:app", ["web"]),
}
TARGETS = {
    "flask_shop": [
        "GET /",
        "GET /search?q=ink",
        "GET /products/1",
        "GET /products/1/",
        "GET /products/999",
        "DELETE /products/1",
        "OPTIONS /cart",
        "GET /cart",
        "POST /cart",
        "PUT /cart",
        "GET /login",
        "POST /logout",
        "GET /nothing",
        "GET /orders/1",
    ],
    "django_blog": [
        "GET /",
        "POST /",
        "GET /posts/nothing/",
        "GET /posts/nothing",
        "POST /posts/nothing/",
        "GET /admin/",
        "GET /admin/nothing/",
        "GET /accounts/logout/",
        "GET /nothing",
        "GET /apis",
    ],
    "gunicorn_mount": ["GET /", "POST /", "GET /api", "GET /api/old", "DELETE /api/user/settings", "GET //x/../y"],
}


@pytest.mark.parametrize("name", APPS)
def test_the_apps_own_paths_are_answered_as_before(name: str, tmp_path: Path) -> None:
    """With the lines and without them, what is the app's own is answered alike, but for the page cache's headers."""
    before, after, added = APPS[name]
    folder = tmp_path / "before"
    shutil.copytree(INTEGRATIONS / name, folder, ignore=shutil.ignore_patterns("*.sqlite3*", "__pycache__"))
    undo_adoption(folder, added)
    assert [
        file for file in folder.rglob("*.py") if re.search(r"(from|import) nextapi|NEXTAPI|nextapi\.", file.read_text())
    ] == []

    database = str(tmp_path / "database.sqlite3")
    variables = {"SHOP_DATABASE": database, "BLOG_DATABASE": database}
    variables |= dict.fromkeys(("SHOP_PAGE_CACHE", "BLOG_PAGE_CACHE"), str(tmp_path / "pages.sqlite3"))
    if name == "flask_shop":
        run(folder, variables, "-m", "flask", "--app", "shop", "init-db")
    elif name == "django_blog":
        run(folder, variables, "manage.py", "migrate", "--verbosity", "0")
    answers = []
    for app, source in [(before, folder), (after, INTEGRATIONS / name)]:
        with serve(app, tmp_path, source=source, environment=variables) as port:
            answers.append([answer_of(port, target) for target in TARGETS[name]])
    assert answers[0] == answers[1]


def undo_adoption(folder: Path, added: list[str]) -> None:
    """Take back what the README's diff adds, and the files that came with it."""
    for block in blocks(folder / "README.md"):
        for file, without, with_lines in hunks(block.text) if block.kind == "diff" else []:
            text = (folder / file).read_text()
            assert text.count(with_lines) == 1, file
            (folder / file).write_text(text.replace(with_lines, without))
    for name in added:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def answer_of(port: int, target: str) -> tuple[str, int, dict[str, str], str]:
    """Return an answer without what changes from one to the next."""
    answer = Visitor(port).ask(*target.split(" "))
    headers = {name: value.replace(str(port), "PORT") for name, value in answer.headers.items()}
    is_page = headers.pop("x-nextjs-cache", None) is not None
    for name in ("Date", "Expires", *(("Age", "Cache-Control", "Cache-Tag", "ETag") if is_page else ())):
        headers.pop(name, None)
    if "Allow" in headers:  # Flask makes it of a set
        headers["Allow"] = ", ".join(sorted(headers["Allow"].split(", ")))
    return target, answer.status, headers, answer.text.replace(str(port), "PORT")
