"""The command line, one for all that it is called by: `nextapi`, `flask nextapi` and `manage.py nextapi`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from nextapi.cache.serving import CachingApp
from nextapi.commands.check import exit_code, faults_of, print_issues, write_issues
from nextapi.commands.colours import RED, paint
from nextapi.commands.explain import print_explanation
from nextapi.commands.init import DIALECTS, KINDS, init
from nextapi.commands.mounts import MountedTree
from nextapi.commands.revalidate import expire, revalidate
from nextapi.commands.routes import print_routes
from nextapi.errors import CommandError, ExtraError, OptionError, StoreError, TreeError
from nextapi.options import Options, read_options

__all__ = ["Commands", "add_command", "run"]

EPILOG = "Exit codes: 0 fine; 1 faults or findings, no route answers, or a page is not made; 2 wrong use."

Commands = argparse._SubParsersAction  # what `add_subparsers` returns has no public name


def run(
    argv: Sequence[str],
    prog: str,
    page_cache: Callable[[str], CachingApp],
    mounted: Callable[[], Sequence[MountedTree]] | None = None,
    kind: str = "wsgi",
    mount: Callable[[Path, Options], MountedTree] | None = None,
    add_more: Callable[[Commands[argparse.ArgumentParser]], None] | None = None,
) -> int:
    """Do what `argv` says and return the exit code; what is wrong with `argv` itself ends by `SystemExit`, as --help.

    `page_cache(name)` is the one before the app that is named so, or, where a host has trees, before the host's app.
    `mounted()` are the trees that a host has mounted; without it each command is told a root, and `mount` makes it a
    tree. `kind` is the host that `init` writes for unless said. `add_more` adds further commands.
    """
    parser = argparse.ArgumentParser(prog, description="The API layer of Next.js, in Python.", epilog=EPILOG)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_tree_commands(commands, mounted, mount)
    _add_revalidate(commands, page_cache, has_app=mounted is not None)
    _add_init(commands, kind)
    if add_more:
        add_more(commands)
    given, rest = parser.parse_known_args(argv)
    if rest:
        # `dev` takes the root by its place, and so it is tried with the others.
        is_root = "page_extensions" in given and not rest[0].startswith("-")
        hint = f"; the root is given as --root {rest[0]}" if is_root else ""
        parser.error(f"unrecognized arguments: {' '.join(rest)}{hint}")
    try:
        code: int = given.run(given)
    except TreeError as error:
        write_issues(issues := faults_of(error), sys.stderr)
        return exit_code(issues)
    except (CommandError, ExtraError, OptionError, StoreError) as error:
        sys.stderr.write(f"{prog}: {paint(sys.stderr, RED, 'error')}: {error}\n")
        return 1 if isinstance(error, StoreError) else 2
    return code


def add_command(
    commands: Commands[argparse.ArgumentParser], name: str, about: str, command: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    """Add a command, and return its parser for arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=about, description=about[0].upper() + about[1:] + ".", epilog=EPILOG
    )
    parser.set_defaults(run=command)
    return parser


def _add_tree_commands(
    commands: Commands[argparse.ArgumentParser],
    mounted: Callable[[], Sequence[MountedTree]] | None,
    mount: Callable[[Path, Options], MountedTree] | None,
) -> None:
    def trees(given: argparse.Namespace) -> Sequence[MountedTree]:
        if mounted is not None:
            return mounted()
        assert mount is not None, "a host has its trees, and all else can mount one"
        return [mount(given.root.absolute(), read_options({"page_extensions": given.page_extensions.split(",")}))]

    routes = add_command(
        commands,
        "routes",
        "list the routes",
        lambda given: print_routes(trees(given), sys.stdout, given.json, given.ignored),
    )
    routes.add_argument("--json", action="store_true", help="as a JSON document, the route manifest")
    routes.add_argument("--ignored", action="store_true", help="also what below pages/ and app/ is no route, and why")
    explain = add_command(
        commands,
        "explain",
        "say which file answers a request, and why the others do not",
        lambda given: print_explanation(trees(given), given.method, given.path, sys.stdout),
    )
    explain.add_argument("method", metavar="METHOD", type=str.upper)
    explain.add_argument("path", metavar="PATH", type=_path, help="as a client sends it, such as /api/post/abc")
    check = add_command(
        commands,
        "check",
        "look for faults, and for mistakes in handlers",
        lambda given: print_issues(trees(given), sys.stdout),
    )
    for parser in (routes, explain, check) if mounted is None else ():
        parser.add_argument(
            "--root", type=Path, default=Path("web"), help="the folder above pages/ and app/; web unless said"
        )
        parser.add_argument("--page-extensions", default="py", metavar="PY,...", help="what route files end in")


def _add_revalidate(
    commands: Commands[argparse.ArgumentParser], page_cache: Callable[[str], CachingApp], has_app: bool
) -> None:
    def run(given: argparse.Namespace) -> int:
        if not given.path and not given.tag:
            raise CommandError("nothing is to be made anew: name a path, or a tag by --tag")
        if not has_app and given.app is None:
            return expire(given.store, given.path, given.tag, sys.stdout, sys.stderr)
        return revalidate(page_cache("" if has_app else given.app), given.path, given.tag, sys.stdout, sys.stderr)

    about = "have the page cache's pages made anew" + ("" if has_app else ": by --app now, else by the next request")
    parser = add_command(commands, "revalidate", about, run)
    path = "as a client sends it, such as /blog/post-1, or the page's whole URL" + ("" if has_app else ", with --app")
    parser.add_argument("path", metavar="PATH", type=_page, nargs="*", help=path)
    parser.add_argument(
        "--tag", metavar="TAG", type=_tag, action="append", default=[], help="expire all pages with this Cache-Tag"
    )
    if not has_app:
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--store", help="path of a SQLite file, or URL of Redis; .nextapi/pages.sqlite3 here unless said"
        )
        which.add_argument("--app", metavar="MODULE:APP", help="make the pages now, by this app, which has a PageCache")


def _add_init(commands: Commands[argparse.ArgumentParser], kind: str) -> None:
    parser = add_command(
        commands,
        "init",
        "write a first tree, and an app that serves it where none is there",
        lambda given: init(given.kind, given.folder, sys.stdout, given.dialect),
    )
    parser.add_argument("kind", choices=KINDS, nargs="?", default=kind, help=f"{kind} unless said")
    parser.add_argument("folder", metavar="FOLDER", type=Path, nargs="?", default=Path(), help="this one unless said")
    parser.add_argument(
        "--dialect",
        choices=DIALECTS,
        default="pages",
        help="handler(req, res) below pages/api, or route handlers in app",
    )


def _path(text: str) -> str:
    if not text.startswith("/"):
        raise argparse.ArgumentTypeError(f"{text!r} is no path: write it from its first slash on, as /api/post/abc")
    return text


def _page(text: str) -> str:
    if not text.startswith(("/", "http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text!r} is no path: write it from its first slash on, as /blog/post-1")
    return text


def _tag(text: str) -> str:
    if not text.strip() or "," in text:
        raise argparse.ArgumentTypeError(f"{text!r} is no tag: write one --tag for each, as Cache-Tag names it")
    return text.strip()
