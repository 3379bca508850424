from nextapi import NextRequest, NextResponse, RouteContext, not_found

PRODUCTS = {"1": {"id": "1", "name": "Fountain pen", "price": 2900}}


def GET(request: NextRequest, context: RouteContext) -> NextResponse:
    number = str(context.params["id"])
    if number not in PRODUCTS:
        not_found()
    response = NextResponse.json(PRODUCTS[number])
    response.cookies.set("seen", number, http_only=True, same_site="lax")
    return response


def POST(request: NextRequest, context: RouteContext) -> NextResponse:
    return NextResponse.json({"id": context.params["id"], "ordered": request.json()}, status=201)
