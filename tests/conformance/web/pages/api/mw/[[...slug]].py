from nextapi import NextApiRequest, NextApiResponse

from ....lib.echo import echo, number


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    query = req.query
    res.set_header("X-Handler", "1")
    if query.get("setc"):
        res.set_header("Set-Cookie", ["h=1; Path=/", "mw=handler; Path=/"])
    if query.get("setcs"):
        res.set_header("Set-Cookie", "h=1; Path=/")
    if query.get("appc"):
        res.append_header("Set-Cookie", "h=1; Path=/")
    if query.get("seth"):
        res.set_header("X-From-Mw", "handler")
    if query.get("red"):
        res.redirect("/from-handler")
        return
    if query.get("st"):
        res.status(number(query["st"]))
    if query.get("boom"):
        raise RuntimeError("x")
    if query.get("getc"):
        res.json({"before": res.get_header("set-cookie"), "mw": res.get_header("x-from-mw")})
        return
    res.json({"route": "/api/mw/[[...slug]]", **echo(req)})
