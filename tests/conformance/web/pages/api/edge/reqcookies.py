from nextapi import NextRequest, PageConfig, Response

from ....lib.edge_echo import shown_cookie

config: PageConfig = {"runtime": "edge"}


def handler(request: NextRequest) -> Response:
    k = request.cookies
    a = k.get("a")
    before = {
        "a": shown_cookie(a),
        "aval": a.value if a else None,
        "has": k.has("a"),
        "hasNo": k.has("nope"),
        "size": len(k),
        "all": [shown_cookie(each) for each in k.get_all()],
        "allA": [shown_cookie(each) for each in k.get_all("a")],
        "iter": [[each.name, shown_cookie(each)] for each in k.get_all()],
        "str": str(k),
    }
    k.set("new", "x y")
    k.delete("a")
    after = {
        "afterHeader": request.headers.get("cookie"),
        "afterAll": [shown_cookie(each) for each in k.get_all()],
    }
    k.clear()
    return Response.json({**before, **after, "clear": len(k)})
