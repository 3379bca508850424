"""`flask nextapi`: the command line on the trees that are mounted in an app.

It is an entry point of the distribution, so that it is there also for an app that a faulty tree keeps from loading.
"""

from __future__ import annotations

import sys

import click
from flask.cli import NoAppException, ScriptInfo

from nextapi.adapters.flask.mount import is_inspected, mounted_trees
from nextapi.commands.mounts import MountedTree
from nextapi.commands.parser import run
from nextapi.errors import CommandError

__all__ = ["command"]


@click.command(
    "nextapi",
    short_help="Routes of nextapi: list, explain, check.",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True},
)
@click.argument("argv", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def command(context: click.Context, argv: tuple[str, ...]) -> None:
    """Hand the arguments on: `nextapi` has a parser of its own."""

    def trees() -> list[MountedTree]:
        token = is_inspected.set(True)
        try:
            app = context.ensure_object(ScriptInfo).load_app()
        except NoAppException as error:
            raise CommandError(error.format_message()) from None
        finally:
            is_inspected.reset(token)
        if found := mounted_trees(app):
            return found
        raise CommandError(f"no tree is mounted in {app.name}: app.register_blueprint(create_blueprint('web'))")

    sys.exit(run(argv, "flask nextapi", trees, "flask"))
