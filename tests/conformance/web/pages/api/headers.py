import json
from collections.abc import Callable
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

from nextapi import NextApiRequest, NextApiResponse

undefined: Any = None


def cookietwice(r: NextApiResponse) -> None:
    r.set_header("Set-Cookie", ["a=1"])
    r.set_header("Set-Cookie", ["b=2"])
    r.end("ok")


def appenddup(r: NextApiResponse) -> None:
    r.set_header("Set-Cookie", ["a=1"])
    r.append_header("Set-Cookie", "a=1")
    r.end("ok")


def appendarray(r: NextApiResponse) -> None:
    r.set_header("X-A", "1")
    r.append_header("x-a", ["2", "3"])
    r.end("ok")


def setheaders(r: NextApiResponse) -> None:
    for name, value in {"X-A": "1", "X-B": "2"}.items():
        r.set_header(name, value)
    r.end("ok")


def getheaders(r: NextApiResponse) -> None:
    r.set_header("X-A", "1")
    r.json({**r.get_headers()})


def lastmod(r: NextApiResponse) -> None:
    r.set_header("Last-Modified", formatdate(0, usegmt=True))
    r.set_header("ETag", 'W/"own"')
    r.end("ok")


def sentflags(r: NextApiResponse) -> None:
    """Node's `finished` is the old name of `writableEnded`."""
    a = [r.headers_sent, r.writable_ended, r.writable_ended]
    r.write("")
    a.append(r.headers_sent)
    r.end(json.dumps(a, separators=(",", ":")))


def overwrite(r: NextApiResponse) -> None:
    r.set_header("X-A", "1")
    r.set_header("x-a", "2")
    r.end("ok")


def append(r: NextApiResponse) -> None:
    r.set_header("X-A", "1")
    r.append_header("X-A", "2")
    r.append_header("X-B", "b")
    r.end("ok")


def appendcookie(r: NextApiResponse) -> None:
    r.set_header("Set-Cookie", "a=1")
    r.append_header("Set-Cookie", "b=2")
    r.end("ok")


def remove(r: NextApiResponse) -> None:
    r.set_header("X-A", "1")
    r.remove_header("x-a")
    r.end("ok")


def get(r: NextApiResponse) -> None:
    r.set_header("X-A", ["1", "2"])
    r.set_header("X-N", 3)
    r.json(
        {
            "a": r.get_header("x-a"),
            "n": r.get_header("x-N"),
            "missing": r.get_header("nope") is None,
            "has": r.has_header("X-a"),
            "names": r.get_header_names(),
            "sent": r.headers_sent,
        }
    )


def writehead(r: NextApiResponse) -> None:
    r.write_head(201, {"X-A": "1", "Content-Type": "text/plain"})
    r.end("created")


def writeheadmsg(r: NextApiResponse) -> None:
    r.write_head(201, "Custom", {"X-A": "1"})
    r.end("created")


def writeheadmerge(r: NextApiResponse) -> None:
    r.set_header("X-A", "old")
    r.set_header("X-B", "b")
    r.write_head(202, {"X-A": "new"})
    r.end("m")


def writeheadtwice(r: NextApiResponse) -> None:
    r.write_head(201)
    r.write_head(202)
    r.end("x")


def writeheadthenjson(r: NextApiResponse) -> None:
    r.write_head(201, {"X-A": "1"})
    r.json({"a": 1})


def setafterend(r: NextApiResponse) -> None:
    r.end("done")
    r.set_header("X-Late", "1")


def setafterwrite(r: NextApiResponse) -> None:
    r.write("a")
    r.set_header("X-Late", "1")
    r.end("b")


def statusafterwrite(r: NextApiResponse) -> None:
    r.write("a")
    r.status(404)
    r.end("b")


def end_with(name: str, value: Any) -> Callable[[NextApiResponse], object]:
    """Return a command that sets one header and ends, in two statements as the JavaScript has them."""

    def command(r: NextApiResponse) -> None:
        r.set_header(name, value)
        r.end("ok")

    return command


def nextcookies(r: NextApiResponse) -> None:
    r.set_header("Set-Cookie", [f"a={quote('x y;z', safe='')}; Path=/; Max-Age=60; SameSite=Lax"])
    r.send("ok")


def date(r: NextApiResponse) -> None:
    r.set_header("Vary", "Accept")
    r.json({"a": 1})


c: dict[str, Callable[[NextApiResponse], object]] = {
    "set": lambda r: r.set_header("X-A", "one").end("ok"),
    "array": lambda r: r.set_header("X-A", ["one", "two"]).end("ok"),
    "number": lambda r: r.set_header("X-A", 5).end("ok"),
    "cookies": lambda r: r.set_header("Set-Cookie", ["a=1; Path=/", "b=2; HttpOnly"]).end("ok"),
    "dupcookies": lambda r: r.set_header("Set-Cookie", ["a=1", "a=1", "b=2"]).end("ok"),
    "cookietwice": cookietwice,
    "appenddup": appenddup,
    "cookienum": lambda r: r.set_header("Set-Cookie", 5).end("ok"),
    "appendarray": appendarray,
    "emptyarray": lambda r: r.set_header("X-A", []).end("ok"),
    "setheaders": setheaders,
    "getheaders": getheaders,
    "lastmod": lastmod,
    "sentflags": sentflags,
    "cookiestring": lambda r: r.set_header("Set-Cookie", "a=1, b=2").end("ok"),
    "overwrite": overwrite,
    "append": append,
    "appendcookie": appendcookie,
    "remove": remove,
    "get": get,
    "undef": lambda r: r.set_header("X-A", undefined).end("ok"),
    "badvalue": lambda r: r.set_header("X-A", "a\r\nb").end("ok"),
    "badname": lambda r: r.set_header("X A", "a").end("ok"),
    "unicode": lambda r: r.set_header("X-A", "漢").end("ok"),
    "latin1": lambda r: r.set_header("X-A", "caf\u00e9").end("ok"),
    "empty": lambda r: r.set_header("X-A", "").end("ok"),
    "writehead": writehead,
    "writeheadmsg": writeheadmsg,
    "writeheadmerge": writeheadmerge,
    "writeheadtwice": writeheadtwice,
    "writeheadthenjson": writeheadthenjson,
    "setafterend": setafterend,
    "setafterwrite": setafterwrite,
    "statusafterwrite": statusafterwrite,
    "names": end_with("X-MiXeD-Case", "1"),
    "cl": end_with("Content-Length", "2"),
    "clshort": end_with("Content-Length", "5"),
    "ctarray": end_with("Content-Type", ["text/plain", "text/html"]),
    "nextcookies": nextcookies,
    "date": date,
}


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    c[req.query["c"]](res)
