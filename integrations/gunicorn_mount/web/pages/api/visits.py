from nextapi import NextApiRequest, NextApiResponse, serialize_cookie


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    seen = req.cookies.get("visits", "0")
    visits = int(seen) + 1 if seen.isdecimal() else 1
    cookie = serialize_cookie("visits", str(visits), path="/api", max_age=3600, http_only=True, same_site="lax")
    res.set_header("Set-Cookie", cookie)
    res.json({"visits": visits})
