import asyncio
from collections.abc import AsyncIterator

from nextapi import NextApiRequest, NextApiResponse


async def numbers() -> AsyncIterator[str]:
    for number in range(1, 6):
        yield f"{number}\n"
        await asyncio.sleep(0.2)


async def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    # Each line is sent as it is made: curl -N shows them come.
    res.set_header("Content-Type", "text/plain; charset=utf-8").send(numbers())
