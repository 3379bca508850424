from typing import Any

from nextapi import NextFetchEvent, NextRequest, PageConfig

from ....lib.responses import answer

config: PageConfig = {"runtime": "edge"}


async def handler(request: NextRequest, event: NextFetchEvent) -> Any:
    return await answer(request)
