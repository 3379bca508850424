"""`manage.py nextapi`: the command line on a project: the trees that it mounts, and its kept pages."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandParser
from django.core.servers.basehttp import get_internal_wsgi_application

from nextapi.adapters.django.mount import mounted_trees
from nextapi.adapters.page_cache import PageCache, find_page_cache
from nextapi.commands.mounts import MountedTree
from nextapi.commands.parser import run
from nextapi.errors import CommandError

__all__ = ["Command"]


class Command(BaseCommand):
    """The command; nextapi's own parser takes its arguments."""

    help = "Routes and kept pages of nextapi. `manage.py nextapi -- --help` says more."
    requires_system_checks = ()  # they would end it where a tree has faults

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND ...")

    def handle(self, *_: Any, argv: list[str], **__: Any) -> None:
        sys.exit(run(argv[argv[:1] == ["--"] :], "manage.py nextapi", _page_cache, _trees, "django"))


def _page_cache(_: str) -> PageCache:
    """Return the one before the project's WSGI_APPLICATION, which is what servers run."""
    try:
        application = get_internal_wsgi_application()
    except ImproperlyConfigured as error:
        raise CommandError(f"{error} {error.__cause__ or ''}".rstrip()) from error
    if cache := find_page_cache(application):
        return cache
    name = settings.WSGI_APPLICATION
    where = f"{name}, which WSGI_APPLICATION names" if name else "this project, whose settings have no WSGI_APPLICATION"
    raise CommandError(f"no page cache is in {where}: application = PageCache(get_wsgi_application())")


def _trees() -> list[MountedTree]:
    if found := mounted_trees():
        return found
    raise CommandError('no tree is mounted in this project: path("", include("nextapi.adapters.django.urls"))')
