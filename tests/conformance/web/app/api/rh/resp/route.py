from typing import Any

from nextapi import NextRequest

from .....lib.responses import answer

dynamic = "force-dynamic"


async def GET(request: NextRequest) -> Any:
    return await answer(request)
