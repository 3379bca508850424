"""A root's application, and in debug the newest one that its files make.

When a file below the root is new, edited or gone, the modules that it concerns are loaded anew and the application is
replaced as a whole; all others keep their state. While the files are faulty, the last good application goes on.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from nextapi.app import Application, Host
from nextapi.building import build
from nextapi.errors import TreeError
from nextapi.loading import Stamp, drop_stale, follow_imports, load_again, put_back, stamp
from nextapi.options import Options

__all__ = ["LiveTree"]

_logger = logging.getLogger("nextapi")

_NO_SOURCES = frozenset({"__pycache__", "node_modules"})


class LiveTree:
    """The application that `build`, or `make` in its place, makes of the absolute path `root`.

    Raises `TreeError` with all faults of its files when it is made.
    """

    def __init__(
        self,
        root: Path,
        options: Options,
        host: Host,
        make: Callable[[Path, Options, Host], Application] = build,
    ) -> None:
        self.root = root
        self.options = options
        self.host = host
        self._make = make
        self._lock = threading.Lock()
        self._seen = {}
        if options.debug:
            follow_imports()
            self._seen = _stamps_below(root)
        self.application: Application = make(root, options, host)

    def refresh(self) -> bool:
        """Replace the application if its files have changed, which is asked in debug; return whether it was."""
        if not self.options.debug:
            return False
        with self._lock:
            now = _stamps_below(self.root)
            if now == self._seen:
                return False
            self._seen = now
            dropped = drop_stale(self.root)
            try:
                application = self._make(self.root, self.options, self.host)
                # Also what only a request imports: a fault in it is to be found now.
                load_again(self.root, dropped)
            except Exception as error:
                put_back(dropped)
                found = error.exceptions if isinstance(error, TreeError) else [error]
                faults = "".join(f"\n  {fault}" for fault in found)
                _logger.error("The files below %s are as they were until this is mended:%s", self.root, faults)
                return False
            self.application = application
            _logger.info("reloaded %s", self.root)
            return True


def _stamps_below(root: Path) -> dict[str, Stamp | None]:
    return {str(file): stamp(file) for file in _python_files(root)}


def _python_files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _NO_SOURCES]
        yield from (Path(folder, name) for name in files if name.endswith(".py"))
