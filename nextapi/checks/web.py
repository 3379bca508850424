"""The web dialect in a syntax tree: handlers that return nothing or what is no Response, awaits of plain values.

As for `pages/api`, only a plain function is looked into, and only what is sure is said.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from copy import deepcopy
from typing import TypeVar

from nextapi.checks.finding import (
    AWAITS_PLAIN,
    NEVER_ANSWERS,
    RETURNS_NO_RESPONSE,
    RETURNS_PASSAGE,
    UNKNOWN_PARAMETER,
    Finding,
    Function,
)
from nextapi.checks.flow import Flow
from nextapi.checks.module import arguments, bound_names, is_generator, plain_functions
from nextapi.web.request import NextRequest

__all__ = ["check_functions"]

_REQUEST = frozenset(name for name in dir(NextRequest) if not name.startswith("_")) - {"raw", "state"}
_CONTEXT = frozenset({"params"})
_PLAIN_CALLS = frozenset({"after", "cookies", "draft_mode", "headers", "user_agent"}) | frozenset(
    {"forbidden", "not_found", "permanent_redirect", "redirect", "unauthorized"}
)
_NO_RESPONSES = {
    ast.Dict: "a dict",
    ast.DictComp: "a dict",
    ast.List: "a list",
    ast.ListComp: "a list",
    ast.Set: "a set",
    ast.SetComp: "a set",
    ast.Tuple: "a tuple",
    ast.GeneratorExp: "a generator",
    ast.JoinedStr: "text",
}

_Inner = Function | ast.ClassDef | ast.Lambda
InnerT = TypeVar("InnerT", bound=ast.AST)


def check_functions(
    module: ast.Module, names: Collection[str], param_names: Sequence[str] | None = None, *, may_pass: bool = False
) -> list[Finding]:
    """Return the findings of a module's functions `names` by line, and of all that the module awaits.

    `param_names` are those of the path where the functions are route handlers, whose second argument is the context.
    With `may_pass` a function may return nothing, as middleware may.
    """
    known = _imported(module)
    findings = [*_plain_calls(module, known)]
    for function in plain_functions(module, names):
        request, second = (*arguments(function), None, None)[:2]
        findings += _attributes(function, request, _REQUEST)
        findings += _returns(function, known, may_pass)
        if param_names is not None:
            findings += _attributes(function, second, _CONTEXT)
            findings += _params(function, second, param_names)
        if not may_pass and not is_generator(function):
            with suppress(RecursionError):  # deeper than anybody writes by hand
                findings += _nothing(module, function)
    return sorted(set(findings))


def _imported(module: ast.Module) -> dict[str, str]:
    """Return what the names stand for that are imported from nextapi, and are nothing else anywhere."""
    found = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module == "nextapi" and not node.level
        for alias in node.names
    }
    bound = [name for node in ast.walk(module) for name in bound_names(node)]
    bound += [node.arg for node in ast.walk(module) if isinstance(node, ast.arg)]
    return {name: meant for name, meant in found.items() if bound.count(name) == 1}


def _own(function: Function, kind: type[InnerT]) -> Iterator[InnerT]:
    """Yield the nodes of a kind in a function, without those of functions and classes in it."""
    pending: list[ast.AST] = [*function.body]
    while pending:
        node = pending.pop()
        if isinstance(node, kind):
            yield node
        if not isinstance(node, _Inner):
            pending += ast.iter_child_nodes(node)


# What is awaited


def _plain_calls(module: ast.Module, known: dict[str, str]) -> Iterator[Finding]:
    for node in ast.walk(module):
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
            name = node.value.func.id
            if known.get(name) in _PLAIN_CALLS:
                yield Finding(node.lineno, AWAITS_PLAIN, f"`await` on {name}(), which is no awaitable")


def _attributes(function: Function, argument: str | None, plain: frozenset[str]) -> Iterator[Finding]:
    """Yield where an attribute of an argument is awaited, or what a method of it returns."""
    if argument is None or _is_bound_anew(function, argument):
        return
    for node in _own(function, ast.Await):
        awaited = node.value.func if isinstance(node.value, ast.Call) else node.value
        if isinstance(awaited, ast.Attribute) and _is_name(awaited.value, argument) and awaited.attr in plain:
            call = "()" if isinstance(node.value, ast.Call) else ""
            message = f"`await` on {argument}.{awaited.attr}{call}, which is no awaitable"
            yield Finding(node.lineno, AWAITS_PLAIN, message)


def _is_bound_anew(function: Function, name: str) -> bool:
    return any(name in bound_names(node) for statement in function.body for node in ast.walk(statement))


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


# What is returned


def _nothing(module: ast.Module, function: Function) -> list[Finding]:
    """Return where a function ends without a value: `Flow` looks for it, a `return` with a value being an answer."""
    made = deepcopy(function)
    for statement in made.body:
        _Answers().visit(statement)
    # A `return` in a `finally` takes the place of another: that is no second answer.
    return [found for found in Flow(module, made, _Answers.RES).findings() if found.id == NEVER_ANSWERS]


class _Answers(ast.NodeTransformer):
    """Writes `return value` as an answer by a `res`."""

    RES = "<res>"

    def visit_Return(self, node: ast.Return) -> ast.AST:
        if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            end = ast.Attribute(ast.Name(self.RES, ast.Load()), "end", ast.Load())
            node.value = ast.Call(end, [node.value], [])
            for made in (node.value, end, end.value):
                ast.copy_location(made, node)
        return node

    def visit(self, node: ast.AST) -> ast.AST:
        return node if isinstance(node, _Inner) else super().visit(node)


def _returns(function: Function, known: dict[str, str], may_pass: bool) -> Iterator[Finding]:
    """Yield where what is returned is no Response, or is one of middleware's."""
    for node in _own(function, ast.Return):
        value = node.value
        if what := _no_response(value):
            yield Finding(node.lineno, RETURNS_NO_RESPONSE, f"{function.name}() returns {what}, which is no Response")
        elif not may_pass and isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
            base, name = value.func.value, value.func.attr
            if isinstance(base, ast.Name) and known.get(base.id) == "NextResponse" and name in ("next", "rewrite"):
                message = f"{function.name}() returns {base.id}.{name}(), an answer of middleware.py"
                yield Finding(node.lineno, RETURNS_PASSAGE, message)


def _no_response(value: ast.expr | None) -> str | None:
    if isinstance(value, ast.Constant) and value.value is not None:
        return "text" if isinstance(value.value, str) else type(value.value).__name__
    return next((what for kind, what in _NO_RESPONSES.items() if isinstance(value, kind)), None)


# The parameters of the path


def _params(function: Function, context: str | None, param_names: Sequence[str]) -> Iterator[Finding]:
    """Yield where a parameter is looked up that the path does not have."""
    if context is None or _is_bound_anew(function, context):
        return
    names: set[str] = set()
    for assign in _own(function, ast.Assign):
        target = assign.targets[0]
        if len(assign.targets) == 1 and isinstance(target, ast.Name) and _is_params(assign.value, context, ()):
            bound = [name for inner in ast.walk(function) for name in bound_names(inner)]
            names |= {target.id} if bound.count(target.id) == 1 else set()
    found = [node for node in _own(function, ast.Subscript) if _is_params(node.value, context, names)]
    if any(not isinstance(node.ctx, ast.Load) for node in found):
        return  # it is not the path's alone
    for node in found:
        key = node.slice
        if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value not in param_names:
            has = f"only {', '.join(map(repr, param_names))}" if param_names else "nor any other"
            yield Finding(node.lineno, UNKNOWN_PARAMETER, f"the path has no parameter {key.value!r}, {has}")


def _is_params(node: ast.AST, context: str, names: Collection[str]) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "params" and _is_name(node.value, context)
    return isinstance(node, ast.Name) and node.id in names
