from nextapi import NextResponse


def GET() -> NextResponse:
    return NextResponse.json({"visits": 3})
