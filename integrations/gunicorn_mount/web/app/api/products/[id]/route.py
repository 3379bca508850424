from nextapi import NextRequest, NextResponse, RouteContext, not_found

PRODUCTS = {"1": {"id": "1", "name": "Fountain pen", "price": 2900}}


def GET(request: NextRequest, context: RouteContext) -> NextResponse:
    id = str(context.params["id"])
    if id not in PRODUCTS:
        not_found()
    response = NextResponse.json(PRODUCTS[id])
    response.cookies.set("seen", id, http_only=True, same_site="lax")
    return response


def POST(request: NextRequest, context: RouteContext) -> NextResponse:
    return NextResponse.json({"id": context.params["id"], "ordered": request.json()}, status=201)
