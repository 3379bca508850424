"""A root becomes an application: its files are scanned, loaded and checked, and all that is wrong is told at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from nextapi.app import Application, Host, Route
from nextapi.errors import BuildError, ConfigError, ConflictError, RootError, TreeError
from nextapi.handlers.cors import Policies, find_policies, with_policies
from nextapi.handlers.endpoints import Endpoint, page_endpoint, route_endpoint
from nextapi.loading import load_module
from nextapi.middleware.folders import Answer, FolderMiddleware, folder_middleware
from nextapi.middleware.root import RootMiddleware, root_middleware
from nextapi.options import Options
from nextapi.routing.conflicts import find_conflicts
from nextapi.routing.paths import quote_path
from nextapi.routing.scan import IgnoredFile, RouteFile, scan_root
from nextapi.routing.segments import Kind, pattern_text, route_name
from nextapi.web.request import Site

__all__ = ["MIDDLEWARE_FILES", "build", "build_middleware", "site_of"]

T = TypeVar("T")

MIDDLEWARE_FILES = ("middleware.py", "proxy.py")
"""What Next calls the file before all routes, until 15 and from 16 on."""

_logger = logging.getLogger("nextapi")


def build(root: Path, options: Options, host: Host) -> Application:
    """Return the application for the absolute path `root`; raise `TreeError` with all faults of its files."""
    if fault := _root_fault(root, options.page_extensions):
        _Faults([RootError(f"{root}: {fault}", root)]).tell(root)
    scan = scan_root(root, options.page_extensions)
    faults = _Faults([*scan.faults, *find_conflicts([(route.pattern, route.file) for route in scan.routes])])
    builder = _Builder(root, options, host, faults)
    routes = [route for route_file in scan.routes if (route := builder.route(route_file)) is not None]
    middleware = builder.middleware()
    builder.find_misplaced(scan.ignored)
    faults.tell(root)
    return Application(routes, options, host, middleware)


def build_middleware(root: Path, options: Options, host: Host) -> Application:
    """Return an application without routes, and with the middleware of the absolute path `root`, which alone is loaded.

    Raises `TreeError` with all faults of that; it is one that there is none.
    """
    faults = _Faults([])
    middleware = _Builder(root, options, host, faults).middleware()
    if middleware is None and not faults.found:
        what = f"no {' or '.join(MIDDLEWARE_FILES)} in it" if root.is_dir() else "no such folder"
        say = "give the one that holds the middleware for the whole application"
        faults.found.append(RootError(f"{root}: there is {what}: {say}", root))
    faults.tell(root)
    return Application([], options, host, middleware)


def site_of(options: Options, host: Host) -> Site:
    """Return what the requests of a mount have in common, whatever their endpoint."""
    return Site(host.origin, options.max_body_size, options.geo_headers)


def _root_fault(root: Path, extensions: tuple[str, ...]) -> str | None:
    if not root.is_dir():
        return "there is no such folder: give the one above pages/ and app/"
    for folder in (root, root.parent):
        if folder.name == "pages" and (folder / "api").is_dir() and root in (folder, folder / "api"):
            return f"give the folder above pages/, {folder.parent}"
    if _holds_routes(root, extensions):
        return None
    if _holds_routes(root / "src", extensions):
        return f"give the folder with app/ or pages/ in it, {root / 'src'}"
    for folder in (root, root.parent):
        if folder.name == "app" and next(root.rglob("route.py"), None):
            return f"give the folder above app/, {folder.parent}"
    return f"there is no folder app or pages/api in it: put route files in {root / 'app'} or {root / 'pages/api'}"


def _holds_routes(root: Path, extensions: tuple[str, ...]) -> bool:
    pages = root / "pages"
    found = (root / "app", pages / "api")
    return any(map(Path.is_dir, found)) or any((pages / f"api.{end}").is_file() for end in extensions)


class _Faults:
    """The faults found so far; a file that fails to load fails for every file in the folder of its name."""

    def __init__(self, found: list[BuildError]) -> None:
        self.found = found

    def caught(self, make: Callable[[], T]) -> T | None:
        """Return what `make` does; None where it raises faults, which are noted."""
        try:
            return make()
        except BuildError as fault:
            self._add([fault])
        except TreeError as error:
            self._add(error.exceptions)
        return None

    def tell(self, root: Path) -> None:
        """Raise `TreeError` if there are any."""
        if self.found:
            count = f"{len(self.found)} faults" if len(self.found) > 1 else "1 fault"
            raise TreeError(f"{count} in {root}, first: {self.found[0]}", self.found)

    def _add(self, faults: Iterable[Exception]) -> None:
        known = set(map(str, self.found))
        self.found.extend(fault for fault in faults if isinstance(fault, BuildError) and str(fault) not in known)


class _Builder:
    def __init__(self, root: Path, options: Options, host: Host, faults: _Faults) -> None:
        self._root = root
        self._site = site_of(options, host)
        self._host = host
        self._faults = faults
        self._folders: dict[Path, FolderMiddleware | None] = {}

    def route(self, route_file: RouteFile) -> Route | None:
        """Return the route that a file is, None where something is wrong with it."""
        segments, file, is_app = route_file
        pattern = pattern_text(segments)
        if any(quote_path(segment.name) != segment.name for segment in segments if segment.kind is Kind.STATIC):
            _logger.warning("%s can never be asked for: its name is compared as a client sends it, escaped", file)
        beside = file.with_suffix("") / "_middleware.py"
        if not is_app and beside.is_file():
            inside = beside.with_name(f"index{file.suffix}")
            _logger.warning(
                "%s is not below %s, which stands beside it: to have it below, name it %s", file, beside, inside
            )
        param_names = tuple(segment.name for segment in segments if segment.kind is not Kind.STATIC)

        folders = [found for folder in self._folders_of(file, is_app) if (found := self._folder(folder)) is not None]
        inherited = next((folder.policy for folder in reversed(folders) if folder.policy is not None), None)

        def make() -> tuple[Endpoint, Policies]:
            module = load_module(self._root, file)
            policies = find_policies(module, is_app, inherited)
            if is_app:
                return route_endpoint(module, file, self._site, self._host), policies
            return page_endpoint(module, file, pattern, param_names, self._site, self._host), policies

        made = self._faults.caught(make)
        if made is None:
            return None
        endpoint, policies = made
        answer: Answer = endpoint.answer
        for folder in reversed(folders):
            answer = folder.around(answer)
        if policies:
            answer = with_policies(answer, policies, self._host)
        files = tuple(folder.file for folder in folders)
        name, is_guarded = route_name(segments), endpoint.options.same_origin
        return Route(segments, pattern, name, param_names, file, endpoint, is_guarded, answer, files, policies)

    def _folders_of(self, file: Path, is_app: bool) -> list[Path]:
        """Return the folders whose middleware is for a file, outermost first."""
        top = self._root / "app" if is_app else self._root / "pages" / "api"
        return [folder for folder in reversed(file.parents) if folder.is_relative_to(top)]

    def _folder(self, folder: Path) -> FolderMiddleware | None:
        if folder not in self._folders:
            file = folder / "_middleware.py"
            make = lambda: folder_middleware(load_module(self._root, file), file, self._site, self._host)  # noqa: E731
            self._folders[folder] = self._faults.caught(make) if file.is_file() else None
        return self._folders[folder]

    def middleware(self) -> RootMiddleware | None:
        """Return what stands before all routes, None where nothing does."""
        files = [self._root / name for name in MIDDLEWARE_FILES if (self._root / name).is_file()]
        if len(files) > 1:
            say = "both stand before all routes: keep one of them"
            self._faults.found.append(ConflictError(f"{files[0]} and {files[1]} {say}", *files))
        made = [
            self._faults.caught(lambda: root_middleware(load_module(self._root, file), file, self._site, self._host))  # noqa: B023  # it is called here
            for file in files
        ]
        return made[0] if made else None

    def find_misplaced(self, ignored: Iterable[IgnoredFile]) -> None:
        """Note files of middleware that stand where nothing looks for them, and the faults of those without routes."""
        root = self._root
        say = "nothing looks for middleware here:"
        for file in (
            root / "_middleware.py",
            *(entry.file for entry in ignored if entry.file.name == "_middleware.py"),
        ):
            if any(file.is_relative_to(top) for top in (root / "pages" / "api", root / "app")):
                self._folder(file.parent)
            elif file.is_file():
                fault = f"{file}: {say} folder middleware is in pages/api, app or below, that of all in middleware.py"
                self._faults.found.append(ConfigError(fault, file))
        # In Next a middleware.ts beside the pages does nothing, and looks as if it guarded them. In pages/api it is a
        # route, which needs a handler.
        for file in (folder / name for folder in (root / "pages", root / "app") for name in MIDDLEWARE_FILES):
            if file.is_file():
                self._faults.found.append(ConfigError(f"{file}: {say} move it to {root / file.name}", file))
