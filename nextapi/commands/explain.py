"""`nextapi explain`: which file answers a request, what stands before it, and why the other files do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import TextIO

from nextapi.app import Application, Match, Route, decode_params
from nextapi.checks import config_lines, name_lines, parse
from nextapi.commands.colours import BOLD, GREEN, RED, paint
from nextapi.commands.matchers import Condition, read_rules
from nextapi.commands.mounts import MountedTree, shown
from nextapi.errors import HTTPError
from nextapi.handlers.config import PageOptions
from nextapi.handlers.cors import by_policy
from nextapi.handlers.route import METHODS
from nextapi.handlers.segment import SegmentConfig
from nextapi.http.message import Request
from nextapi.http.sizes import format_size
from nextapi.options import Options
from nextapi.routing.paths import CanonicalPath
from nextapi.routing.segments import Kind, Segment
from nextapi.web.cors import Cors

__all__ = ["print_explanation"]

_MOST = 5
"""How many of the files that nearly match are named."""

_RANKS = {kind: rank for rank, kind in enumerate(Kind)}


def print_explanation(trees: Sequence[MountedTree], method: str, target: str, out: TextIO) -> int:
    """Write what becomes of a request; return 1 if no tree has a file for it, or it is refused before the file.

    Raises `TreeError` for a faulty tree.
    """
    path, _, query = target.partition("?")
    out.write(paint(out, BOLD, f"{method} {target}") + "\n")
    is_answered = False
    for tree in trees:
        if len(trees) > 1:
            out.write(f"\n{shown(tree.root)}, mounted at {tree.prefix or '/'}\n")
        below = tree.below(path)
        if below is None:
            _write(out, "path", f"is not below {tree.prefix}, where {shown(tree.root)} is mounted")
        else:
            is_answered |= _explain(tree, Request(method, below, query, {}, None, None, path.removesuffix(below)), out)
    return 0 if is_answered else 1


def _explain(tree: MountedTree, request: Request, out: TextIO) -> bool:
    """Write what becomes of a request in one tree; say whether a file answers, or something of the host's does."""
    application = tree.build()
    match = application.match(request.path)
    if hosts := tree.hosts_answer(request.method, request.prefix + request.path):
        _write(out, "host", f"{hosts} answers, before nextapi")
        return True
    is_answered = match.route is not None
    try:
        _write_path(application, request, match, out)
        _write_middleware(tree, application, request, match, out)
        if match.route is None:
            _write(out, "file", paint(out, RED, "none: 404"))
        else:
            params = decode_params(match.route, match.captured)
            _write(out, "file", paint(out, GREEN, shown(match.route.file)))
            _write(out, "pattern", match.route.pattern)
            for name, value in params.items():
                _write(out, "parameter", f"{name} = {value!r}")
            for label, text in _before(match.route, tree.options):
                _write(out, label, text)
            is_answered = _write_method(match.route, request.method, out)
    except HTTPError as error:
        _write(out, "answer", paint(out, RED, f"{error.status}: {error.message}"))
        return False
    _write_others(application, match, out)
    return is_answered


def _write(out: TextIO, label: str, text: str) -> None:
    out.write(f"  {label:<11}{text}\n")


def _write_path(application: Application, request: Request, match: Match, out: TextIO) -> None:
    canonical = match.path
    if canonical.path == request.path:
        return
    reason = " and ".join(_reasons(canonical))
    if target := application.redirect_target(request, canonical):
        _write(out, "path", f"308 to {request.prefix}{target}: the path has {reason}; what follows is of that path")
    else:
        _write(out, "path", f"taken as {canonical.path}: the path has {reason}")


def _reasons(canonical: CanonicalPath) -> Iterator[str]:
    if canonical.collapsed is not None:
        yield "doubled or back slashes"
    if canonical.had_dots:
        yield "dot segments"
    if canonical.had_end_slash:
        yield "a slash at its end"


# What stands before the handler


def _write_middleware(tree: MountedTree, application: Application, request: Request, match: Match, out: TextIO) -> None:
    """Write whether the root's middleware runs, and by which rule of its matcher."""
    if application.middleware is None:
        return
    file = application.middleware.file
    rules = read_rules(tree.root, file)
    if rules is None:
        _write(out, "middleware", f"{shown(file)}, which has no matcher: it is for every path")
        return
    matching = [rule for rule in rules if rule.matches(request, match.path.path)]
    # Where one rule has no conditions, those of the others decide nothing.
    for rule in [rule for rule in matching if not rule.has and not rule.missing][:1] or matching:
        asks = [*(f"has {_condition(item)}" for item in rule.has)]
        asks += [f"does not have {_condition(item)}" for item in rule.missing]
        also = f", if the request {' and '.join(asks)}" if asks else ""
        _write(out, "middleware", f"{shown(file)}: the matcher's {rule.source!r} has this path{also}")
    if not matching:
        sources = ", ".join(repr(rule.source) for rule in rules) or "no path"
        _write(out, "middleware", f"{shown(file)} does not run: its matcher has {sources}")


def _condition(condition: Condition) -> str:
    name = " ".join(condition[key] for key in ("type", "key") if condition.get(key))
    return f"{name} = {condition['value']!r}" if condition.get("value") else name


def _before(route: Route, options: Options) -> Iterator[tuple[str, str]]:
    """Yield what a request has to pass behind the routing, in order, each with the place that says so."""
    own = route.endpoint.options
    settings = _Settings(route)
    place = settings.guard_place
    if own.same_origin:
        trusted = "".join(f", {origin}" for origin in sorted(options.trusted_origins))
        also = f"; trusted_origins{trusted.replace(',', ':', 1)}" if trusted else ""
        yield "guard", f"a POST that a form of another site can send is a 403 ({place}{also})"
    else:
        yield "guard", f"off ({place})"
    for policy, methods in by_policy(route.policies):
        yield "cors", f"{', '.join(methods)}: {_allowed(policy)}"
    for file in route.middleware:
        yield "middleware", f"{shown(file)}, around what follows"
    if isinstance(own, SegmentConfig):
        yield from _segment_settings(own, settings, options)
    else:
        yield from _config_settings(own, settings, options)


def _allowed(policy: Cors) -> str:
    """Return whose scripts a policy lets read the answers."""
    said = policy.describe()
    origins, patterns = said["origins"], said["patterns"]
    if isinstance(origins, list) and isinstance(patterns, list):
        who = ", ".join([*origins, *(f"what matches {pattern!r}" for pattern in patterns)]) or "no origin"
    else:
        who = "the origins that its function allows"
    return f"{who}, with credentials" if said["credentials"] else who


def _config_settings(own: PageOptions, config: _Settings, options: Options) -> Iterator[tuple[str, str]]:
    if own.runtime != _DEFAULT.runtime:
        yield "runtime", f"{own.runtime} ({config.place('runtime', is_set=True)})"
    if own.regions:
        yield "regions", f"{', '.join(own.regions)} ({config.place('regions', is_set=True)})"
    if own.max_duration is not None:
        yield "duration", f"{own.max_duration} s ({config.place('maxDuration', is_set=True)})"
    size = format_size(options.max_body_size.size)
    if own.is_edge:
        yield "body", f"not parsed; request.json() and its like read up to {size} (option max_body_size)"
        return
    if own.body_limit is None:
        place = config.place("api", "bodyParser", is_set=True)
        yield "body", f"not parsed ({place}); req.raw_body reads up to {size} (option max_body_size)"
    else:
        place = config.place("api", "bodyParser", "sizeLimit", is_set=own.body_limit != _DEFAULT.body_limit)
        yield "body", f"parsed, up to {format_size(own.body_limit.size)} ({place})"
    place = config.place("api", "responseLimit", is_set=own.response_limit != _DEFAULT.response_limit)
    if own.response_limit is None:
        yield "response", f"of any size ({place})"
    else:
        yield "response", f"warned of from {format_size(own.response_limit)} on ({place})"


_DEFAULT = PageOptions()


def _segment_settings(own: SegmentConfig, module: _Settings, options: Options) -> Iterator[tuple[str, str]]:
    for label, name, text in (
        ("runtime", "runtime", own.runtime),
        ("regions", "preferred_region", ", ".join(own.regions)),
        ("duration", "max_duration", f"{own.max_duration} s"),
        ("dynamic", "dynamic", own.dynamic),
        ("revalidate", "revalidate", f"{own.revalidate} s" if own.revalidate else str(own.revalidate)),
    ):
        if place := module.name_place(name):
            yield label, f"{text} ({place})"
    limit = own.body_limit or options.max_body_size
    place = module.name_place("max_body_size") or "option max_body_size"
    yield "body", f"not parsed; request.json() and its like read up to {format_size(limit.size)} ({place})"


class _Settings:
    """The places of the settings of a route's file, the keys of its `config` or names of its module."""

    def __init__(self, route: Route) -> None:
        self._file = shown(route.file)
        module = parse(route.file.read_bytes())
        self._lines = config_lines(module) if module else {}
        self._names = name_lines(module) if module else {}
        own = route.endpoint.options
        if isinstance(own, SegmentConfig):
            self.guard_place = self.name_place("same_origin") or "default"
        else:
            self.guard_place = self.place("api", "sameOrigin", is_set=not own.same_origin)

    def place(self, *keys: str, is_set: bool) -> str:
        """Return the file and line of a key; where it is not written out there, what is known of it."""
        if line := self._lines.get(keys):
            return "config" + "".join(f"['{key}']" for key in keys) + f" in {self._file}:{line}"
        if is_set and keys == ("runtime",) and (place := self.name_place("runtime")):
            return place
        return f"config in {self._file}" if is_set else "default"

    def name_place(self, name: str) -> str:
        """Return the file and line where the module binds a name, "" where it does not."""
        return f"{name} in {self._file}:{self._names[name]}" if name in self._names else ""


def _write_method(route: Route, method: str, out: TextIO) -> bool:
    """Write which function of a route handler the method is for; say whether there is one."""
    methods = route.endpoint.methods
    if methods is None:
        return True
    allow = f"Allow: {', '.join(methods)}"
    settings, of_file = _Settings(route), f"{{}} in {shown(route.file)}"
    if place := settings.name_place(method):
        _write(out, "handler", place)
    elif method == "HEAD" and method in methods:
        _write(out, "handler", f"{settings.name_place('GET') or of_file.format('GET')}, whose body is not sent")
    elif method == "OPTIONS":
        _write(out, "answer", f"204 with {allow}: there is no OPTIONS in the file")
    elif method in methods:
        _write(out, "handler", of_file.format(method))
    else:
        status = "405" if method in METHODS else "400"
        _write(out, "answer", paint(out, RED, f"{status}: there is no {method} in the file; {allow}"))
        return False
    return True


# The other files


def _write_others(application: Application, match: Match, out: TextIO) -> None:
    parts = match.path.path.split("/")[1:]
    misses = {route: list(_misses(route.segments, parts)) for route in application.routes if route is not match.route}
    near = [route for route, reasons in misses.items() if len(reasons) == 1]
    if match.route is None:
        near = near or [route for route in misses if _likeness(route, match) > 0.6]
    else:
        near = [route for route in near if len(route.segments) == len(parts) and _rank(route) < _rank(match.route)]
    near.sort(key=lambda route: -_likeness(route, match))
    named = sorted(near[:_MOST], key=_rank)
    for route in named:
        _write(out, "not", f"{shown(route.file)}: {'; '.join(misses[route])}")
    if len(near) > len(named):
        _write(out, "", f"and {len(near) - len(named)} more that nearly match")
    for route in sorted((route for route, reasons in misses.items() if not reasons), key=_rank):
        assert match.route is not None, "a pattern that matches has made a match"
        _write(out, "not", f"{shown(route.file)}: {_beaten(match.route.segments, route.segments)}")


def _likeness(route: Route, match: Match) -> float:
    return SequenceMatcher(None, route.pattern, match.path.path).ratio()


def _rank(route: Route) -> list[int]:
    """Return what orders patterns as the matcher tries them, segment by segment."""
    return [_RANKS[segment.kind] for segment in route.segments]


def _misses(segments: tuple[Segment, ...], parts: list[str]) -> Iterator[str]:
    """Yield each reason why a pattern does not match a path."""
    for index, segment in enumerate(segments):
        if segment.kind is Kind.OPTIONAL_CATCH_ALL or (segment.is_catch_all and index < len(parts)):
            return
        if index >= len(parts):
            yield f"the path has nothing for '{segment}'"
        elif segment.kind is Kind.STATIC and segment.name != parts[index]:
            yield f"'{segment.name}' is not '{parts[index]}'"
    if len(parts) > len(segments):
        yield f"the path goes on with '{parts[len(segments)]}'"


def _beaten(winner: tuple[Segment, ...], other: tuple[Segment, ...]) -> str:
    for one, two in zip(winner, other, strict=False):
        if one != two:
            return f"comes after '{one}': a {one.kind.value} segment beats a {two.kind.value} one"
    return f"comes after {winner[-1]}: a pattern that ends there beats '{other[-1]}'"
