from time import sleep

from nextapi import NextFetchEvent, NextRequest, PageConfig, Response

config: PageConfig = {"runtime": "edge"}
order: list[str] = []


def later() -> None:
    sleep(0.02)
    order.append("done")


def handler(request: NextRequest, event: NextFetchEvent) -> Response:
    if request.next_url.search_params.has("read"):
        return Response.json(order)
    event.wait_until(later)
    order.append("returned")
    return Response.json({"waitUntil": "function", "keys": ["sourcePage"] if event.source_page else []})
