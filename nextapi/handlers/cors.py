"""CORS policies that handlers and folders are decorated with, and what keeps a route to them.

The policy stands around all else that the route has: a preflight is answered before middleware of folders, and what
that refuses has the policy's headers, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, TypeAlias

from nextapi.errors import HTTPError
from nextapi.handlers.host import HandlerHost
from nextapi.handlers.refusals import error_response
from nextapi.handlers.route import METHODS
from nextapi.http.message import Relayed, Request, Response
from nextapi.web.cors import ALL_METHODS, Cors, is_preflight, policy_of

__all__ = ["Policies", "by_policy", "find_policies", "with_policies"]

Policies: TypeAlias = Mapping[str, Cors]
"""The policies of a route, by method."""

_Answer: TypeAlias = Callable[[Request, dict[str, Any]], Response]


def find_policies(module: ModuleType, is_app: bool, inherited: Cors | None) -> Policies:
    """Return the policies of a route's module; `inherited` is that of its folder, which its own go before."""
    if is_app:
        functions = {method: getattr(module, method, None) for method in METHODS}
        functions["HEAD"] = functions["HEAD"] or functions["GET"]
    else:
        functions = dict.fromkeys(ALL_METHODS, getattr(module, "handler", None))
    found = {method: policy_of(function) or inherited for method, function in functions.items() if function is not None}
    return {method: policy for method, policy in found.items() if policy is not None}


def by_policy(policies: Policies) -> list[tuple[Cors, list[str]]]:
    """Return each policy of a route with the methods that keep to it."""
    found: dict[Cors, list[str]] = {}
    for method, policy in policies.items():
        found.setdefault(policy, []).append(method)
    return list(found.items())


def with_policies(answer: _Answer, policies: Policies, host: HandlerHost) -> _Answer:
    """Return what answers as `answer` does, and keeps to the policies."""

    def answer_with_policies(request: Request, params: dict[str, Any]) -> Response:
        if is_preflight(request):
            policy = policies.get(request.headers["access-control-request-method"])
            if policy is not None:
                methods = [method for method, its_own in policies.items() if its_own is policy]
                return Response(204, policy.preflight_headers(request.headers, methods), b"")
        policy = policies.get(request.method)
        if policy is None:
            return answer(request, params)
        request.is_held = True
        try:
            response = answer(request, params)
        except HTTPError as error:
            response = error_response(request, error)
        if isinstance(response.body, Relayed):
            response = host.unpack(response.body, request)
        policy.add_headers(request.headers, response.headers)
        return response

    return answer_with_policies
