"""Route files become modules. A root folder is one package, loaded once in a process however often it is mounted.

Modules are named by their place, so that relative imports reach the whole root: in `pages/api/post/[pid].py`, `from
....lib.auth import user` is `lib/auth.py` below the root. A dot in a file or folder name, which a module's name
cannot have, is written ":".
"""

from __future__ import annotations

import sys
import threading
from hashlib import blake2b
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from nextapi.errors import LoadError

__all__ = ["load_module"]

_lock = threading.RLock()


def load_module(root: Path, file: Path) -> ModuleType:
    """Import `file`, which is below `root`, unless it has been, and return it; raise `LoadError`, with the cause."""
    with _lock:
        parent = _package(_root_name(root), root)
        for folder in reversed(file.relative_to(root).parents[:-1]):
            parent = _package(f"{parent}.{_escape(folder.name)}", root / folder)
        return _module(f"{parent}.{_escape(file.stem)}", file)


def _root_name(root: Path) -> str:
    # Two roots of one name in a process stay apart by their place.
    return f"nextapi_root_{_escape(root.name)}_{blake2b(bytes(root), digest_size=4).hexdigest()}"


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
            spec = spec_from_file_location(name, init, submodule_search_locations=[str(folder)])
            assert spec is not None, "a .py file always has a loader"
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
    spec = spec_from_file_location(name, file, loader=SourceFileLoader(name, str(file)))
    assert spec is not None, "a spec with a loader is never None"
    return _execute(spec)


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
    parent, _, tail = spec.name.rpartition(".")
    # A package has its modules as attributes; a route file that is one only by the folder beside it has its own names.
    if parent and getattr(sys.modules[parent].__spec__, "submodule_search_locations", None) is not None:
        setattr(sys.modules[parent], tail, module)
    return module


def _say(error: BaseException) -> str:
    """Return what an error says; of a module that is not in the root, where it was looked for."""
    name = getattr(error, "name", None)
    if not isinstance(error, ModuleNotFoundError) or not name or not name.startswith("nextapi_root_"):
        return str(error)
    root, _, missing = name.partition(".")
    folder = Path(sys.modules[root].__path__[0], *missing.split("."))
    return f"there is no {folder}.py and no folder {folder}: a relative import has a dot for each folder up to the root"
