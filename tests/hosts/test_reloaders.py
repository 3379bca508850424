"""Development servers, each with the reloader that it has: what is edited counts, in the process or after a restart."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from tests.support.servers import SECONDS, serve
from tests.support.trees import write_tree

PROCESS = "import os\nres.json([os.getpid(), {}])"

_FLASK = """
from flask import Flask
from nextapi.adapters.flask import create_blueprint

app = Flask(__name__)
app.register_blueprint(create_blueprint("web"))
"""


def ask(port: int, path: str) -> tuple[int, str]:
    """Return the status and the text of an answer; 0 while the server restarts."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, HTTPException):  # it may be restarting in the middle of an answer
        return 0, ""
    finally:
        connection.close()


def until(port: int, path: str, is_so: Callable[[tuple[int, str]], bool]) -> tuple[int, str]:
    """Ask until the answer is so, as a reloader looks at files now and then."""
    deadline = time.monotonic() + SECONDS
    while not is_so(answer := ask(port, path)):
        assert time.monotonic() < deadline, f"{path} still answers {answer}"
        time.sleep(0.1)
    return answer


def process_of(answer: tuple[int, str]) -> str:
    """Return the number of the process that has answered."""
    return answer[1].partition(",")[0]


def start_project(folder: Path) -> None:
    """Make a Django project with the tree `web`."""
    subprocess.run(
        [sys.executable, "-m", "django", "startproject", "mysite", str(folder)], check=True, capture_output=True
    )
    with (folder / "mysite" / "settings.py").open("a") as settings:
        settings.write('NEXTAPI = {"ROOT": BASE_DIR / "web"}\n')
    (folder / "mysite" / "urls.py").write_text(
        'from django.urls import include, path\nurlpatterns = [path("", include("nextapi.adapters.django.urls"))]\n'
    )


@pytest.mark.parametrize("server", ["nextapi-dev", "runserver"])
def test_nothing_restarts(server: str, tmp_path: Path) -> None:
    """On the own server and in Django edited, new and removed files count at once, in the process that was there."""
    root = write_tree(tmp_path / "web", {"a": PROCESS.format(1)})
    if server == "runserver":
        start_project(tmp_path)
    with serve("app", tmp_path, server) as port:
        first = ask(port, "/api/a")
        assert first[1].endswith(",1]")
        write_tree(root, {"a": PROCESS.format(22), "new": PROCESS.format(3)})
        assert ask(port, "/api/a") == (200, f"{process_of(first)},22]")
        assert ask(port, "/api/new") == (200, f"{process_of(first)},3]")
        write_tree(root, {"a": "def handler(req, res):\n    res.end(\n"})
        assert ask(port, "/api/a") == (200, f"{process_of(first)},22]")
        (root / "pages/api/new.py").unlink()
        write_tree(root, {"a": PROCESS.format(4444)})
        assert ask(port, "/api/a") == (200, f"{process_of(first)},4444]")
        assert ask(port, "/api/new")[0] == 404
    assert "a.py" in (tmp_path / "log.txt").read_text()


def test_django_recovers(tmp_path: Path) -> None:
    """A tree that is faulty from the start is served once it is mended, by a restart; from then on nothing restarts."""
    root = write_tree(tmp_path / "web", {"a": "def handler(req, res):\n    res.end(\n"})
    start_project(tmp_path)
    with (tmp_path / "mysite" / "settings.py").open("a") as settings:
        settings.write('INSTALLED_APPS.append("nextapi.adapters.django")\nSILENCED_SYSTEM_CHECKS = ["nextapi.E004"]\n')
    with serve("app", tmp_path, "runserver") as port:
        until(port, "/api/a", lambda answer: answer[0] == 500 and "SyntaxError" in answer[1])
        write_tree(root, {"a": PROCESS.format(1)})

        def is_mended(answer: tuple[int, str]) -> bool:
            (root / "pages/api/a.py").touch()  # the reloader may not have looked at it before
            return answer[1].endswith(",1]")

        until(port, "/api/a", is_mended)
        write_tree(root, {"a": PROCESS.format(1)})
        first = ask(port, "/api/a")
        write_tree(root, {"a": PROCESS.format(22)})
        assert ask(port, "/api/a") == (200, f"{process_of(first)},22]")


def test_flask_restarts(tmp_path: Path) -> None:
    """Under Flask's reloader an edit restarts the app, also from a faulty tree; new and removed files count at once."""
    root = write_tree(tmp_path / "web", {"a": PROCESS.format(1), "gone": "res.end()"})
    (tmp_path / "app.py").write_text(_FLASK)
    with serve("app", tmp_path, "flask-debug") as port:
        first = ask(port, "/api/a")
        write_tree(root, {"new": PROCESS.format(2)})
        (root / "pages/api/gone.py").unlink()
        assert ask(port, "/api/new") == (200, f"{process_of(first)},2]")
        assert ask(port, "/api/gone")[0] == 404
        write_tree(root, {"a": PROCESS.format(33)})
        assert process_of(
            until(port, "/api/a", lambda answer: answer[1].endswith(",33]") and process_of(answer) != process_of(first))
        )
        write_tree(root, {"a": "def handler(req, res):\n    res.end(\n"})
        until(port, "/api/a", lambda answer: answer[0] == 500 and "SyntaxError" in answer[1])
        write_tree(root, {"a": PROCESS.format(4444)})
        until(port, "/api/a", lambda answer: answer[1].endswith(",4444]"))
