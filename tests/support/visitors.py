"""A client of a real server that keeps cookies, as a browser does, and follows no redirects."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any, NamedTuple
from urllib.parse import urlencode


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    def json(self) -> Any:
        """Return the body as the JSON that it is."""
        return json.loads(self.text)


class Visitor:
    """A client with cookies of its own, `cookies`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.cookies: dict[str, str] = {}

    def get(self, target: str, **headers: str) -> Answer:
        """Ask for a page."""
        return self.ask("GET", target, **headers)

    def ask(
        self, method: str, target: str, form: Mapping[str, str] | None = None, data: object = None, **headers: str
    ) -> Answer:
        """Send a request, with a form or with `data` as JSON; `_` in a header's name is `-`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        body = None
        if form is not None:
            body = urlencode(form)
            sent = {"Content-Type": "application/x-www-form-urlencoded", **sent}
        elif data is not None:
            body = json.dumps(data)
            sent = {"Content-Type": "application/json", **sent}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request(method, target, body, sent)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        for line in response.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or " 1970 " in morsel["expires"]:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return Answer(response.status, response.headers, text)
