"""A route file's syntax tree: its handler's findings, and where its `config` says what."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from itertools import chain

from nextapi.checks.finding import AWAITS_PLAIN, RETURNING_RES, UNUSED_PARAMETER, Finding, Function, parents
from nextapi.checks.flow import Flow
from nextapi.handlers.config import EDGE_RUNTIMES
from nextapi.pages.request import NextApiRequest
from nextapi.pages.response import NextApiResponse

__all__ = [
    "arguments",
    "bound_names",
    "check_module",
    "config_lines",
    "is_edge",
    "is_generator",
    "name_lines",
    "parse",
    "plain_functions",
]

# Of `req`; all others may have the path's parameters in them.
_WITHOUT_PARAMS = frozenset(
    {"method", "headers", "cookies", "body", "files", "raw_body", "stream", "search_params"}
) | frozenset({"draft_mode", "preview", "preview_data"})
_PLAIN = (
    (frozenset(dir(NextApiRequest)) | {"method", "params", "json", "text", "form_data", "bytes"}) - {"raw"},
    frozenset(dir(NextApiResponse)),
)

_Named = Function | ast.ClassDef | ast.ExceptHandler | ast.MatchAs | ast.MatchStar


def parse(source: bytes) -> ast.Module | None:
    """Return the syntax tree of a file; None where it has none, which is a fault that importing the file tells."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def check_module(module: ast.Module, param_names: Sequence[str]) -> list[Finding]:
    """Return the findings of a file of `pages/api` by line; `param_names` are those that its handler should use.

    Only a plain `def handler(req, res)` is looked into: not one that is decorated, assigned or imported.
    """
    handler = _plain_handler(module)
    if handler is None:
        return []
    req, res = arguments(handler)
    findings = [*_awaits(handler, req, res), *_unused(module, handler, req, param_names)]
    if not _may_resolve_elsewhere(module) and not _is_odd(handler, res):
        with suppress(RecursionError):  # deeper than anybody writes by hand
            findings += Flow(module, handler, res).findings()
    return sorted(set(findings))


def config_lines(module: ast.Module) -> dict[tuple[str, ...], int]:
    """Return the line of each key of a module's `config`, as far as it is written out: ("api", "bodyParser"): 3."""
    lines: dict[tuple[str, ...], int] = {}
    value = _config(module)
    pending: list[tuple[tuple[str, ...], ast.expr]] = [((), value)] if value else []
    for place, node in pending:
        for key, inner in zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ():
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                lines[*place, key.value] = key.lineno
                pending.append(((*place, key.value), inner))
    return lines


def is_edge(module: ast.Module) -> bool:
    """Say whether a file of `pages/api` says, written out, that its handler is one of the edge runtime."""
    given: ast.expr | None = None
    for statement in module.body:
        if isinstance(statement, ast.Assign) and any(_names(target, "runtime") for target in statement.targets):
            given = statement.value
    config = _config(module)
    has_regions = False
    for key, value in zip(config.keys, config.values, strict=True) if isinstance(config, ast.Dict) else ():
        if isinstance(key, ast.Constant) and key.value == "runtime":
            given = value
        elif isinstance(key, ast.Constant) and key.value == "regions":
            has_regions = not isinstance(value, ast.List) or bool(value.elts)
    return (isinstance(given, ast.Constant) and given.value in EDGE_RUNTIMES) or (given is None and has_regions)


def _names(target: ast.expr, name: str) -> bool:
    return isinstance(target, ast.Name) and target.id == name


def name_lines(module: ast.Module) -> dict[str, int]:
    """Return the line of each name that a module's top level binds, the last one where there are several."""
    lines: dict[str, int] = {}
    for statement in module.body:
        bound = ast.walk(statement) if not isinstance(statement, Function | ast.ClassDef) else [statement]
        for node in bound:
            lines |= dict.fromkeys(bound_names(node), statement.lineno)
    return lines


def _config(module: ast.Module) -> ast.expr | None:
    for statement in reversed(module.body):
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "config" for target in targets):
            return getattr(statement, "value", None)
    return None


# The handler


def _plain_handler(module: ast.Module) -> Function | None:
    return next((found for found in plain_functions(module, ("handler",)) if len(arguments(found)) == 2), None)


def plain_functions(module: ast.Module, names: Collection[str]) -> list[Function]:
    """Return the functions of these names that are defined in the module and are nothing else, nor decorated."""
    found = [node for node in module.body if isinstance(node, Function) and node.name in names]
    bound = [name for node in ast.walk(module) for name in bound_names(node)]
    return [function for function in found if bound.count(function.name) == 1 and not function.decorator_list]


def bound_names(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node itself binds."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).partition(".")[0]
    elif isinstance(node, ast.Global | ast.Nonlocal):
        yield from node.names
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
    elif isinstance(node, _Named) and node.name:
        yield node.name


def arguments(handler: Function) -> list[str]:
    """Return the names of the first two arguments that a function takes by position."""
    return [argument.arg for argument in (*handler.args.posonlyargs, *handler.args.args)][:2]


def _may_resolve_elsewhere(module: ast.Module) -> bool:
    """Say whether `config` has, or may have, `externalResolver`."""
    value = _config(module)
    if value is None:
        return any("config" in bound_names(node) for node in ast.walk(module))
    return not _is_written_out(value) or any(
        isinstance(node, ast.Constant) and node.value == "externalResolver" for node in ast.walk(value)
    )


def _is_written_out(value: ast.expr) -> bool:
    known = (ast.Dict, ast.Constant, ast.expr_context, ast.BinOp, ast.operator, ast.UnaryOp, ast.unaryop)
    return all(isinstance(node, known) for node in ast.walk(value)) and not any(
        None in node.keys for node in ast.walk(value) if isinstance(node, ast.Dict)
    )


def _is_odd(handler: Function, res: str) -> bool:
    """Say whether `res` is bound anew, or the handler is a generator."""
    inner = chain.from_iterable(map(ast.walk, handler.body))
    return is_generator(handler) or any(res in bound_names(node) for node in inner)


def is_generator(function: Function) -> bool:
    """Say whether a function is a generator, or has one in it."""
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))


# Plain values that are awaited, parameters that are not used


def _awaits(handler: Function, req: str, res: str) -> Iterator[Finding]:
    for node in ast.walk(handler):
        if not isinstance(node, ast.Await):
            continue
        awaited = node.value.func if isinstance(node.value, ast.Call) else node.value
        if not isinstance(awaited, ast.Attribute):
            continue
        base = awaited.value
        while isinstance(base, ast.Call) and isinstance(base.func, ast.Attribute) and base.func.attr in RETURNING_RES:
            base = base.func.value
        for name, plain in zip((req, res), _PLAIN, strict=True):
            if isinstance(base, ast.Name) and base.id == name and awaited.attr in plain:
                call = "()" if isinstance(node.value, ast.Call) else ""
                yield Finding(
                    node.lineno, AWAITS_PLAIN, f"`await` on {name}.{awaited.attr}{call}, which is no awaitable"
                )


def _unused(module: ast.Module, handler: Function, req: str, param_names: Sequence[str]) -> Iterator[Finding]:
    texts = {node.value for node in ast.walk(module) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    unnamed = [name for name in param_names if name not in texts]
    above = parents(handler)
    uses = (node for node in ast.walk(handler) if isinstance(node, ast.Name) and node.id == req)
    if unnamed and all(_is_without_params(use, above) for use in uses):
        for name in unnamed:
            yield Finding(handler.lineno, UNUSED_PARAMETER, f"the path's parameter '{name}' is never used")


def _is_without_params(use: ast.Name, above: dict[ast.AST, ast.AST]) -> bool:
    """Say whether a use of `req` asks for nothing that has the path's parameters in it, or for one by its name."""
    attribute = above[use]
    if not isinstance(attribute, ast.Attribute) or attribute.attr not in (*_WITHOUT_PARAMS, "query", "params"):
        return False
    if attribute.attr in _WITHOUT_PARAMS:
        return True
    outer = above[attribute]
    if isinstance(outer, ast.Subscript):
        return isinstance(outer.slice, ast.Constant)
    call = above[outer]
    is_get = isinstance(outer, ast.Attribute) and outer.attr == "get" and isinstance(call, ast.Call)
    return is_get and bool(call.args) and isinstance(call.args[0], ast.Constant)  # type: ignore[attr-defined]  # a Call
