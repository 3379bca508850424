"""`req`: the request as a handler of `pages/api` sees it (Next's NextApiRequest)."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any, Generic

from nextapi.errors import BodyGoneError
from nextapi.http.body import parse_body, read_body, waiting_file
from nextapi.http.content_type import parse_content_type
from nextapi.http.cookies import parse_cookie
from nextapi.http.message import Request
from nextapi.http.multipart import read_form
from nextapi.http.query import decode_pairs, encode_pairs, fold_pairs, group_pairs, query_text
from nextapi.http.sizes import Limit
from nextapi.pages.response import NextApiResponse, preview_data
from nextapi.web.search_params import URLSearchParams

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    BodyT = TypeVar("BodyT", default=Any)
else:
    from typing import TypeVar

    BodyT = TypeVar("BodyT")

__all__ = ["NextApiRequest", "parse"]


class NextApiRequest(Generic[BodyT]):
    """The request, parsed as it is asked for.

    `method` is what the client sent; `body` is the parsed body and may be assigned; `files` are the uploads of a
    multipart body by name, a list where a name is repeated, closed after the request; `params` are the path's
    parameters; `raw` is the host's own request (Flask's `Request`, Django's `HttpRequest`, WSGI's environ). Wrappers
    may hang attributes of their own on it.
    """

    body: BodyT = None  # type: ignore[assignment]  # Next: undefined, where the parser is off
    _query: dict[str, Any] | None = None
    _search_params: URLSearchParams | None = None
    _cookies: dict[str, str] | None = None
    _raw_body: bytes | None = None
    _stream: IO[bytes] | None = None
    _files: dict[str, Any] | None = None
    _is_form = False
    _preview_data: Any = None

    def __init__(
        self,
        request: Request,
        params: dict[str, str | list[str]],
        param_names: tuple[str, ...],
        body_limit: Limit,
        res: NextApiResponse[Any],
    ) -> None:
        self.method = request.method
        self.params = params
        self._request = request
        self._param_names = param_names
        self._body_limit = body_limit
        self._res = res

    @property
    def raw(self) -> Any:
        """The host's own request: Flask's `Request`, Django's `HttpRequest`, WSGI's environ."""
        return self._request.raw

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by lower-case name; looking up ignores case."""
        return self._request.headers

    @property
    def state(self) -> SimpleNamespace:
        """What middleware has left for the handler: `request.state.user = user` there is `req.state.user` here."""
        return self._request.state

    @property
    def query(self) -> dict[str, Any]:
        """The query as an object, a repeated name with a list, and the path's parameters over it."""
        if self._query is None:
            query_string = self._request.query_string
            if query_string:
                self._query = {**fold_pairs(decode_pairs(query_text(query_string))), **self.params}
            else:
                self._query = dict(self.params)
        return self._query

    @property
    def search_params(self) -> URLSearchParams:
        """The query without the path's parameters, all pairs in order."""
        if self._search_params is None:
            self._search_params = URLSearchParams(decode_pairs(query_text(self._request.query_string)))
        return self._search_params

    @property
    def url(self) -> str:
        """The path as it was sent and the query as Next rebuilds it, by name and without the path's parameters."""
        path, query_string = self._request.sent or (self._request.path, self._request.query_string)
        if not query_string:
            return path
        pairs = decode_pairs(query_text(query_string))
        query = encode_pairs(group_pairs([pair for pair in pairs if pair[0] not in self._param_names]))
        return f"{path}?{query}" if query else path

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies by name; of two with one name the first."""
        if self._cookies is None:
            self._cookies = parse_cookie(self._request.environ.get("HTTP_COOKIE", ""))
        return self._cookies

    @property
    def preview(self) -> bool:
        """Whether the client is in preview mode, which is draft mode."""
        return self.preview_data is not False

    @property
    def draft_mode(self) -> bool:
        """Whether the client is in draft mode."""
        return self.preview_data is not False

    @property
    def preview_data(self) -> Any:
        """The preview data: {} in draft mode without data, False where it is off.

        Cookies that are forged or stale count as off, and have the answer clear them, unless its headers are final.
        """
        if self._preview_data is None:
            self._preview_data = preview_data(self._res, self.cookies)
        return self._preview_data

    @property
    def files(self) -> dict[str, Any]:
        """The uploads of a multipart body: werkzeug's `FileStorage` by name, a list of them where it is repeated."""
        if self._files is None:
            self._files = {}
        return self._files

    @property
    def raw_body(self) -> bytes:
        """All bytes of the body, as they came.

        With `bodyParser: False` they are read when first asked for, up to the option `max_body_size`; a larger body
        is a `BodyError` (413). Those of a multipart body that was parsed are not kept: `BodyGoneError`.
        """
        if self._is_form:
            raise BodyGoneError(
                'a multipart body is parsed as it comes, and not kept: set config = {"api": {"bodyParser": False}} to '
                "have its bytes"
            )
        if self._raw_body is None:
            body = self._request.body
            self._raw_body = read_body(body, self._body_limit) if body is not None else b""
        return self._raw_body

    @property
    def stream(self) -> IO[bytes]:
        """The body as a readable binary file, unbounded; empty where the body was parsed, as Node's is."""
        if self._stream is None:
            body = self._request.body
            was_read = self._raw_body is not None or self._is_form
            self._stream = BytesIO() if body is None or was_read else waiting_file(body.open())
        return self._stream

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.method} {self.url}>"


def parse(req: NextApiRequest[Any]) -> None:
    """Parse the body of `req` by its Content-Type; raise `BodyError` where it cannot be, or is over the limit."""
    request = req._request
    content_type = request.environ.get("CONTENT_TYPE")
    if request.body is not None and content_type and content_type[:10].lower() == "multipart/":
        media_type, parameters = parse_content_type(content_type) or ("", {})
        if media_type == "multipart/form-data" and "boundary" in parameters:
            fields, files = read_form(request.body, parameters["boundary"], req._body_limit, request.call_on_close)
            req._is_form = True
            req.body, req._files = fold_pairs(fields), fold_pairs(files)
            return
    req.body = parse_body(req.raw_body, content_type)
