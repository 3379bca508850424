"""The same app on the servers that people run, each as a real process."""

from __future__ import annotations

import http.client
import json
from pathlib import Path

import pytest

from tests.support.hosts import HOSTS, write_app
from tests.support.servers import serve
from tests.support.trees import write_tree

FILES = {
    "echo/[id]": "res.set_header('Set-Cookie', ['a=1', 'b=2']).json([req.method, req.params, req.query, req.body])",
    "fail": "raise ValueError('secret')",
}


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("server", ["gunicorn-sync", "gunicorn-gthread", "waitress", "granian"])
def test_servers(server: str, host: str, tmp_path: Path) -> None:
    """Parameters, bodies with a length and in chunks, repeated headers, HEAD and failures come through."""
    app = write_app(host, write_tree(tmp_path / "web", FILES), tmp_path)
    with serve(app, tmp_path, server) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

        def ask(
            method: str, target: str, body: object = None, **headers: str
        ) -> tuple[http.client.HTTPResponse, bytes]:
            connection.request(method, target, body, headers, encode_chunked="Transfer-Encoding" in headers)  # type: ignore[arg-type]
            answer = connection.getresponse()
            return answer, answer.read()

        kind = {"Content-Type": "application/json"}
        answer, data = ask("POST", "/api/echo/a%20b?c=1", b'{"d":1}', **kind)
        assert json.loads(data) == ["POST", {"id": "a b"}, {"c": "1", "id": "a b"}, {"d": 1}]
        assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
        _, data = ask("PUT", "/api/echo/1", iter([b'{"d"', b":1}"]), **kind, **{"Transfer-Encoding": "chunked"})
        assert json.loads(data)[3] == {"d": 1}
        answer, data = ask("HEAD", "/api/echo/1")
        assert (answer.status, data) == (200, b"")
        assert int(answer.headers["Content-Length"]) > 20
        answer, data = ask("GET", "/api/fail")
        assert answer.status == 500
        assert b"secret" not in data
        answer, data = ask("GET", "/api/none")
        assert (answer.status, data) == (404, b"Not Found")
        connection.close()
