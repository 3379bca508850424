"""`flask nextapi`: the command line on an app: the trees that it mounts, and its kept pages.

It is an entry point of the distribution, so that it is there also for an app that a faulty tree keeps from loading.
"""

from __future__ import annotations

import sys

import click
import flask
from flask.cli import NoAppException, ScriptInfo

from nextapi.adapters.flask.mount import is_inspected, mounted_trees
from nextapi.adapters.page_cache import PageCache, find_page_cache
from nextapi.commands.mounts import MountedTree
from nextapi.commands.parser import run
from nextapi.errors import CommandError

__all__ = ["command"]


@click.command(
    "nextapi",
    short_help="Routes and kept pages of nextapi.",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True},
)
@click.argument("argv", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def command(context: click.Context, argv: tuple[str, ...]) -> None:
    """Hand the arguments on: `nextapi` has a parser of its own."""

    def load_app() -> flask.Flask:
        try:
            return context.ensure_object(ScriptInfo).load_app()
        except NoAppException as error:
            raise CommandError(error.format_message()) from None

    def page_cache(_: str) -> PageCache:
        app = load_app()
        if cache := find_page_cache(app):
            return cache
        raise CommandError(f"no page cache is in {app.name}: app.wsgi_app = PageCache(app.wsgi_app)")

    def trees() -> list[MountedTree]:
        token = is_inspected.set(True)
        try:
            app = load_app()
        finally:
            is_inspected.reset(token)
        if found := mounted_trees(app):
            return found
        raise CommandError(f"no tree is mounted in {app.name}: app.register_blueprint(create_blueprint('web'))")

    sys.exit(run(argv, "flask nextapi", page_cache, trees, "flask"))
