"""The app "nextapi.adapters.django", for INSTALLED_APPS: the command `manage.py nextapi`, and Django's system checks.

Without it the trees of a project are served all the same.
"""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.utils.autoreload import BaseReloader, autoreload_started

from nextapi.adapters.django.mount import mounted_trees
from nextapi.commands.check import find_issues

__all__ = ["NextApiConfig"]


class NextApiConfig(AppConfig):
    """The app; it has no models."""

    name = "nextapi.adapters.django"
    label = "nextapi"
    verbose_name = "nextapi"

    def ready(self) -> None:
        """Register the checks, and have the development server restart once a fault is mended."""
        checks.register(_check_trees, "nextapi")
        autoreload_started.connect(_watch_trees, dispatch_uid="nextapi")


def _check_trees(**_: Any) -> list[checks.CheckMessage]:
    return [
        (checks.Error if issue.is_fault else checks.Warning)(
            issue.message, hint=issue.hint, obj=issue.place, id=f"nextapi.{issue.id}"
        )
        for tree in mounted_trees()
        for issue in find_issues(tree)
    ]


def _watch_trees(sender: BaseReloader, **_: Any) -> None:
    for tree in mounted_trees():
        sender.watch_dir(tree.root, "**/*.py")
