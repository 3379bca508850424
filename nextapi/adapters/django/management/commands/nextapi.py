"""`manage.py nextapi`: the command line on the trees that are mounted in a project."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from nextapi.adapters.django.mount import mounted_trees
from nextapi.commands.mounts import MountedTree
from nextapi.commands.parser import run
from nextapi.errors import CommandError

__all__ = ["Command"]


class Command(BaseCommand):
    """The command; nextapi's own parser takes its arguments."""

    help = "Routes of nextapi: list, explain, check. `manage.py nextapi -- --help` says more."
    requires_system_checks = ()  # they would end it where a tree has faults

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND ...")

    def handle(self, *_: Any, argv: list[str], **__: Any) -> None:
        sys.exit(run(argv[argv[:1] == ["--"] :], "manage.py nextapi", _trees, "django"))


def _trees() -> list[MountedTree]:
    if found := mounted_trees():
        return found
    raise CommandError('no tree is mounted in this project: path("", include("nextapi.adapters.django.urls"))')
