"""The tree of errors as it is drawn, and the names that the package exports."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

import nextapi
from nextapi import errors
from nextapi.errors import BuildError, ConflictError, HTTPError, LoadError, NextApiError, StatusError, TreeError


def _drawn() -> dict[str, str | None]:
    """Return each error in the drawing of the module's docstring, and the one that it hangs from."""
    parents: dict[str, str | None] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"((?:[│ ]   )*(?:[├└]── )?)([A-Z][A-Za-z]*Errors?)(?:\s|$)", line):
            depth = len(match[1]) // 4
            del above[depth:]
            parents[match[2]] = above[-1] if above else None
            above.append(match[2])
    return parents


def _real() -> dict[str, str | None]:
    """Return each error that the module defines, and the error of nextapi that it is derived from."""
    parents: dict[str, str | None] = {}
    for name, found in vars(errors).items():
        if isinstance(found, type) and issubclass(found, NextApiError):
            bases = [base.__name__ for base in found.__bases__ if issubclass(base, NextApiError)]
            assert len(bases) <= 1, f"{name} hangs from more than one error"
            parents[name] = bases[0] if bases else None
    return parents


def test_tree_of_errors_is_as_drawn() -> None:
    """The docstring draws every error of nextapi under its base class, and no other."""
    assert _drawn() == _real()
    assert len(_real()) > 15


def test_every_error_is_exported_and_says_what_it_is() -> None:
    """Each error is in `__all__` and has a docstring of its own."""
    assert set(_real()) <= set(errors.__all__)
    assert all(getattr(errors, name).__doc__ for name in _real())


@pytest.mark.parametrize("module", [nextapi, errors], ids=lambda module: module.__name__)
def test_exported_names_are_there_and_sorted(module: object) -> None:
    """Every name in `__all__` can be imported, stands there once, and in order."""
    names: list[str] = vars(module)["__all__"]
    assert all(hasattr(module, name) for name in names)
    assert len(names) == len(set(names))
    assert names == sorted(names, key=lambda name: (not name.isupper(), name))  # as ruff sorts them


def test_package_exports_what_it_imports() -> None:
    """`nextapi` has no public name beside `__all__` but its modules."""
    public = {name for name, value in vars(nextapi).items() if name[0] != "_" and not isinstance(value, ModuleType)}
    assert public == set(nextapi.__all__)


def test_part_of_build_errors_is_build_errors() -> None:
    """What `except*` and `split` make of all faults is again `TreeError`, with the same message."""
    conflict, load = ConflictError("c", Path("a.py"), Path("b.py")), LoadError("l", Path("c.py"))
    matching, rest = TreeError("2 faults", [conflict, load]).split(ConflictError)
    assert isinstance(matching, TreeError)
    assert isinstance(rest, TreeError)
    assert (matching.exceptions, rest.exceptions, rest.message) == ((conflict,), (load,), "2 faults")


def test_fault_has_its_files() -> None:
    """A fault's files are a field, beside the text."""
    fault = BuildError("two files", Path("a.py"), Path("b.py"))
    assert (str(fault), fault.files) == ("two files", (Path("a.py"), Path("b.py")))


def test_http_error_checks_its_arguments_at_the_call() -> None:
    """The line that makes a wrong error is the one that fails; headers may be a dict or pairs."""
    assert HTTPError(404, "x", {"X-A": "1"}).headers == HTTPError(404, "x", [("X-A", "1")]).headers == (("X-A", "1"),)
    with pytest.raises(TypeError, match="is text, not"):
        HTTPError(404, {"a": 1})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="pairs, not"):
        HTTPError(404, "x", ["X-A: 1"])  # type: ignore[list-item]
    with pytest.raises(StatusError, match="Invalid status code: '404'"):
        HTTPError("404", "x")  # type: ignore[arg-type]
