"""The pages in a store: under which names they are kept, when they are void, and who may make one.

A page is kept together with *marks*, random texts that its path and its tags had when it was begun to be made. To
expire a path or a tag is to give it another mark, which is as much work for one page as for a million. A page is void
unless all its marks are what they are now; so is one whose mark the store has dropped. Therefore nothing that was begun
before an expiry is ever served after it, even if it was finished later, by whichever process.

A path has two marks: "path", which `expire` changes, and "made", which is changed by who has made the page anew: all
other pages of the path are void from then on, and this one is not. Who does that holds a lease, so that the last to
begin is the last to end.

What a store has dropped it cannot tell from what never was. So a mark that was not there when a page was begun says
nothing of the time between; then the mark that changes with every path, or every tag, has to be what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from secrets import token_hex
from typing import NamedTuple

from nextapi.cache.entry import Entry, Varies, decode, encode
from nextapi.cache.policy import ignores_query
from nextapi.cache.store import Store

__all__ = ["Found", "Key", "Lease", "Marks", "Pages", "environ_name"]

Marks = Mapping[str, str]
"""Marks by name."""

_MOST_KNOWN = 1024
_MOST_READ_ALONG = 16

_MARK_SECONDS = 400 * 86_400
"""Longer than the year for which a page is kept that says "for ever"."""

_MOST_KNOWN_SIZE = 256

_ANY_PATH, _ANY_TAG = _ANY = ("paths", "tags")
"""The marks that change with that of any path, and of any tag: they show an expiry of what has no mark yet, or whose
mark the store has dropped."""

_VERSION = "version"
"""The mark that is the same for all pages that one version of the app makes, and is in no store."""


class Key(NamedTuple):
    """What names a page: scheme and host, the path as it was sent with all that is before it, and the query."""

    scheme: str
    host: str
    sent_path: str
    query: str
    path: str
    """The path decoded, one character a byte: it is what `expire` is given, whatever the spelling."""
    prefix: str = ""
    """What of the path is SCRIPT_NAME: an application that is mounted twice makes other links of it."""

    @property
    def url(self) -> str:
        """The URL of the page."""
        return f"{self.scheme}://{self.host}{self.sent_path}{'?' if self.query else ''}{self.query}"


class Found(NamedTuple):
    """What there is of a page.

    `entry` is there unless it is void; `is_known` says that there is one, be it void; `vary` are the headers by which
    the answers to its URL differ. `name` is what leases for it are called, `marks` are those of its path.
    """

    name: str
    marks: Marks
    entry: Entry | None = None
    is_known: bool = False
    vary: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to make a page, which ends by itself."""

    name: str
    token: str


class Pages:
    """The pages that are kept in a store; every method raises `StoreError` while the store is gone.

    Those of another `version` of the app are void.
    """

    def __init__(self, store: Store, version: str = "") -> None:
        self._store = store
        self._version = version
        self._read_along: dict[str, tuple[str, ...]] = {}
        """The marks of a page's tags when it was last read, by its name: they are read together with it."""

    def find(self, key: Key, environ: Mapping[str, str], is_sure: bool = False) -> Found:
        """Return what there is of a page, for a request whose headers are in `environ`.

        With `is_sure` the page is going to be kept, and its path has marks from now on. Without, one that has none gets
        them when a page of it is kept, so that what is no page leaves nothing in the store.
        """
        names = _names(key)
        name = page_name = names[0]
        along = self._read_along.get(name, ())
        data, *values = self._store.get((*names, *along) if along else names)
        marks = _texts(names[1:5], values)
        also = _texts(along, values[len(names) - 1 :]) if along else {}
        if self._version:
            marks[_VERSION] = self._version
        for missing in [mark for mark in (names[1:5] if is_sure else _ANY) if mark not in marks]:
            self._begin(missing, marks)
        unknown = Found(name, marks)
        kept = decode(data) if data is not None else None
        is_other_query = kept is None and len(names) > 5 and values[4] is not None
        if is_other_query:
            name, kept = names[5], decode(values[4])  # type: ignore[arg-type]  # it is not None
        vary: Sequence[str] = ()
        if isinstance(kept, Varies):
            vary, name = kept.vary, _variant_name(name, kept.vary, environ)
            data = self._store.get([name])[0]
            entry = decode(data) if data is not None else None
            kept = entry if isinstance(entry, Entry) else None
        if is_other_query and not (kept is not None and ignores_query(kept.headers)):
            return unknown
        if kept is None:
            return Found(name, marks, None, bool(vary), vary)
        marks |= also
        if unread := [mark for mark in kept.marks if mark not in marks]:
            marks |= _texts(unread, self._store.get(unread))
            # All of them, also where one of those that were read along is gone.
            self._note_tags(page_name, [mark for mark in kept.marks if mark.startswith("tag:")])
        is_valid = kept.marks.get(_VERSION, "") == self._version and all(
            marks.get(mark) == text for mark, text in kept.marks.items()
        )
        return Found(name, marks, kept if is_valid else None, True, vary)

    def _begin(self, name: str, marks: dict[str, str]) -> None:
        """Have a mark from now on."""
        mark = token_hex(8)
        if self._store.add(name, mark.encode(), _MARK_SECONDS):
            marks[name] = mark
        else:
            marks |= _texts([name], self._store.get([name]))

    def _note_tags(self, page: str, marks: Sequence[str]) -> None:
        """Have the marks of a page's tags read along with it from now on."""
        if len(self._read_along) >= _MOST_KNOWN:
            self._read_along.clear()
        if len(marks) <= _MOST_READ_ALONG:
            self._read_along[page] = tuple(marks)

    def keep(
        self,
        key: Key,
        entry: Entry,
        environ: Mapping[str, str],
        begun: Marks,
        tags: Sequence[str] = (),
        is_remade: bool = False,
    ) -> bool:
        """Keep a page that was made of a request with the headers in `environ`, and begun when its marks were `begun`.

        With `is_remade` all other pages of the path are void from now on. Returns False, and keeps nothing, where the
        path or a tag may have been expired meanwhile. Raises `EntrySizeError` where page and headers are too large.
        """
        names = _marks_of(key.path)
        of_tags = [_hashed("tag", tag) for tag in tags]
        marks = {name: begun[name] for name in (*names, *of_tags) if name in begun}
        watched = {*marks}
        for mark_of_any, some in ((_ANY_PATH, names), (_ANY_TAG, of_tags)):
            if unknown := [name for name in some if name not in marks]:
                watched.add(mark_of_any)
                marks |= _texts(unknown, self._store.get(unknown))
                for name in unknown:
                    if name not in marks:
                        self._begin(name, marks)
        if not marks.keys() >= {*names, *of_tags}:  # the store drops them at once
            return False
        # Looked at after those that were not known, and changed before them: so one of the two shows any expiry.
        now = _texts(sorted(watched), self._store.get(sorted(watched)))
        if any(name not in now or now[name] != begun.get(name) for name in watched):
            return False
        if is_remade:
            marks[names[1]] = token_hex(8)
        if self._version:
            marks[_VERSION] = self._version
        name = _page_name(key)
        seconds = entry.fresh + entry.stale
        values = {}
        if entry.vary:
            values[name] = encode(Varies(entry.vary))
            name = _variant_name(name, entry.vary, environ)
        values[name] = encode(replace(entry, marks=marks))
        self._store.set(values, seconds)
        if is_remade:
            self._store.set({_ANY_PATH: _new_mark(), names[1]: marks[names[1]].encode()}, _MARK_SECONDS)
        return True

    def keep_on(self, found: Found, entry: Entry) -> None:
        """Keep a page that was found in place of what it is, as valid as it is."""
        self._store.set({found.name: encode(entry)}, entry.fresh + entry.stale)

    def expire(self, paths: Iterable[str] = (), tags: Iterable[str] = ()) -> None:
        """Make all pages of these paths and with these tags void."""
        changed = [_marks_of(path)[0] for path in paths]
        if changed:
            changed.insert(0, _ANY_PATH)
        of_tags = [_hashed("tag", tag) for tag in tags]
        if of_tags:
            self._store.set({_ANY_TAG: _new_mark()}, _MARK_SECONDS)
        self._store.set({name: _new_mark() for name in (*changed, *of_tags)}, _MARK_SECONDS)

    def are_unused(self) -> bool:
        """Say whether no page has ever been looked for in this store, as far as it remembers."""
        return self._store.get([_ANY_PATH])[0] is None

    def has_path(self, path: str) -> bool:
        """Say whether there may be pages of a path."""
        return self._store.get(_marks_of(path)[:1])[0] is not None

    def lease(self, name: str, seconds: float) -> Lease | None:
        """Return the right to make what has this name, None while another has it."""
        lease = Lease(f"lease:{name}", token_hex(8))
        return lease if self._store.add(lease.name, lease.token.encode(), seconds) else None

    def lease_path(self, path: str, seconds: float) -> Lease | None:
        """Return the right to make all pages of a path void by a new one, None while another has it."""
        return self.lease(_marks_of(path)[1], seconds)

    def is_leased(self, name: str) -> bool:
        """Say whether somebody is making what has this name."""
        return self._store.get([f"lease:{name}"])[0] is not None

    def end(self, lease: Lease) -> None:
        """End a lease, unless it has ended and is another's."""
        self._store.remove(lease.name, lease.token.encode())


def _new_mark() -> bytes:
    return token_hex(8).encode()


def _names(key: Key) -> tuple[str, ...]:
    """Return the names of a page, of the marks of its path and of all, and, where it has a query, of that without."""
    # What is remembered must not be for who asks to choose the size of.
    return _known_names(key) if len(key.sent_path) + len(key.query) <= _MOST_KNOWN_SIZE else _make_names(key)


def _make_names(key: Key) -> tuple[str, ...]:
    names = (_page_name(key), *_marks_of(key.path), *_ANY)
    return (*names, _page_name(key._replace(query=""))) if key.query else names


_known_names = lru_cache(maxsize=_MOST_KNOWN)(_make_names)


def _marks_of(path: str) -> tuple[str, str]:
    # A page is one with and without a slash at its end: one of the two redirects, or both are the same.
    hashed = _hash(path.rstrip("/"))
    return f"path:{hashed}", f"made:{hashed}"


def _page_name(key: Key) -> str:
    return _hashed("page", f"{key.scheme}://{key.host}{key.sent_path}?{key.query}#{key.prefix}")


def _variant_name(name: str, vary: Sequence[str], environ: Mapping[str, str]) -> str:
    return _hashed("variant", f"{name}{[(header, _value(header, environ)) for header in vary]}")


def _value(header: str, environ: Mapping[str, str]) -> str | None:
    value = environ.get(environ_name(header))  # one that is empty is not one that is not there (RFC 9111, 4.1)
    if value and header == "accept-encoding":  # browsers write the same codings in many ways
        return ",".join(sorted(value.lower().replace(" ", "").split(",")))
    return value


def environ_name(header: str) -> str:
    """Return the name that WSGI has for a header of the request."""
    return f"HTTP_{header.upper().replace('-', '_')}"


def _hashed(kind: str, text: str) -> str:
    return f"{kind}:{_hash(text)}"


def _hash(text: str) -> str:
    # Paths and header values have one character a byte, tags may have any.
    return blake2b(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _texts(names: Sequence[str], values: Sequence[bytes | None]) -> dict[str, str]:
    return {name: value.decode("latin-1") for name, value in zip(names, values, strict=False) if value is not None}
