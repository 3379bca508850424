"""What a request and a response of the web dialect share: a body that is read once (WHATWG Fetch, the Body mixin).

Who wants to read one twice calls `clone()` before.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from nextapi.errors import BodyUsedError
from nextapi.http.body import read_body, refused
from nextapi.http.json import loads
from nextapi.http.message import Body
from nextapi.http.sizes import Limit
from nextapi.web.form_data import FormData, parse_form
from nextapi.web.headers import Headers

__all__ = ["Readable"]


class Readable(ABC):
    """A body and the ways to read it, each of which takes it; of a body that is None all can be called again."""

    _is_used = False

    @property
    @abstractmethod
    def headers(self) -> Headers:
        """The headers."""

    @abstractmethod
    def _open(self) -> Body | None:
        """Return the body, to be read once."""

    @abstractmethod
    def _limit(self) -> Limit:
        """Return how much of it is read."""

    @abstractmethod
    def _call_on_close(self) -> Callable[[Callable[[], object]], None] | None:
        """Return what takes the functions that close the uploads of a form; None where they close by themselves."""

    @property
    def body_used(self) -> bool:
        """Whether the body was read (Fetch's `bodyUsed`)."""
        return self._is_used

    def _take(self) -> Body | None:
        if self._is_used:
            raise BodyUsedError
        body = self._open()
        self._is_used = body is not None
        return body

    def bytes(self) -> bytes:
        """Return the bytes of the body (Fetch's `arrayBuffer`), b"" where there is none.

        Raises `BodyUsedError` where it was read before, `BodyError` (413) where a request's is over `max_body_size`.
        """
        body = self._take()
        return b"" if body is None else read_body(body, self._limit())

    def text(self) -> str:
        """Return the body as text in UTF-8, whatever its Content-Type says; bytes that are none become U+FFFD.

        Raises as `bytes` does.
        """
        return self.bytes().decode("utf-8", "replace").removeprefix("\ufeff")

    def _loads(self) -> Any:
        text = self.text()
        try:
            return loads(text)
        except ValueError:
            raise refused(400, "Invalid JSON") from None

    def form_data(self) -> FormData:
        """Return the fields and files of a form, urlencoded or multipart (Fetch's `formData`).

        Raises `BodyError` (400) where the body is no form that can be read, and as `bytes` does.
        """
        return parse_form(self._take(), self.headers.get("content-type"), self._limit(), self._call_on_close())
