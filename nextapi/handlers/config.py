"""A route's `config`, checked: every key known, every value of its kind, every size readable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nextapi.errors import nearest
from nextapi.http.sizes import Limit, read_limit

__all__ = [
    "EDGE_RUNTIMES",
    "PageOptions",
    "described",
    "page_options",
    "read_max_duration",
    "read_regions",
    "read_runtime",
    "read_section",
]

_RUNTIMES = ("nodejs", "edge", "experimental-edge")
EDGE_RUNTIMES = ("edge", "experimental-edge")
"""What Next calls its edge runtime: the handlers of pages/api speak the web dialect there."""

_KEYS = ("api", "maxDuration", "regions", "runtime")
_API_KEYS = ("bodyParser", "externalResolver", "responseLimit", "sameOrigin")
_BODY_PARSER_KEYS = ("sizeLimit",)
_IN_API: Mapping[str, str] = dict.fromkeys(_API_KEYS, "; it belongs into config['api']")
_AT_EDGE = {
    "bodyParser": "request.json() and its like read up to the option max_body_size, request.body is not bounded",
    "externalResolver": "it returns its answer",
    "responseLimit": "there is no limit",
}

_DEFAULT_BODY_LIMIT = Limit(1 << 20, "1mb")
_DEFAULT_RESPONSE_LIMIT = Limit(4 << 20, "4mb")


@dataclass(frozen=True, slots=True)
class PageOptions:
    """What a route of `pages/api` is to do beside calling its handler.

    `body_limit` is None where the body is left to the handler, `response_limit` None where no size is warned of.
    `runtime`, `regions` and `max_duration`, in seconds, are for a deployment to read; the first says the dialect, too.
    """

    body_limit: Limit | None = _DEFAULT_BODY_LIMIT
    response_limit: int | float | None = _DEFAULT_RESPONSE_LIMIT.size
    same_origin: bool = True
    external_resolver: bool = False
    runtime: str = "nodejs"
    regions: tuple[str, ...] = ()
    max_duration: int | None = None

    @property
    def is_edge(self) -> bool:
        """Whether the handler is called as `handler(request)`."""
        return self.runtime in EDGE_RUNTIMES


def page_options(config: object, runtime: object = None) -> tuple[PageOptions, list[str]]:
    """Return the options that a module's `config` says, and what is wrong with it, in words.

    `runtime` is the module's own name `runtime`, which may stand in place of the config's. A config with regions and no
    runtime is one of the edge's, as Next's documentation writes it.
    """
    faults: list[str] = []
    top = read_section("config", config, _KEYS, faults, _IN_API)
    regions = read_regions("config['regions']", top.get("regions", ()), faults)
    given = top.get("runtime", runtime)
    if given is None and regions:
        given = "edge"
    api = read_section("config['api']", top.get("api", {}), _API_KEYS, faults)
    options = PageOptions(
        body_limit=_body_limit(api, faults),
        response_limit=_response_limit(api, faults),
        same_origin=_flag(api, "sameOrigin", True, faults),
        external_resolver=_flag(api, "externalResolver", False, faults),
        runtime=read_runtime("config['runtime']", given, faults),
        regions=regions,
        max_duration=read_max_duration("config['maxDuration']", top.get("maxDuration"), faults),
    )
    if options.is_edge:
        faults += [
            f"config['api']['{key}'] is nothing to an edge handler: {_AT_EDGE[key]}" for key in api if key in _AT_EDGE
        ]
    return options, faults


def read_runtime(place: str, value: object, faults: list[str]) -> str:
    """Return the runtime that a setting says, "nodejs" for None; what is wrong is added to `faults`."""
    if value is None:
        return "nodejs"
    if isinstance(value, str) and value in _RUNTIMES:
        return value
    hint = nearest(str(value), _RUNTIMES)
    faults.append(f"{place} is {value!r}{hint}")
    return "nodejs"


def read_regions(place: str, value: object, faults: list[str]) -> tuple[str, ...]:
    """Return the regions that a setting says, one or several; what is wrong is added to `faults`."""
    regions = (value,) if isinstance(value, str) else value
    if isinstance(regions, list | tuple) and all(isinstance(region, str) and region for region in regions):
        return tuple(regions)
    faults.append(f"{place} is {value!r}, not a name of a region or a list of them, such as ['sfo1', 'iad1']")
    return ()


def read_max_duration(place: str, value: object, faults: list[str]) -> int | None:
    """Return the seconds that a setting says; what is wrong is added to `faults`."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    faults.append(f"{place} is {value!r}, not a number of seconds")
    return None


def read_section(
    place: str, value: object, known: tuple[str, ...], faults: list[str], hints: Mapping[str, str] | None = None
) -> Mapping[str, Any]:
    """Return the dict that a setting is, {} for what is none; what is wrong is added to `faults`, so unknown keys.

    `hints` are what to say of some of those in place of the nearest known one.
    """
    if not isinstance(value, Mapping):
        faults.append(f"{place} is {described(value)}, not a dict")
        return {}
    for key in value:
        if key not in known:
            hint = (hints or {}).get(key) or nearest(str(key), known)
            faults.append(f"{place} has the unknown key {key!r}{hint}")
    return value


def described(value: object) -> str:
    """Return a value as a fault tells it, with its type: "5 (int)"."""
    return f"{value!r} ({type(value).__name__})"


def _body_limit(api: Mapping[str, Any], faults: list[str]) -> Limit | None:
    parser = api.get("bodyParser", True)
    if isinstance(parser, bool):
        return _DEFAULT_BODY_LIMIT if parser else None
    place = "config['api']['bodyParser']"
    if not isinstance(parser, Mapping):
        faults.append(f"{place} is {described(parser)}, not a bool or a dict with 'sizeLimit'")
        return None
    setting = read_section(place, parser, _BODY_PARSER_KEYS, faults, _IN_API).get("sizeLimit", 0)
    return _limit(f"{place}['sizeLimit']", setting, _DEFAULT_BODY_LIMIT, faults)


def _response_limit(api: Mapping[str, Any], faults: list[str]) -> int | float | None:
    setting = api.get("responseLimit", True)
    if isinstance(setting, bool):
        return _DEFAULT_RESPONSE_LIMIT.size if setting else None
    return _limit("config['api']['responseLimit']", setting, _DEFAULT_RESPONSE_LIMIT, faults).size


def _limit(place: str, setting: Any, default: Limit, faults: list[str]) -> Limit:
    if setting == 0:
        return default  # Next: no setting
    limit = read_limit(setting)
    if limit is None:
        faults.append(f"{place} is {setting!r}, which is no size: write '500kb', '1.5mb' or a number of bytes")
    return limit or default


def _flag(api: Mapping[str, Any], key: str, default: bool, faults: list[str]) -> bool:
    value = api.get(key, default)
    if isinstance(value, bool):
        return value
    faults.append(f"config['api']['{key}'] is {described(value)}, not True or False")
    return default
