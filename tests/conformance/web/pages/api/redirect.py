from collections.abc import Callable
from typing import Any

from nextapi import NextApiRequest, NextApiResponse


def redirect(r: NextApiResponse, *args: Any) -> None:
    """Pass on arguments that a type checker would refuse."""
    r.redirect(*args)


def js_name(error: Exception) -> str:
    """Return the name of the JavaScript error that stands for this one."""
    text = str(error)
    if "character" in text:
        return "TypeError"
    return "RangeError" if "status code" in text and "redirect arguments" not in text else "Error"


def thenjson(r: NextApiResponse) -> None:
    r.redirect("/target")
    r.json({"a": 1})


def withheaders(r: NextApiResponse) -> None:
    r.set_header("X-A", "1")
    r.set_header("Set-Cookie", ["a=1", "b=2"])
    r.redirect("/target")


def withct(r: NextApiResponse) -> None:
    r.set_header("Content-Type", "text/plain")
    r.redirect("/target")


c: dict[str, Callable[[NextApiResponse], object]] = {
    "url": lambda r: r.redirect("/target"),
    "status": lambda r: r.redirect(301, "/target"),
    "s302": lambda r: r.redirect(302, "/target"),
    "s303": lambda r: r.redirect(303, "/target"),
    "s307": lambda r: r.redirect(307, "/target"),
    "s308": lambda r: r.redirect(308, "https://example.com/x?y=1#z"),
    "s200": lambda r: r.redirect(200, "/target"),
    "s999": lambda r: r.redirect(999, "/target"),
    "s99": lambda r: r.redirect(99, "/target"),
    "swapped": lambda r: redirect(r, "/target", 301),
    "none": lambda r: redirect(r),
    "null": lambda r: redirect(r, None),
    "statusonly": lambda r: redirect(r, 301),
    "statusnull": lambda r: redirect(r, 301, None),
    "strstatus": lambda r: redirect(r, "301", "/target"),
    "obj": lambda r: redirect(r, {"url": "/x"}),
    "empty": lambda r: r.redirect(""),
    "unicode": lambda r: r.redirect("/é/漢?x=ü"),
    "latin1": lambda r: r.redirect("/caf\u00e9"),
    "space": lambda r: r.redirect("/a b"),
    "encoded": lambda r: r.redirect("/a%20b?c=%2F"),
    "crlf": lambda r: r.redirect("/a\r\nX-Evil: 1"),
    "html": lambda r: r.redirect('/<script>alert(1)</script>&"'),
    "js": lambda r: r.redirect("javascript:alert(1)"),
    "protorel": lambda r: r.redirect("//evil.example/x"),
    "backslash": lambda r: r.redirect("/\\evil.example"),
    "relative": lambda r: r.redirect("next"),
    "afterstatus": lambda r: r.status(301).redirect("/target"),
    "thenjson": thenjson,
    "withheaders": withheaders,
    "withct": withct,
}


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    try:
        c[req.query["c"]](res)
    except Exception as e:
        if not req.query.get("catch"):
            raise
        if res.headers_sent:
            return
        told: dict[str, Any] = {"name": js_name(e), "message": getattr(e, "message", str(e))}
        if (code := getattr(e, "code", None)) is not None:
            told["code"] = code
        res.status(400).json(told)
