from typing import Any

from nextapi import NextApiRequest, NextApiResponse

from ...lib.echo import number

codes: dict[str, Any] = {
    "abc": "abc", "neg": -1, "float": 200.5, "str": "201", "undef": None, "null": None, "nan": float("nan"), "obj": {},
}  # fmt: skip
# String(v) where Python's str(v) reads differently.
texts = {"undef": "undefined", "null": "null", "nan": "NaN", "obj": "[object Object]"}


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    code, how = req.query.get("code", "NaN"), req.query.get("how")
    v = codes[code] if code in codes else number(code)
    if how == "prop":
        res.status_code = v
    elif res.status(v) is not res:
        res.set_header("x-chain", "broken")
    if how == "json":
        res.json({"code": texts.get(code, str(v))})
    elif how == "send":
        res.send("text")
    elif how == "buffer":
        res.send(b"buf")
    elif how == "msg":
        res.status_message = "Custom Reason"
        res.end("m")
    elif how == "write":
        res.write("a")
        res.end("b")
    elif how == "endbody":
        res.end("body")
    else:
        res.end()
