import asyncio
import time
from collections.abc import AsyncIterator

from flask import current_app

from nextapi import EventStream, NextApiRequest, NextApiResponse, ServerSentEvent
from shop.carts import before_last_orders, find_sold

from ...lib.requests import allow, read_id


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    allow(req, "GET", "HEAD")
    seen = req.headers.get("last-event-id")
    res.send(EventStream(sold(before_last_orders(5) if seen is None else read_id(seen)), heartbeat=10))


async def sold(after: int) -> AsyncIterator[ServerSentEvent]:
    """Tell of each order; end after a while, as a stream has a thread of the server's until then."""
    yield ServerSentEvent(id=after, retry=500)
    end = time.monotonic() + current_app.config.get("SOLD_SECONDS", 60)
    while time.monotonic() < end:
        for order in find_sold(after):
            after = order.order
            yield ServerSentEvent(order, event="sold", id=after)
        await asyncio.sleep(0.2)
