"""The command `nextapi`, which is also `python -m nextapi`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from nextapi.adapters.dev import serve
from nextapi.adapters.page_cache import PageCache, find_page_cache
from nextapi.adapters.wsgi import WSGIHost
from nextapi.commands.mounts import MountedTree
from nextapi.commands.parser import Commands, add_command, run
from nextapi.commands.revalidate import import_app
from nextapi.errors import CommandError
from nextapi.options import Options

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says, `argv` without the program's name, and return the exit code."""
    if "" not in sys.path:
        sys.path.insert(0, "")  # as `python -m` does: route files may import what is beside the root
    try:
        return run(sys.argv[1:] if argv is None else argv, "nextapi", _page_cache, mount=_mount, add_more=_add_dev)
    except BrokenPipeError:  # whoever reads, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _page_cache(name: str) -> PageCache:
    if cache := find_page_cache(import_app(name)):
        return cache
    raise CommandError(
        f"--app {name}: no PageCache can be seen in it: application = PageCache(application) puts one before an app, "
        "app.wsgi_app = PageCache(app.wsgi_app) before Flask's"
    )


def _mount(root: Path, options: Options) -> MountedTree:
    return MountedTree(root, options, WSGIHost(options))


def _add_dev(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands,
        "dev",
        "serve a tree for development",
        lambda given: serve(given.root, given.host, given.port, given.debug, sys.stdout),
    )
    parser.add_argument("root", metavar="ROOT", type=Path, nargs="?", default=Path("web"), help="web unless said")
    parser.add_argument("--host", default="127.0.0.1", help="127.0.0.1 unless said")
    parser.add_argument("--port", type=int, default=8000, help="8000 unless said; 0 is any that is free")
    parser.add_argument(
        "--debug",
        action=argparse.BooleanOptionalAction,
        help="reload edited files and show tracebacks in the browser; on loopback addresses alone unless said",
    )


if __name__ == "__main__":
    sys.exit(main())
