"""The sources of a matcher: paths in the syntax of path-to-regexp 6.3, as regular expressions.

`/a/:id`, `:path*`, `:id(\\\\d+)`, `((?!api).*)`, `{-:suffix}?`. As Next has it for middleware, a source also names the
data of its page: `/_next/data/BUILD/a.json`, `/a.rsc`. Upper and lower case differ.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from nextapi.middleware.regexp import from_javascript

__all__ = ["compile_pattern"]

_NAME = re.compile(r"[0-9A-Za-z_]+")
_KINDS = {"{": "OPEN", "}": "CLOSE", "*": "MODIFIER", "+": "MODIFIER", "?": "MODIFIER"}
_PREFIXES = "./"
_DELIMITERS = "/#?"

_DATA = r"(?:/_next/data/[^/]+)?"
_SEGMENTS = r"\.rsc|\.segments/.+\.segment\.rsc"
_SUFFIX = rf"(?:\.json|{_SEGMENTS})?"
_ROOT = rf"(?:/(?:/?index(?:\.json|{_SEGMENTS})?))?"


class _Token(NamedTuple):
    kind: str
    start: int
    value: str


class _Part(NamedTuple):
    """A parameter, or a group in braces; `pattern` is in Python's syntax, "" for a group without a parameter."""

    name: str
    prefix: str
    pattern: str
    suffix: str
    modifier: str

    def expression(self) -> str:
        prefix, suffix = re.escape(self.prefix), re.escape(self.suffix)
        if self.modifier in ("", "?") or not self.pattern:
            return f"(?:{prefix}(?:{self.pattern}){suffix}){self.modifier}"
        # Next puts a slash in front of what is repeated with nothing around it, which path-to-regexp refuses.
        prefix = prefix if prefix or suffix else "/"
        repeated = f"(?:{prefix}(?:{self.pattern})(?:{suffix}{prefix}(?:{self.pattern}))*{suffix})"
        return repeated if self.modifier == "+" else f"{repeated}?"


def compile_pattern(*sources: str) -> re.Pattern[str]:
    """Return the expression whose `match` is true for each path that one of `sources` names.

    Raises ValueError for a source that is none, with the words of Next and path-to-regexp, and what to write instead.
    """
    alternatives = "|".join(map(_source, sources))
    return re.compile(rf"{_DATA}(?:{alternatives})[/#?]?\Z", re.ASCII)


def _source(source: str) -> str:
    if not source.startswith("/"):
        raise ValueError(f"source must start with / at \"matcher\": write '/{source}', not {source!r}")
    if source == "/":
        return _ROOT
    try:
        parts = _Parser(source).parse()
    except ValueError as error:
        raise ValueError(f"Invalid source {source!r}: {error}") from None
    return "".join(part if isinstance(part, str) else part.expression() for part in parts) + _SUFFIX


class _Parser:
    """path-to-regexp's grammar: text, parameters with the slash or dot before them, and groups in braces."""

    def __init__(self, source: str) -> None:
        self._tokens = _tokens(source)
        self._at = 0

    def parse(self) -> list[str | _Part]:
        """Return the parts of the source; text is escaped already."""
        parts: list[str | _Part] = []
        text = ""  # what stands before the next part

        def flush() -> None:
            nonlocal text
            if text:
                parts.append(re.escape(text))
                text = ""

        while True:
            character = self._take("CHAR")
            name, pattern = self._take("NAME"), self._take("PATTERN")
            if name or pattern:
                prefix = character if character in _PREFIXES else ""
                text += "" if prefix else character
                before = text
                flush()
                parts.append(self._part(parts, before, prefix, name, pattern, ""))
            elif character := character or self._take("ESCAPED_CHAR"):
                text += character
            elif self._take("OPEN"):
                before = text
                flush()
                prefix = self._text()
                name, pattern = self._take("NAME"), self._take("PATTERN")
                suffix = self._text()
                self._expect("CLOSE")
                parts.append(self._part(parts, before, prefix, name, pattern, suffix))
            else:
                flush()
                self._expect("END")
                return parts

    def _part(self, parts: list[str | _Part], before: str, prefix: str, name: str, pattern: str, suffix: str) -> _Part:
        if pattern:
            name = name or f"({pattern})"  # to be named by, in errors
            expression = from_javascript(pattern, captures=False)
        elif name:
            expression = _up_to(prefix or before, parts)
        else:
            expression = ""
        return _Part(name, prefix, expression, suffix, self._take("MODIFIER"))

    def _take(self, kind: str) -> str:
        token = self._tokens[self._at]
        if token.kind != kind:
            return ""
        self._at += 1
        return token.value

    def _text(self) -> str:
        text = ""
        while character := self._take("CHAR") or self._take("ESCAPED_CHAR"):
            text += character
        return text

    def _expect(self, kind: str) -> None:
        token = self._tokens[self._at]
        if token.kind != kind:
            hint = f": {token.value!r} stands for itself behind a backslash" if token.kind in _KINDS.values() else ""
            raise ValueError(f"Unexpected {token.kind} at {token.start}, expected {kind}{hint}")
        self._at += 1


def _up_to(text: str, parts: list[str | _Part]) -> str:
    """Return what a parameter without a pattern matches: to the end of the segment, or to another `text`."""
    last = parts[-1] if parts else ""
    if isinstance(last, _Part) and not text:
        raise ValueError(
            f'Must have text between two parameters, missing text after "{last.name}": '
            "write some, as in /:a-:b, or give the second one a pattern, as in /:a:b(\\\\d+)"
        )
    if not text or any(delimiter in text for delimiter in _DELIMITERS):
        return "[^/#?]+?"
    return f"(?:(?!{re.escape(text)})[^/#?])+?"


def _tokens(source: str) -> list[_Token]:
    tokens = []
    at = 0
    while at < len(source):
        character = source[at]
        kind, value, end = _KINDS.get(character, "CHAR"), character, at + 1
        if character == "\\":
            kind, value, end = "ESCAPED_CHAR", source[end : end + 1], end + 1
            if not value:
                raise ValueError(f"Nothing to escape at {at}: write two backslashes for one that stands for itself")
        elif character == ":":
            name = _NAME.match(source, end)
            if not name:
                raise ValueError(
                    f"Missing parameter name at {at}: a name of letters, digits and _ follows the colon, "
                    "which stands for itself behind a backslash"
                )
            kind, value, end = "NAME", name[0], name.end()
        elif character == "(":
            kind, value = "PATTERN", _pattern(source, end)
            end += len(value) + 1
        tokens.append(_Token(kind, at, value))
        at = end
    tokens.append(_Token("END", at, ""))
    return tokens


def _pattern(source: str, start: int) -> str:
    """Return the regular expression that begins at `start`, up to the parenthesis that ends it."""
    if source.startswith("?", start):
        raise ValueError(
            f'Pattern cannot start with "?" at {start}: put a second pair of parentheses around, ((?!a).*)'
        )
    depth = 1
    at = start
    while at < len(source):
        character = source[at]
        if character == "\\":
            at += 1
        elif character == ")":
            depth -= 1
            if not depth:
                break
        elif character == "(":
            depth += 1
            if not source.startswith("?", at + 1):
                raise ValueError(f"Capturing groups are not allowed at {at}: write (?: for the parenthesis")
        at += 1
    if depth:
        raise ValueError(f"Unbalanced pattern at {start - 1}: it has no ) of its own, or \\\\( is meant")
    if at == start:
        raise ValueError(f"Missing pattern at {start - 1}: a regular expression stands between the parentheses")
    return source[start:at]
