"""`nextapi revalidate`: pages that a page cache keeps are made anew by their app, or void in their store."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Sequence
from pathlib import Path
from traceback import extract_tb
from typing import NamedTuple, TextIO

from nextapi.cache.pages import Pages
from nextapi.cache.serving import CachingApp
from nextapi.cache.sqlite import SQLiteStore
from nextapi.cache.stores import open_store
from nextapi.cache.targets import target_of
from nextapi.commands.colours import RED, YELLOW, paint
from nextapi.commands.mounts import shown
from nextapi.errors import CommandError, RevalidateError, StoreError, TreeError

__all__ = ["expire", "import_app", "revalidate"]


def revalidate(cache: CachingApp, paths: Sequence[str], tags: Sequence[str], out: TextIO, errors: TextIO) -> int:
    """Have an app make the pages of `paths`, or of whole URLs, anew, and make those with a tag void; return 1, and
    write why to `errors`, if one was not made.

    Raises `CommandError` for a store that other processes do not see, `StoreError` if a tag cannot be written.
    """
    if not cache.store.serves_processes:
        raise CommandError(
            f"the app keeps its pages in {cache.store}, which is each process's own, so that no command reaches the "
            "server's: give its PageCache a SQLiteStore, a RedisStore, or a DjangoStore with another cache than "
            "LocMemCache"
        )
    if cache.debug:
        raise CommandError("the app keeps no pages: its PageCache has debug=True")
    place = cache.store
    # First, as a page that is made now may have one of the tags.
    for tag in tags:
        cache.revalidate_tag(tag)
        out.write(f"EXPIRED tag {tag} in {place}\n")
    code = 0
    for path in paths:
        try:
            origin, path = cache.named(path)
            is_page = cache.revalidate(path, origin=origin)
        except (RevalidateError, StoreError) as error:
            reason = f": {_told(error.__cause__)}" if isinstance(error.__cause__, Exception) else ""
            errors.write(f"{paint(errors, RED, 'error')}: {error}{reason}\n")
            code = 1
        else:
            # `res.revalidate` does not mind; who has typed a path does.
            url = origin + path
            done = f"REVALIDATED {url} in {place}" if is_page else f"NO PAGE {url}: the app's answer is not kept"
            out.write(f"{done}\n")
    return code


def expire(store_name: str | None, paths: Sequence[str], tags: Sequence[str], out: TextIO, errors: TextIO) -> int:
    """Make all pages of `paths` void, of every host and query, and all that have a tag; the next request for one has it
    made. Write a warning to `errors` for a store that no server has asked for a page yet.

    `store_name` is what `open_store` takes, None for the default store. Raises `CommandError` where it is not there,
    `StoreError` where it cannot be written.
    """
    for path in paths:
        if not path.startswith("/"):
            _, _, rest = path.partition("://")
            raise CommandError(
                f"without --app the pages of all hosts are expired: write the path alone, /{rest.partition('/')[2]}"
            )
    store = SQLiteStore() if store_name is None else open_store(store_name)
    if isinstance(store, SQLiteStore) and not _is_there(store.path):
        raise CommandError(
            f"no pages are kept in {shown(store.path)}, which is not there: give the app's store by --store, the path "
            "of a SQLite file or a URL of Redis, or the app by --app"
        )
    pages = Pages(store)
    if pages.are_unused():
        errors.write(
            f"{paint(errors, YELLOW, 'warning')}: no server keeps pages in {store} yet: it has to be the store that "
            "the server's log names\n"
        )
    pages.expire([target_of(path, "").path for path in paths], tags)
    out.writelines(f"EXPIRED {what} in {store}\n" for what in (*(f"tag {tag}" for tag in tags), *paths))
    return 0


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # the store says what is wrong with it
        pass
    return True


# Applications by name


class _Name(NamedTuple):
    module: str
    attribute: str
    arguments: list[object] | None = None
    """Those of a call, which are plain values; None where nothing is called."""
    keywords: dict[str, object] = {}  # noqa: RUF012  # it is never changed


def import_app(name: str) -> object:
    """Return the application that is named as gunicorn takes it, "module:app" or "module:create_app()".

    Raises `CommandError` if there is none, `TreeError` if its tree is faulty.
    """
    found = _read(name)
    try:
        module = importlib.import_module(found.module)
    except TreeError:
        raise
    except Exception as error:
        raise CommandError(f"--app {name}: {found.module!r} cannot be imported: {_told(error)}") from error
    try:
        app: object = getattr(module, found.attribute)
    except AttributeError:
        hint = "" if ":" in name else f": name the app, as {name}:app or {name}:create_app()"
        raise CommandError(f"--app {name}: {found.module} has no {found.attribute!r}{hint}") from None
    if found.arguments is None:
        return app
    if not callable(app):
        raise CommandError(f"--app {name}: {found.attribute} cannot be called: write {found.module}:{found.attribute}")
    try:
        return app(*found.arguments, **found.keywords)
    except TreeError:
        raise
    except Exception as error:
        raise CommandError(f"--app {name}: {found.attribute} raises {_told(error)}") from error


def _read(name: str) -> _Name:
    module, _, text = name.partition(":")
    try:
        expression = ast.parse(text or "application", mode="eval").body
        if isinstance(expression, ast.Name):
            return _Name(module, expression.id)
        if isinstance(expression, ast.Call) and isinstance(expression.func, ast.Name):
            arguments = [ast.literal_eval(argument) for argument in expression.args]
            keywords = {word.arg: ast.literal_eval(word.value) for word in expression.keywords if word.arg}
            return _Name(module, expression.func.id, arguments, keywords)
    except (SyntaxError, ValueError):
        pass
    raise CommandError(f"--app {name}: write it as module:app, or module:create_app()")


def _told(error: BaseException) -> str:
    """Return what was raised, and where in the files of who reads it."""
    frames = [frame for frame in extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    theirs = [frame for frame in frames if frame.filename not in (__file__, importlib.__file__)]
    has_place = theirs and not isinstance(error, SyntaxError)  # which says it itself
    place = f" ({shown(Path(theirs[-1].filename))}, line {theirs[-1].lineno})" if has_place else ""
    return f"{type(error).__name__}: {error}{place}"
