"""The application behind `make demo`, served as it is."""

from __future__ import annotations

import http.client
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers import serve

FOLDER = Path(__file__).parents[2] / "integrations/gunicorn_mount"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Serve the application from a folder of the test's own."""
    folder = tmp_path_factory.mktemp("serve")
    (folder / "served.py").write_text(f"import sys\nsys.path.insert(0, {str(FOLDER)!r})\nfrom app import app\n")
    with serve("served:app", folder) as port:
        yield port


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "answer"),
    [
        ("GET", "/api/user", None, 200, b'{"name":"John Doe"}'),
        ("GET", "/api/post/abc?page=2", None, 200, b'{"post":"abc","page":"2"}'),
        ("GET", "/api/docs/a/b/c", None, 200, b"Docs: a, b, c\n"),
        ("POST", "/api/greet", b'{"name": "Ada"}', 201, b'{"message":"Hello Ada!"}'),
        ("POST", "/api/greet", b'{"name":', 400, b"Invalid JSON"),
        ("POST", "/api/greet", b" " * 1025, 413, b"Body exceeded 1kb limit"),
        ("GET", "/api/old", None, 200, b"<!doctype html>"),
    ],
)
def test_it_answers(port: int, method: str, target: str, body: bytes | None, status: int, answer: bytes) -> None:
    """Files answer what they name, the old application all else."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, target, body, {"Content-Type": "application/json"} if body else {})
    got = connection.getresponse()
    assert (got.status, got.read()[: len(answer)]) == (status, answer)
    connection.close()


def test_the_demo_says_what_to_try() -> None:
    """`make demo`'s program knows its options, and needs no server to say so."""
    done = subprocess.run([sys.executable, FOLDER / "demo.py", "--help"], capture_output=True, text=True, check=True)
    assert "--port" in done.stdout
