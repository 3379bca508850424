"""JavaScript's regular expressions, as text for Python's `re`.

A matcher holds expressions that were written for JavaScript (ECMA-262, 22.2, without flags, with annex B). Where the
two languages differ, the text is written anew; it is to be compiled with `re.ASCII`. What `re` cannot run is a
ValueError.
"""

from __future__ import annotations

import re

__all__ = ["compile_javascript", "from_javascript"]

_ESCAPE = r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|c[A-Za-z]|%s[\s\S])"
_TOKEN = re.compile(
    rf"(?P<escape>{_ESCAPE % '[0-9]+|k<[^>]*>|'})"
    r"|(?P<set>\[\^?(?:\\[\s\S]|[^\]\\])*\])"
    r"|(?P<group>\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?)"
    r"|(?P<quantifier>(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\??)"
    r"|[\s\S]"
)
_MEMBER = re.compile(rf"{_ESCAPE % ''}|[\s\S]")
_SAME_LETTERS = "bBdDfnrsStvwW"
_CLASS_LETTERS = ("\\d", "\\D", "\\w", "\\W", "\\s", "\\S")
# With re.ASCII, \s has only the first six of JavaScript's white space.
_SPACES = r"\s\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_OTHERS = {".": r"[^\n\r\u2028\u2029]", "$": r"\Z", "{": r"\{"}


def compile_javascript(text: str, ignore_case: bool = False) -> re.Pattern[str]:
    """Return JavaScript's expression `text`, for use with `fullmatch`; raise ValueError where `re` cannot run it."""
    return _compile(text, from_javascript(text), re.ASCII | (re.IGNORECASE if ignore_case else 0))


def from_javascript(text: str, *, captures: bool = True) -> str:
    """Return JavaScript's expression `text` in Python's syntax; without `captures`, no group of it is a capture.

    Raises ValueError for what is no expression in JavaScript, for what `re` cannot run, and without `captures` for
    references back to a capture.
    """
    parts = []
    last = None
    for token in _TOKEN.finditer(text):
        part = token[0]
        kind = token.lastgroup
        if kind == "escape":
            part = _escape(text, part, captures)
        elif kind == "set":
            part = _set(part)
        elif kind == "group":
            part = _group(text, token, captures)
        elif kind == "quantifier":
            if last == "quantifier":  # in Python, a possessive quantifier
                raise _error(text, f"nothing to repeat at {token.start()}")
        elif part == "[":
            raise _error(text, f"the character class at {token.start()} has no end: write \\[ for the bracket itself")
        elif part == "\\":
            raise _error(text, "a backslash at the end escapes nothing")
        else:
            part = _OTHERS.get(part, part)
        parts.append(part)
        last = kind
    translated = "".join(parts)
    _compile(text, translated, re.ASCII)
    return translated


def _group(text: str, token: re.Match[str], captures: bool) -> str:
    opening = token[0]
    if opening == "(":
        if text.startswith("?", token.end()):
            raise _error(text, f"invalid group at {token.start()}: JavaScript has (?: (?= (?! (?<= (?<! and (?<name>")
        return "(" if captures else "(?:"
    if opening.endswith(">"):
        return f"(?P{opening[2:]}" if captures else "(?:"
    return opening


def _escape(text: str, escape: str, captures: bool) -> str:
    if escape[1] in "123456789" or (escape[1] == "k" and len(escape) > 2):
        if not captures:
            raise _error(text, f"{escape} refers back to a group, which a source cannot do: write the text out")
        return f"(?P={escape[3:-1]})" if escape[1] == "k" else escape
    if escape in ("\\s", "\\S"):
        return f"[{_SPACES}]" if escape == "\\s" else f"[^{_SPACES}]"
    return _character(escape)


def _character(escape: str) -> str:
    # JavaScript: a letter that means nothing behind a backslash is itself. Python has other meanings for some.
    if len(escape) == 2 and escape[1] not in _SAME_LETTERS and not escape[1].isdecimal():
        return re.escape(escape[1])
    return re.escape(chr(ord(escape[2]) % 32)) if escape[1] == "c" else escape


def _set(text: str) -> str:
    # Python: [] is no set, [\w-.] no range, and [[, --, &&, || and ~~ are kept for set operations to come.
    negation = "^" if text.startswith("[^") else ""
    members = _MEMBER.findall(text[1 + len(negation) : -1])
    if not members:
        return r"[\s\S]" if negation else r"(?!)"
    parts = []
    at = 0
    while at < len(members):
        ends = members[at : at + 3 : 2]
        if members[at + 1 : at + 2] == ["-"] and len(ends) == 2 and not any(end in _CLASS_LETTERS for end in ends):
            parts.append("-".join(_member(end) for end in ends))
            at += 3
        else:
            parts.append(_member(members[at]))
            at += 1
    return f"[{negation}{''.join(parts)}]"


def _member(text: str) -> str:
    if text == "\\s":
        return _SPACES
    return _character(text) if text.startswith("\\") else re.escape(text)


def _compile(text: str, translated: str, flags: int) -> re.Pattern[str]:
    try:
        return re.compile(translated, flags)
    except (re.error, OverflowError) as error:
        raise _error(text, str(error)) from None


def _error(text: str, reason: str) -> ValueError:
    return ValueError(f"{text!r} is no regular expression that Python can run: {reason}")
