import asyncio
from collections.abc import AsyncIterator

from nextapi import EventStream, ServerSentEvent


async def ticks() -> AsyncIterator[ServerSentEvent]:
    for number in range(1, 6):
        yield ServerSentEvent({"tick": number}, id=number)
        await asyncio.sleep(0.2)


def GET() -> EventStream:
    return EventStream(ticks())
