"""Draft mode: what its two cookies hold, made from one secret, and read from a request.

`__prerender_bypass` says that the client is in draft mode: 32 hexadecimal digits that only who has the secret can make.
`__next_preview_data` holds data for it: a JSON Web Token (HS256), in which the data are encrypted (AES-256-GCM). Names
and attributes are Next's. The library `cryptography` is imported for the data alone.
"""

from __future__ import annotations

import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from time import time
from typing import TYPE_CHECKING, Any

from nextapi.errors import DraftError
from nextapi.http.cookies import parse_cookie, serialize_cookie
from nextapi.http.json import dumps, loads
from nextapi.text import utf8

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["Draft"]

_BYPASS = "__prerender_bypass"
_DATA = "__next_preview_data"

_LONG_AGO = datetime.fromtimestamp(0, UTC)
_NONCE_SIZE = 12
# Next's limit: browsers drop cookies above 4 KB.
_MAX_TOKEN_SIZE = 2048


class Draft:
    """The cookies of draft mode for a mount.

    `secret` is the option; without it `host_secrets` is asked whenever a secret is needed: the host's own comes first,
    those that it had before follow, and serve for reading only. Where there is none, one that is made up for this
    process serves a server that has no other.
    """

    def __init__(
        self,
        secret: bytes,
        is_debug: bool,
        host_secrets: Callable[[], Sequence[str | bytes | None]] = lambda: (None,),
    ) -> None:
        self._secret = secret
        self._is_debug = is_debug
        self._host_secrets = host_secrets

    def read(self, cookies: Mapping[str, str]) -> Any:
        """Return what the cookies of a request say: False without any, {} in draft mode alone, else the data.

        None is for cookies that are forged or stale, which are to be cleared.
        """
        bypass, token = cookies.get(_BYPASS), cookies.get(_DATA)
        if not bypass and not token:
            return False
        try:
            secrets = self._secrets(is_shared=False)
            if not bypass or not any(_is_equal(bypass, _bypass(secret)) for secret in secrets):
                return None
            if not token:
                return {}
            opened = (_open(token, secret) for secret in secrets)
            return next((data for data in opened if data is not None), None)
        except DraftError:  # without the library no data have been set here
            return None

    def data_of(self, cookies: str) -> Any:
        """Return what the cookies of a Cookie header say: False without any or for such as are forged or stale, {} in
        draft mode alone, else the data.
        """
        if _BYPASS not in cookies:  # most requests
            return False
        data = self.read(parse_cookie(cookies))
        return False if data is None else data

    def is_on(self, cookies: str) -> bool:
        """Say whether a Cookie header has a client in draft mode."""
        return self.data_of(cookies) is not False

    def mode_cookie(self, enable: bool, is_shared: bool = True) -> str:
        """Return the Set-Cookie that switches draft mode on or off.

        Raises `DraftError` without a secret where `is_shared`, which says that other processes are to read the cookie.
        """
        return self._cookie(_BYPASS, _bypass(self._secrets(is_shared)[0]), expires=None if enable else _LONG_AGO)

    def data_cookies(self, data: object, max_age: float | None, path: str, is_shared: bool = True) -> list[str]:
        """Return the two Set-Cookies that switch draft mode on, with data for `max_age` seconds.

        Raises `DraftError` without a secret where `is_shared`, without the library, and for too much data;
        `SerializationError` where JSON has no text for the data.
        """
        if data is None or data is False:
            raise TypeError(f"preview data cannot be {data}: give {{}} for none, and clear_preview_data() to end it")
        secret = self._secrets(is_shared)[0]
        token = _seal(dumps(data), secret, max_age)
        if len(token) > _MAX_TOKEN_SIZE:
            raise DraftError(
                "Preview data is limited to 2KB currently, reduce how much data you are storing as preview data to "
                "continue"
            )
        values = {_BYPASS: _bypass(secret), _DATA: token}
        return [self._cookie(name, value, path=path, max_age=max_age) for name, value in values.items()]

    def clearing_cookies(self, path: str) -> list[str]:
        """Return the two Set-Cookies that have the client forget both cookies."""
        return [self._cookie(name, "", path=path, expires=_LONG_AGO) for name in (_BYPASS, _DATA)]

    def _secrets(self, is_shared: bool) -> list[bytes]:
        current, *former = (self._secret,) if self._secret else self._host_secrets()
        if not current and is_shared:
            raise DraftError(
                "there is no secret that all processes of this server could make the cookies of draft mode from: set "
                "the option `secret` to at least 16 random characters, in Flask app.secret_key, in Django SECRET_KEY"
            )
        current = current or _secret_of_process(os.getpid())
        return [utf8(secret) if isinstance(secret, str) else secret for secret in (current, *former) if secret]

    def _cookie(
        self, name: str, value: str, path: str = "/", max_age: float | None = None, expires: datetime | None = None
    ) -> str:
        # A page of another site, such as a CMS, shows drafts in a frame: None lets it. Browsers want Secure with it.
        return serialize_cookie(
            name,
            value,
            path=path,
            max_age=max_age,
            expires=expires,
            http_only=True,
            secure=not self._is_debug,
            same_site="lax" if self._is_debug else "none",
        )


@cache
def _secret_of_process(_process: int) -> bytes:
    return os.urandom(32)


def _bypass(secret: bytes) -> str:
    return hmac.digest(secret, b"nextapi draft mode", "sha256").hex()[:32]


def _keys(secret: bytes) -> tuple[bytes, AESGCM]:
    """Return the key that signs preview data, and the cipher that has the key which encrypts them."""
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    except ImportError as error:
        raise DraftError("preview data need a library: pip install 'nextapi-wsgi[preview]'") from error
    derived = HKDF(SHA256(), length=64, salt=None, info=b"nextapi preview data").derive(secret)
    return derived[:32], AESGCM(derived[32:])


def _seal(text: bytes, secret: bytes, max_age: float | None) -> str:
    """Return the token that holds JSON text, for `max_age` seconds unless that is None."""
    signing_key, cipher = _keys(secret)
    nonce = os.urandom(_NONCE_SIZE)
    claims: dict[str, object] = {"data": _base64(nonce + cipher.encrypt(nonce, text, None))}
    if max_age is not None:
        claims["exp"] = int(time()) + int(max_age)
    content = f"{_base64(dumps({'alg': 'HS256', 'typ': 'JWT'}))}.{_base64(dumps(claims))}"
    return f"{content}.{_signature(content, signing_key)}"


def _open(token: str, secret: bytes) -> Any:
    """Return the data in a token, None if it was not made with this secret, was changed, or is too old."""
    signing_key, cipher = _keys(secret)
    content, _, signature = token.rpartition(".")
    # The signature is compared as text: several texts decode to the same bytes.
    if not _is_equal(signature, _signature(content, signing_key)):
        return None
    claims = loads(_from_base64(content.partition(".")[2]).decode())
    if "exp" in claims and claims["exp"] <= time():
        return None
    sealed = _from_base64(claims["data"])
    return loads(cipher.decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], None).decode())


def _signature(content: str, key: bytes) -> str:
    return _base64(hmac.digest(key, utf8(content), "sha256"))


def _is_equal(given: str, right: str) -> bool:
    return hmac.compare_digest(utf8(given), right.encode())


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_base64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
