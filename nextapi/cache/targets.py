"""What is to be revalidated, as a caller writes it: the path of a page, or a tag."""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

from nextapi.errors import RevalidateError

__all__ = ["check_path", "check_tag", "full_path"]


def check_path(path: object, function: str = "revalidate") -> str:
    """Return a path; raise `RevalidateError`, with Next's message, for what is none, given to `function`."""
    if not isinstance(path, str) or not path.startswith("/"):
        received = "null" if path is None else path
        raise RevalidateError(
            f"Invalid urlPath provided to {function}(), must be a path e.g. /blog/post-1, received {received}"
        )
    return path


def check_tag(tag: object) -> str:
    """Return a tag; raise `RevalidateError` for what is none."""
    if not isinstance(tag, str) or not tag.strip() or "," in tag:
        raise RevalidateError(f"revalidate_tag() takes a tag as Cache-Tag names it, text without commas, not {tag!r}")
    return tag.strip()


def full_path(path: str, prefix: str) -> tuple[str, str]:
    """Return a path with its query as a client would send it, and the path alone, decoded; both from the root on.

    `prefix` is the SCRIPT_NAME that is put before a path that does not begin with it.
    """
    sent = quote(path.partition("#")[0], safe="/%:@!$&'()*+,;=~?[]")
    decoded = unquote_to_bytes(sent.partition("?")[0]).decode("latin-1")
    if prefix and decoded != prefix and not decoded.startswith(f"{prefix}/"):
        return quote(prefix, encoding="latin-1") + sent, prefix + decoded
    return sent, decoded
