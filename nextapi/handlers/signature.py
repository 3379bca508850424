"""Whether a user's function can be called as its dialect calls it; asked once, when a tree is built."""

from __future__ import annotations

import inspect
from collections.abc import Callable

__all__ = ["count_arguments", "handler_problem"]


def count_arguments(function: Callable[..., object], most: int) -> int | None:
    """Return how many positional arguments a function takes, up to `most`; None where it cannot be called so."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # some callables written in C tell nothing
        return most
    for count in range(most, -1, -1):
        try:
            signature.bind(*[None] * count)
        except TypeError:
            continue
        return count
    return None


def handler_problem(name: str, handler: object, form: str, count: int | None) -> str | None:
    """Return what keeps a handler from being called with `count` arguments, up to two for None; None if nothing does.

    `name` is what its module calls it, and `form` how it is to be defined, "def GET(request, context)".
    """
    if not callable(handler):
        return f"`{name}` is {type(handler).__name__}, not a function: define `{form}`"
    if inspect.isgeneratorfunction(handler) or inspect.isasyncgenfunction(handler):
        is_pages = count == 2
        how = "give a generator to res.send()" if is_pages else "return a Response of a generator"
        return f"`{name}` is a generator: define `{form}`, and {how}"
    taken = count_arguments(handler, 2)
    if taken is None or (count is not None and taken < count) or (name == "handler" and not taken):
        arguments = form[form.index("(") :]
        return f"`{name}{inspect.signature(handler)}` cannot be called with {arguments}: define `{form}`"
    return None
