"""What curl does with the options that the docs use, by the standard library: a request to a server on this machine."""

from __future__ import annotations

import argparse
import http.client
import mimetypes
from contextlib import suppress
from pathlib import Path

HIDDEN = {"server", "date", "connection"}
"""Headers that only the server sets: they are not shown."""

_OPTIONS = argparse.ArgumentParser("curl")
_OPTIONS.add_argument("-i", dest="include", action="store_true")
_OPTIONS.add_argument("-N", action="store_true", help="shows what comes as it comes, which is no matter here")
_OPTIONS.add_argument("-X", dest="method")
_OPTIONS.add_argument("-H", dest="headers", action="append", default=[])
_OPTIONS.add_argument("-d", dest="data")
_OPTIONS.add_argument("-F", dest="fields", action="append", type=lambda field: field.partition("=")[::2])
_OPTIONS.add_argument("--json")
_OPTIONS.add_argument("--path-as-is", action="store_true")
_OPTIONS.add_argument("url")


def curl(words: list[str], port: int, folder: Path) -> str:
    """Return what `curl WORDS` prints; whatever host its URL names, it asks the server on `port`.

    Files that it sends are in `folder`. Raises `OSError` where there is no answer.
    """
    asked = _OPTIONS.parse_args(words)
    host, slash, path = asked.url.partition("/")
    headers = {"Host": host, "User-Agent": "curl", "Accept": "*/*"}
    data, media_type = _body(asked, folder)
    if data is not None:
        headers |= {"Content-Type": media_type, "Content-Length": str(len(data))}
    if asked.json is not None:
        headers["Accept"] = "application/json"
    headers |= {name: value.strip() for name, _, value in (header.partition(":") for header in asked.headers)}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.putrequest(asked.method or ("GET" if data is None else "POST"), slash + path, True, True)
        for name, value in headers.items():
            connection.putheader(name, value)
        with suppress(ConnectionError):  # who refuses a body need not read it; there is an answer all the same
            connection.endheaders(data)
        response = connection.getresponse()
        try:
            body = response.read().decode()
        except http.client.IncompleteRead as cut:
            body = f"{cut.partial.decode()}curl: (18) transfer closed with outstanding read data remaining"
    finally:
        connection.close()
    head = [f"{name}: {value}" for name, value in response.getheaders() if name.lower() not in HIDDEN]
    return "\n".join([f"HTTP/1.1 {response.status} {response.reason}", *head, "", body]) if asked.include else body


def _body(asked: argparse.Namespace, folder: Path) -> tuple[bytes | None, str]:
    """Return what a request is to carry, and of which type that is."""
    if asked.fields is not None:
        boundary = "-" * 24 + "nextapi"
        parts = b"".join(f"--{boundary}\r\n".encode() + _part(folder, *field) for field in asked.fields)
        return parts + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
    text, media_type = asked.json, "application/json"
    if text is None:
        text, media_type = asked.data, "application/x-www-form-urlencoded"
    if text is not None and text.startswith("@"):
        text = (folder / text[1:]).read_text()
    return None if text is None else text.encode(), media_type


def _part(folder: Path, name: str, value: str) -> bytes:
    head, data = f'Content-Disposition: form-data; name="{name}"', value.encode()
    if value.startswith("@"):
        file, _, sent_name = value[1:].partition(";filename=")
        data = (folder / file).read_bytes()
        media_type = mimetypes.guess_type(file)[0] or "application/octet-stream"
        head += f'; filename="{sent_name or file}"\r\nContent-Type: {media_type}'
    return f"{head}\r\n\r\n".encode() + data + b"\r\n"
