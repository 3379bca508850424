"""Route files become modules. A root folder is one package, loaded once in a process however often it is mounted.

Modules are named by their place, so that relative imports reach the whole root: in `pages/api/post/[pid].py`, `from
....lib.auth import user` is `lib/auth.py` below the root. A dot in a file or folder name, which a module's name
cannot have, is written ":".

In debug a root's modules can be dropped when their files have changed, and put back where the new ones are faulty.
"""

from __future__ import annotations

import ast
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from importlib import invalidate_caches
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from nextapi.errors import LoadError

__all__ = [
    "Stamp",
    "drop_stale",
    "follow_imports",
    "is_loaded_elsewhere",
    "load_again",
    "load_module",
    "put_back",
    "stamp",
    "unload",
]

Stamp: TypeAlias = tuple[int, int]
"""When a file was changed, in nanoseconds, and its size: two that are equal are taken for the same text."""

_PREFIX = "nextapi_root_"

_lock = threading.RLock()
_stamps: dict[str, Stamp | None] = {}
"""The files of loaded modules as they were then, by the name of the module."""


def load_module(root: Path, file: Path) -> ModuleType:
    """Import `file`, which is below `root`, unless it has been, and return it; raise `LoadError`, with the cause."""
    with _lock:
        parent = _package(_root_name(root), root)
        for folder in reversed(file.relative_to(root).parents[:-1]):
            parent = _package(f"{parent}.{_escape(folder.name)}", root / folder)
        return _module(f"{parent}.{_escape(file.stem)}", file)


def unload(root: Path) -> None:
    """Forget the modules of `root`, so that they are executed anew when they are loaded; who has them keeps them."""
    with _lock:
        for name in [name for name in sys.modules if _is_of(root, name)]:
            del sys.modules[name]


def _root_name(root: Path) -> str:
    # Two roots of one name in a process stay apart by their place.
    return f"{_PREFIX}{_escape(root.name)}_{blake2b(bytes(root), digest_size=4).hexdigest()}"


def _escape(name: str) -> str:
    return name.replace(".", ":")


def _package(name: str, folder: Path) -> str:
    """Have the package `name` for `folder` in `sys.modules`.

    It is the folder's `__init__.py`; or else the file of the folder's name beside it, `post.py` for `post/`, which
    Next's trees often have and Python has one name for; or else a bare package.
    """
    init, beside = folder / "__init__.py", folder.with_name(folder.name + ".py")
    if name not in sys.modules:
        if init.is_file():
            spec = spec_from_file_location(
                name, init, loader=_Loader(name, str(init)), submodule_search_locations=[str(folder)]
            )
            assert spec is not None, "a spec with a loader is never None"
            _execute(spec)
        elif beside.is_file():
            _module(name, beside)
        else:
            spec = ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = [str(folder)]
            _execute(spec)
    package = sys.modules[name]
    if not hasattr(package, "__path__"):
        package.__path__ = [str(folder)]
    return name


def _module(name: str, file: Path) -> ModuleType:
    if module := sys.modules.get(name):
        if module.__file__ != str(file):
            raise LoadError(
                f"{file} and {module.__file__} are one module to Python: move the second into the first", file
            )
        return module
    spec = spec_from_file_location(name, file, loader=_Loader(name, str(file)))
    assert spec is not None, "a spec with a loader is never None"
    return _execute(spec)


class _Loader(SourceFileLoader):
    """Notes the file as it is, and loads it again from its source: bytecode is told from an edit only by the second
    and the size.
    """

    def exec_module(self, module: ModuleType) -> None:
        self._is_again = self.name in _stamps
        _stamps[self.name] = stamp(Path(self.path))
        if self._is_again:  # what stayed loaded below a package is an attribute of the new one, too
            for name in [name for name in sys.modules if name.startswith(f"{self.name}.")]:
                _bind(name, sys.modules[name])
        super().exec_module(module)

    def path_stats(self, path: str) -> Mapping[str, Any]:
        if self._is_again:
            raise OSError("without bytecode")
        return super().path_stats(path)


class _Finder:
    """Has what relative imports find below a root loaded by `_Loader`, too."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not name.startswith(_PREFIX):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(name, spec.loader.path)
        return spec


def follow_imports() -> None:
    """Have relative imports below a root noted from now on, so that what they find can be told from its edits."""
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)


def _execute(spec: ModuleSpec) -> ModuleType:
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    if spec.loader is not None and spec.origin is not None:
        try:
            spec.loader.exec_module(module)
        except BaseException as error:
            del sys.modules[spec.name]
            if not isinstance(error, Exception | SystemExit):
                raise
            file = Path(spec.origin)
            raise LoadError(f"{file}: {type(error).__name__}: {_say(error)}", file) from error
    _bind(spec.name, module)
    return module


def _bind(name: str, module: ModuleType) -> None:
    """Make a module an attribute of its package; a route file that is one only by the folder beside it has its own
    names.
    """
    parent, _, tail = name.rpartition(".")
    package = sys.modules.get(parent)
    if package is not None and getattr(package.__spec__, "submodule_search_locations", None) is not None:
        setattr(package, tail, module)


def _say(error: BaseException) -> str:
    """Return what an error says; of a module that is not in the root, where it was looked for."""
    name = getattr(error, "name", None)
    if not isinstance(error, ModuleNotFoundError) or not name or not name.startswith(_PREFIX):
        return str(error)
    root, _, missing = name.partition(".")
    folder = Path(sys.modules[root].__path__[0], *missing.split("."))
    return f"there is no {folder}.py and no folder {folder}: a relative import has a dot for each folder up to the root"


# Dropping what has changed


def stamp(file: Path) -> Stamp | None:
    """Return the stamp of a file as it is, None if it is not there."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def drop_stale(root: Path) -> dict[str, ModuleType]:
    """Forget the modules of a root whose files have changed, and those that import them; return them by name."""
    with _lock:
        invalidate_caches()
        loaded = {name: module for name, module in list(sys.modules.items()) if _is_of(root, name)}
        stale = {name for name, module in loaded.items() if _is_stale(name, module)}
        imports = {name: set(_imports(module)) for name, module in loaded.items()}
        while more := {name for name, imported in imports.items() if name not in stale and imported & stale}:
            stale |= more
        dropped = {name: sys.modules.pop(name) for name in stale}
        for name, module in dropped.items():
            # What stays on its package is what `from . import name` finds, and never asks for the module again.
            package, _, tail = name.rpartition(".")
            if package in sys.modules and vars(sys.modules[package]).get(tail) is module:
                delattr(sys.modules[package], tail)
        return dropped


def _is_stale(name: str, module: ModuleType) -> bool:
    if module.__file__ is not None:
        return _stamps.get(name) != stamp(Path(module.__file__))
    # A bare package is one as long as nothing else has its name.
    folder = Path(module.__path__[0])
    return not folder.is_dir() or (folder / "__init__.py").is_file() or folder.with_name(folder.name + ".py").is_file()


def load_again(root: Path, dropped: Mapping[str, ModuleType]) -> None:
    """Load those of the dropped modules whose files are still there; raise `LoadError` for one that is faulty."""
    for name, module in dropped.items():
        file = Path(module.__file__) if module.__file__ is not None else None
        if name not in sys.modules and file is not None and file.name != "__init__.py" and file.is_file():
            load_module(root, file)


def put_back(dropped: Mapping[str, ModuleType]) -> None:
    """Undo `drop_stale`, and what was loaded since."""
    with _lock:
        for name in [name for name in dropped if name in sys.modules]:
            del sys.modules[name]
        sys.modules.update(dropped)
        for name, module in dropped.items():
            _bind(name, module)
            _stamps[name] = None  # not what is on disk


def is_loaded_elsewhere(file: Path) -> bool:
    """Say whether `file` is a module beside those of any root: such as one that the host itself imports."""
    files = {str(file), str(file.resolve())}
    return any(
        getattr(module, "__file__", None) in files and not name.startswith(_PREFIX)
        for name, module in list(sys.modules.items())
    )


def _is_of(root: Path, name: str) -> bool:
    top = _root_name(root)
    return name == top or name.startswith(top + ".")


def _imports(module: ModuleType) -> Iterator[str]:
    """Yield the names of modules that a module may import by relative imports."""
    if module.__file__ is None:
        return
    try:
        tree = ast.parse(Path(module.__file__).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    package = module.__package__ or ""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package.rsplit(".", node.level - 1)[0] + (f".{node.module}" if node.module else "")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
