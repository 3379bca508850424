"""A route's `config`, checked: every key known, every value of its kind, every size readable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nextapi.errors import nearest
from nextapi.http.sizes import Limit, read_limit

__all__ = ["PageOptions", "page_options"]

_KEYS = ("api", "runtime")
_API_KEYS = ("bodyParser", "externalResolver", "responseLimit", "sameOrigin")
_BODY_PARSER_KEYS = ("sizeLimit",)


_DEFAULT_BODY_LIMIT = Limit(1 << 20, "1mb")
_DEFAULT_RESPONSE_LIMIT = Limit(4 << 20, "4mb")


@dataclass(frozen=True, slots=True)
class PageOptions:
    """What a route of `pages/api` is to do beside calling its handler.

    `body_limit` is None where the body is left to the handler, `response_limit` None where no size is warned of.
    """

    body_limit: Limit | None = _DEFAULT_BODY_LIMIT
    response_limit: int | float | None = _DEFAULT_RESPONSE_LIMIT.size
    same_origin: bool = True
    external_resolver: bool = False


def page_options(config: object) -> tuple[PageOptions, list[str]]:
    """Return the options that a module's `config` says, and what is wrong with it, in words."""
    faults: list[str] = []
    top = _section("config", config, _KEYS, faults)
    if "runtime" in top and top["runtime"] != "nodejs":
        faults.append(f"config['runtime'] is {top['runtime']!r}: pages/api runs 'nodejs', with handler(req, res)")
    api = _section("config['api']", top.get("api", {}), _API_KEYS, faults)
    options = PageOptions(
        body_limit=_body_limit(api, faults),
        response_limit=_response_limit(api, faults),
        same_origin=_flag(api, "sameOrigin", True, faults),
        external_resolver=_flag(api, "externalResolver", False, faults),
    )
    return options, faults


def _section(place: str, value: object, known: tuple[str, ...], faults: list[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        faults.append(f"{place} is {_kind(value)}, not a dict")
        return {}
    for key in value:
        if key not in known:
            hint = "; it belongs into config['api']" if key in _API_KEYS else nearest(str(key), known)
            faults.append(f"{place} has the unknown key {key!r}{hint}")
    return value


def _body_limit(api: Mapping[str, Any], faults: list[str]) -> Limit | None:
    parser = api.get("bodyParser", True)
    if isinstance(parser, bool):
        return _DEFAULT_BODY_LIMIT if parser else None
    place = "config['api']['bodyParser']"
    if not isinstance(parser, Mapping):
        faults.append(f"{place} is {_kind(parser)}, not a bool or a dict with 'sizeLimit'")
        return None
    setting = _section(place, parser, _BODY_PARSER_KEYS, faults).get("sizeLimit", 0)
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
    faults.append(f"config['api']['{key}'] is {_kind(value)}, not True or False")
    return default


def _kind(value: object) -> str:
    return f"{value!r} ({type(value).__name__})"
