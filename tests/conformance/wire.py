"""Recorded requests on the wire: sent byte for byte over a socket of their own, the answer taken apart."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
from contextlib import suppress
from typing import Any

# What differs from one run to the next, in the form that the recordings have it.
_VOLATILE = (
    (re.compile(r"Expires=[^;]+; Max-Age=(-?[0-9.]+)"), r"Expires=<NOW+\1s>; Max-Age=\1"),
    (re.compile(r'"expires":"(?!2030|1970)[^"]+"'), '"expires":"<NOW+maxAge>"'),
    (re.compile(r"formdata-undici-0[0-9]+"), "formdata-undici-<N>"),
    (re.compile(r"(__prerender_bypass=)[0-9a-f]{32}"), r"\1<PREVIEW_ID>"),
    (re.compile(r"(__next_preview_data=)eyJ[A-Za-z0-9_.\-]+"), r"\1<JWT>"),
)
_HASHED_FROM = 20_000


def send(port: int, request: dict[str, Any], timeout: float) -> bytes:
    """Send a recorded request to a server on this machine and return all that it answers, b"" if nothing in time."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        with suppress(OSError):  # it may be refused before it was read to its end
            connection.sendall(request_bytes(request))
        with suppress(OSError):
            while received := connection.recv(65536):
                answer += received
    return answer


def request_bytes(request: dict[str, Any]) -> bytes:
    """Return a recorded request as bytes; Connection, Host and the framing are added unless they were recorded."""
    headers = [(name, value) for name, value in request.get("headers", [])]
    named = {name.lower() for name, _ in headers}
    if "host" not in named:
        headers.insert(0, ("Host", "localhost:4310"))
    body = _body(request.get("body"))
    if body is not None and request.get("chunked"):
        headers.append(("Transfer-Encoding", "chunked"))
        pieces = [body[at : at + 65536] for at in range(0, len(body), 65536)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    elif body is not None and "content-length" not in named:
        headers.append(("Content-Length", str(len(body))))
    if "connection" not in named:
        headers.append(("Connection", "close"))
    head = [f"{request['method']} {request['target']} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + (body or b"")


def _body(recorded: Any) -> bytes | None:
    if isinstance(recorded, str):
        return recorded.encode()
    if not recorded:
        return None
    if "base64" in recorded:
        return base64.b64decode(recorded["base64"])
    text, times = recorded["repeat"]
    return (text * times).encode()


def parse(answer: bytes) -> dict[str, Any]:
    """Return an answer in the form of the recordings: status (None for no answer), reason, header pairs, body."""
    if not answer:
        return {"status": None, "reason": "", "headers": [], "body": ""}
    head, _, body = answer.partition(b"\r\n\r\n")
    while re.match(rb"HTTP/1.1 1\d\d", head) and body.startswith(b"HTTP/"):
        head, _, body = body.partition(b"\r\n\r\n")  # an interim answer
    line, *lines = head.decode("latin-1").split("\r\n")
    _, status, reason = (line + "  ").split(" ", 2)
    headers = [(name, value.strip()) for name, _, value in (each.partition(":") for each in lines)]
    if any(name.lower() == "transfer-encoding" and "chunked" in value.lower() for name, value in headers):
        body = _dechunked(body)
    return {
        "status": int(status) if status.isdigit() else status,
        "reason": reason.strip(),
        "headers": [(name, _stable(value)) for name, value in headers],
        "body": _shown(body),
    }


def _dechunked(body: bytes) -> bytes:
    out = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size.split(b";")[0] or b"0", 16)
        if not length:
            break
        out, body = out + body[:length], body[length + 2 :]
    return out


def _shown(body: bytes) -> Any:
    if len(body) > _HASHED_FROM:
        return {"length": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    try:
        return _stable(body.decode())
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def _stable(text: str) -> str:
    for pattern, replacement in _VOLATILE:
        text = pattern.sub(replacement, text)
    return text
