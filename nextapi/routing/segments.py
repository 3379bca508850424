"""The segments of a URL pattern, as Next writes them in file names: `post`, `[pid]`, `[...slug]`, `[[...slug]]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

__all__ = ["Kind", "Segment", "identifier", "parse_segment", "pattern_text", "route_name"]


class Kind(Enum):
    """What a segment matches: itself, one segment, one or more, or any number of them."""

    STATIC = "static"
    DYNAMIC = "dynamic"
    CATCH_ALL = "catch-all"
    OPTIONAL_CATCH_ALL = "optional catch-all"


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: `name` is the parameter's, or the text itself of a static one."""

    kind: Kind
    name: str

    @property
    def is_catch_all(self) -> bool:
        return self.kind in (Kind.CATCH_ALL, Kind.OPTIONAL_CATCH_ALL)

    def __str__(self) -> str:
        return _WRITTEN[self.kind].format(self.name)


_WRITTEN = {
    Kind.STATIC: "{}",
    Kind.DYNAMIC: "[{}]",
    Kind.CATCH_ALL: "[...{}]",
    Kind.OPTIONAL_CATCH_ALL: "[[...{}]]",
}
_FORMS = (
    (re.compile(r"\[\[\.\.\.([^\[\].…][^\[\]]*)\]\]"), Kind.OPTIONAL_CATCH_ALL),
    (re.compile(r"\[\.\.\.([^\[\].…][^\[\]]*)\]"), Kind.CATCH_ALL),
    (re.compile(r"\[([^\[\].…][^\[\]]*)\]"), Kind.DYNAMIC),
    (re.compile(r"([^\[\]]+)"), Kind.STATIC),
)


def parse_segment(text: str) -> Segment:
    """Return the segment that a file or folder name says; raise ValueError, with what to write, if it says none."""
    for form, kind in _FORMS:
        if match := form.fullmatch(text):
            return Segment(kind, match[1])
    if "…" in text:
        raise ValueError(f"{text!r} has the one character '…': write three dots, '...'")
    if re.fullmatch(r"\[\[[^\[\].]+\]\]", text):
        raise ValueError(
            f"{text!r} is an optional single parameter, which Next does not have: write '[[...{text[2:-2]}]]'"
        )
    if re.fullmatch(r"\[+\.*\]+", text):
        raise ValueError(f"{text!r} has no parameter name: write it between the brackets, as in '[id]'")
    if re.fullmatch(r"\[+\.+[^\[\]]*\]+", text):
        raise ValueError(f"{text!r} has the wrong number of dots: write '[name]', '[...name]' or '[[...name]]'")
    raise ValueError(f"{text!r} is not wholly in brackets: a parameter is a whole segment, as in '[id]'")


def pattern_text(segments: tuple[Segment, ...]) -> str:
    """Return the pattern as text, such as "/api/post/[pid]"."""
    return "/" + "/".join(map(str, segments))


def identifier(name: str) -> str:
    """Return a parameter's name as a Python identifier, "_" in place of what one cannot have: "some-id" is some_id."""
    text = re.sub(r"[^0-9A-Za-z]", "_", name)
    return text if not text[0].isdigit() else "_" + text


def route_name(segments: tuple[Segment, ...]) -> str:
    """Return the name of a route for `url_for` and `reverse`: the path below /api, "post/[pid]"; that of /api is
    "index".

    A host's names cannot have dots: `[...slug]` is written "[*slug]", `[[...slug]]` "[[*slug]]", a literal dot ":".
    """
    if segments and segments[0] == Segment(Kind.STATIC, "api"):
        segments = segments[1:]
    parts = []
    for segment in segments:
        if segment.kind is Kind.STATIC:
            parts.append(segment.name.replace(".", ":"))
        else:
            parts.append(_WRITTEN[segment.kind].replace("...", "*").format(identifier(segment.name)))
    return "/".join(parts) or "index"
