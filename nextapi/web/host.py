"""The host of a URL (WHATWG URL standard, host parsing): a domain, an IPv4 or IPv6 address, or opaque text.

Domains outside of ASCII are mapped as UTS #46 says, by case folding and NFKC of Python's own Unicode tables, and
encoded in Punycode; "ß" stays "ß", where the codec `idna` (IDNA 2003) has "ss", another host. Characters newer than
Python's tables, and labels that DNS has no room for, are refused. The rules on text that runs from right to left and
on joiners are left out, so some hosts are taken that a browser refuses.
"""

from __future__ import annotations

import re
from unicodedata import category, normalize
from urllib.parse import quote, unquote_to_bytes

__all__ = ["parse_host"]

_FORBIDDEN = re.compile(r"[\0\t\n\r #/:<>?@\[\\\]^|]")
_FORBIDDEN_IN_DOMAIN = re.compile(r"[\0-\x20#%/:<>?@\[\\\]^|\x7f]")
_PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))
_NUMBER = re.compile(r"0[xX]([0-9a-fA-F]*)|0([0-7]*)|([1-9][0-9]*)")
_LOOKS_LIKE_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
_ZEROS = re.compile(r"\b0(?::0)+\b")
# UTS #46 drops these, and leaves the two letters as they are, which `casefold` would not.
_IGNORED = re.compile(
    "[\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2064\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0100-\U000e01ef]"
)
_FOLDED = re.compile("[^ßς]+")
_DOTS = ".\u3002\uff0e\uff61"
_JOINERS = "\u200c\u200d"
_DISALLOWED = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"}


def parse_host(text: str, *, is_special: bool) -> str:
    """Return the host that `text` names, as a URL writes it; raise ValueError, with the reason, where it names none.

    `is_special` says that the URL's scheme is http or another that has domains; other hosts are opaque.
    """
    if text.startswith("["):
        return f"[{_parse_ipv6(text)}]"
    if not is_special:
        if bad := _FORBIDDEN.search(text):
            raise ValueError(f"a host cannot have {bad[0]!r}")
        return quote(text, safe=_PRINTABLE)
    domain = _to_ascii(unquote_to_bytes(text).decode("utf-8", "replace") if "%" in text else text)
    if not domain:
        raise ValueError("its host is empty")
    if bad := _FORBIDDEN_IN_DOMAIN.search(domain):
        raise ValueError(f"a host cannot have {bad[0]!r}")
    parts = domain.split(".")
    if len(parts) > 1 and not parts[-1]:
        parts.pop()
    return _parse_ipv4(parts) if _LOOKS_LIKE_NUMBER.fullmatch(parts[-1]) else domain


def _parse_ipv4(parts: list[str]) -> str:
    """Return the address of one to four numbers, hexadecimal or octal ones too, the last of which fills the rest."""
    numbers = [_number(part) for part in parts]
    size = 256 ** (5 - len(numbers)) if len(numbers) <= 4 else 0
    if numbers[-1] >= size or any(number > 255 for number in numbers[:-1]):
        raise ValueError("its host is no IPv4 address")
    value = numbers[-1] + sum(number << 8 * (3 - index) for index, number in enumerate(numbers[:-1]))
    return ".".join(str(byte) for byte in value.to_bytes(4))


def _number(text: str) -> int:
    match = _NUMBER.fullmatch(text)
    if match is None or len(text) > 300:
        raise ValueError("its host is no IPv4 address")
    if match[1] is not None:
        return int(match[1] or "0", 16)
    return int(match[3]) if match[3] else int(match[2] or "0", 8)


def _parse_ipv6(text: str) -> str:
    from ipaddress import IPv6Address  # some milliseconds, for a rare host

    try:
        if not text.endswith("]") or "%" in text:
            raise ValueError
        packed = IPv6Address(text[1:-1]).packed
    except ValueError:
        raise ValueError("its host is no IPv6 address") from None
    address = ":".join(f"{packed[i] << 8 | packed[i + 1]:x}" for i in range(0, 16, 2))
    zeros = max(_ZEROS.finditer(address), key=lambda match: match.end() - match.start(), default=None)
    if zeros is None:
        return address
    return f"{address[: zeros.start()].rstrip(':')}::{address[zeros.end() :].lstrip(':')}"


def _to_ascii(domain: str) -> str:
    if domain.isascii():
        domain = domain.lower()
        if "xn--" not in domain:
            return domain
    return ".".join(_encode_label(label) for label in _map(domain).split("."))


def _map(domain: str) -> str:
    text = _IGNORED.sub("", domain).replace("ẞ", "ß")
    text = _FOLDED.sub(lambda match: normalize("NFKC", match[0]).casefold(), text)
    text = normalize("NFKC", text).replace("\u3002", ".")
    if text.count(".") != sum(map(domain.count, _DOTS)):
        raise ValueError("a character of its host is a dot and more")
    return text


def _encode_label(label: str) -> str:
    if label.isascii() and not label.startswith("xn--"):
        return label
    if len(label) > 63:  # DNS has none, and the codec's time grows with the square
        raise ValueError("a label of its host is longer than 63 characters")
    decoded = label
    if label.startswith("xn--"):
        try:
            decoded = label[4:].encode("ascii").decode("punycode")
        except ValueError:
            raise ValueError(f"the label {label!r} of its host is no Punycode") from None
    encoded = "xn--" + decoded.encode("punycode").decode("ascii")
    if (
        decoded.isascii()
        or _map(decoded) != decoded
        or (decoded != label and encoded != label)
        or category(decoded[0]).startswith("M")
        or any((category(char) in _DISALLOWED and char not in _JOINERS) or char == "\ufffd" for char in decoded)
    ):
        raise ValueError(f"the label {label!r} of its host cannot be encoded")
    return encoded
