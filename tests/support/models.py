"""A model for tests of Django; to be imported when Django has its settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models

__all__ = ["Row", "atomic_rows"]


class Row(models.Model):
    """A row with a name."""

    name = models.CharField(max_length=9)

    class Meta:
        app_label = "tests"


@contextmanager
def atomic_rows() -> Iterator[None]:
    """Have a table of rows, and ATOMIC_REQUESTS, in the database in memory."""
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    with connection.schema_editor() as editor:
        editor.create_model(Row)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Row)
        connection.settings_dict["ATOMIC_REQUESTS"] = False
