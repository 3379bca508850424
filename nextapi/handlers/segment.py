"""A route handler's settings: names of its module, spelled in snake_case (Next's Route Segment Config), checked."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from nextapi.cache.policy import cache_control
from nextapi.errors import nearest
from nextapi.handlers.config import read_max_duration, read_regions, read_runtime
from nextapi.http.sizes import Limit, read_limit

__all__ = ["SegmentConfig", "segment_config"]

_DYNAMIC = ("auto", "force-dynamic", "error", "force-static")

# Next's names that mean nothing here, or something else; what to do is said where one turns up.
_UNKNOWN = {
    "generate_static_params": "nothing is made before it is asked for: leave it out; `revalidate` says how long an "
    "answer may be kept",
    "dynamic_params": "there is no list of static paths that others could be refused by: check the parameter in the "
    "handler, and call not_found()",
    "fetch_cache": "fetch() keeps nothing: leave it out",
    "config": "a route handler has names of its own for that: dynamic, revalidate, max_body_size, same_origin ...",
}
_CAMEL = {
    "dynamicParams": "dynamic_params",
    "fetchCache": "fetch_cache",
    "generateStaticParams": "generate_static_params",
    "maxBodySize": "max_body_size",
    "maxDuration": "max_duration",
    "preferredRegion": "preferred_region",
    "sameOrigin": "same_origin",
}


@dataclass(frozen=True, slots=True)
class SegmentConfig:
    """What a route handler's module says beside its handlers.

    `cache_control` is what its GET answers say unless they have a Cache-Control of their own, "" for nothing.
    `max_duration` is in seconds. `body_limit` None is the option `max_body_size`.
    """

    dynamic: str = "auto"
    revalidate: int | bool | None = None
    cache_control: str = ""
    runtime: str = "nodejs"
    regions: tuple[str, ...] = ()
    max_duration: int | None = None
    body_limit: Limit | None = None
    same_origin: bool = True


def segment_config(module: ModuleType) -> tuple[SegmentConfig, list[str]]:
    """Return the settings that a module says, and what is wrong with them, in words."""
    names = vars(module)
    faults = [f"`{name}`: {text}" for name, text in _UNKNOWN.items() if name in names]
    faults += [f"`{name}` is written `{right}` in Python" for name, right in _CAMEL.items() if name in names]
    dynamic = names.get("dynamic", "auto")
    if dynamic not in _DYNAMIC:
        hint = nearest(str(dynamic), _DYNAMIC)
        faults.append(f"`dynamic` is {dynamic!r}{hint}")
        dynamic = "auto"
    revalidate = _revalidate(names.get("revalidate"), faults)
    limit = None
    if (size := names.get("max_body_size")) is not None:
        limit = read_limit(size)
        if limit is None:
            faults.append(f"`max_body_size` is {size!r}, which is no size: write '500kb', '1.5mb' or a number of bytes")
    same_origin = names.get("same_origin", True)
    if not isinstance(same_origin, bool):
        faults.append(f"`same_origin` is {same_origin!r}, not True or False")
    return (
        SegmentConfig(
            dynamic=dynamic,
            revalidate=revalidate,
            cache_control=_cache_control(dynamic, revalidate),
            runtime=read_runtime("`runtime`", names.get("runtime"), faults),
            regions=read_regions("`preferred_region`", names.get("preferred_region", ()), faults),
            max_duration=read_max_duration("`max_duration`", names.get("max_duration"), faults),
            body_limit=limit,
            same_origin=same_origin is not False,
        ),
        faults,
    )


def _revalidate(value: Any, faults: list[str]) -> int | bool | None:
    if value is None or value is False:
        return value
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        faults.append(f"`revalidate` is {value!r}, not a number of seconds or False")
        return None
    return value


def _cache_control(dynamic: str, revalidate: int | bool | None) -> str:
    if dynamic == "force-dynamic" or (revalidate is not False and revalidate == 0):
        return ""
    if revalidate is None:
        return cache_control(False) if dynamic == "force-static" else ""
    return cache_control(revalidate)
