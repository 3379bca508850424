"""A tree as a host has mounted it, which is what every command about routes takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nextapi.app import Application, Host
from nextapi.building import build
from nextapi.options import Options

__all__ = ["MountedTree", "shown"]


@dataclass(frozen=True, slots=True)
class MountedTree:
    """A root, and how it is mounted.

    `prefix` stands before its paths, "/v2", a parameter of the host's as "<lang>"; `namespace` before its names.
    `hosts_answer(method, path)` says in words what of the host's takes a request before the tree, None where nothing
    does.
    """

    root: Path
    options: Options
    host: Host
    prefix: str = ""
    namespace: str = ""
    hosts_answer: Callable[[str, str], str | None] = lambda *_: None

    def build(self) -> Application:
        """Return the application of the tree; raise `TreeError` with all its faults."""
        return build(self.root, self.options, self.host)

    def below(self, path: str) -> str | None:
        """Return the part of a path that is below the prefix; None where the path is not below it."""
        prefix = "[^/]+".join(map(re.escape, re.split(r"<[^<>]*>", self.prefix)))
        match = re.match(f"{prefix}(?=/|$)", path)
        return path[match.end() :] if match else None


def shown(path: Path) -> str:
    """Return a path as a person would write it: from the working directory, if it is below that."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
