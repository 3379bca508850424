"""What was measured, as a table, as JSON, and as a verdict."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

from benchmarks.contestants import BARE, EDGE, GUARDED, NEXTAPI, ROUTE, Contestant
from benchmarks.contestants.kept_pages import REDIS, RENDERED, SQLITE, VIEW
from benchmarks.measure import Times

__all__ = ["LIMIT", "as_json", "as_table", "over_limit", "pages_as_json", "pages_as_table", "pages_over_limit"]

LIMIT = 2.0
"""So many times the bare callable's time nextapi may take, for each request."""

WEB_LIMIT = 1.3
"""So many times the time of a route of `pages/api` an edge route or a route handler may take."""

MIDDLEWARE_LIMIT = 0.5
"""So many microseconds middleware may cost a request that it is not for."""

PAGE_LIMIT = 5.0
"""So many times faster than rendering it a page has to come from SQLite."""


def versions() -> dict[str, str]:
    """Return what was measured, in which version."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return {"Python": python} | {name: version(name) for name in ("Falcon", "Flask", "Django")}


def as_table(times: Times, contestants: Sequence[Contestant]) -> str:
    """Return the times, what each is to the bare callable's, and what a mount's is to its host's own."""
    lines = [", ".join(f"{name} {number}".replace("Python ", "", 1) for name, number in versions().items())]
    for case, took in times.items():
        lines += ["", f"{case:<20} {'µs':>8} {'x bare':>8} {'x host':>8}"]
        for contestant, ratio, host_ratio in _ratios(took, contestants):
            of_host = "" if host_ratio is None else f"{host_ratio:.2f}"
            lines.append(f"{contestant.name:<20} {took[contestant.name]:8.2f} {ratio:8.2f} {of_host:>8}".rstrip())
    return "\n".join(lines)


def as_json(times: Times, contestants: Sequence[Contestant]) -> dict[str, Any]:
    """Return the same as a value for JSON."""
    return {
        "versions": versions(),
        "cases": {
            case: {
                contestant.name: {"us": took[contestant.name], "x_bare": ratio, "x_host": host_ratio}
                for contestant, ratio, host_ratio in _ratios(took, contestants)
            }
            for case, took in times.items()
        },
    }


def _ratios(
    took: dict[str, float], contestants: Sequence[Contestant]
) -> Iterator[tuple[Contestant, float, float | None]]:
    for contestant in contestants:
        mine = took[contestant.name]
        yield contestant, mine / took[BARE], mine / took[contestant.host] if contestant.host else None


def over_limit(times: Times) -> list[str]:
    """Return a line for each request where nextapi is over a limit."""
    return [line for case, took in times.items() for line in _over_limit(case, took)]


def _over_limit(case: str, took: dict[str, float]) -> Iterator[str]:
    own = took[NEXTAPI]
    if (ratio := own / took[BARE]) > LIMIT:
        yield f"{case}: nextapi takes {ratio:.2f} x the time of the {BARE}, over {LIMIT}"
    for name in (EDGE, ROUTE):
        if (ratio := took[name] / own) > WEB_LIMIT:
            yield f"{case}: {name} takes {ratio:.2f} x the time of a route of pages/api, over {WEB_LIMIT}"
    if (cost := took[GUARDED] - own) > MIDDLEWARE_LIMIT:
        yield f"{case}: middleware that is not for the request costs {cost:.2f} us, over {MIDDLEWARE_LIMIT}"


def pages_as_table(times: Times) -> str:
    """Return the times of pages, what each is to the cheapest view's, and how many times faster than rendering."""
    lines = []
    for case, took in times.items():
        lines += ["", f"{case:<24} {'µs':>8} {'x view':>8} {'faster':>8}"]
        for name, of_view, faster in _page_ratios(took):
            lines.append(f"{name:<24} {took[name]:8.2f} {of_view:8.2f} {faster:8.1f}")
        if REDIS not in took:
            lines.append("Redis is left out: redis-server is not installed")
    return "\n".join(lines)


def pages_as_json(times: Times) -> dict[str, Any]:
    """Return the same as a value for JSON."""
    return {
        case: {
            name: {"us": took[name], "x_view": of_view, "faster": faster}
            for name, of_view, faster in _page_ratios(took)
        }
        for case, took in times.items()
    }


def _page_ratios(took: dict[str, float]) -> Iterator[tuple[str, float, float]]:
    for name, mine in took.items():
        yield name, mine / took[VIEW], took[RENDERED] / mine


def pages_over_limit(times: Times) -> list[str]:
    """Return a line for each page that comes too slowly from SQLite."""
    return [
        f"{case}: from SQLite it is {faster:.1f} times faster than rendered, below {PAGE_LIMIT}"
        for case, took in times.items()
        for name, _, faster in _page_ratios(took)
        if name == SQLITE and faster < PAGE_LIMIT
    ]
