"""What a page cache before a Flask app asks of it: its secrets, those of its trees, and TRUSTED_HOSTS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from nextapi.adapters.flask.host import secrets_of
from nextapi.adapters.flask.mount import mounted_trees
from nextapi.cache.host import BareHost
from nextapi.draft import Draft

if TYPE_CHECKING:
    import flask

__all__ = ["cache_host"]


def cache_host(
    app: flask.Flask, secret: bytes, hosts: Sequence[str] | None, proxies: Sequence[ProxyFix]
) -> FlaskCacheHost:
    """Return what the page cache before an app is told of it; `secret` and `hosts` are options of the cache."""
    return FlaskCacheHost(app, secret, hosts, proxies)


class FlaskCacheHost(BareHost):
    """What Flask's settings say (`nextapi.cache.host.CacheHost`)."""

    def __init__(
        self, app: flask.Flask, secret: bytes, hosts: Sequence[str] | None, proxies: Sequence[ProxyFix]
    ) -> None:
        super().__init__(Draft(secret, False, self._secrets), hosts, proxies)
        self._app = app

    def _secrets(self) -> list[str | bytes | None]:
        return [*secrets_of(self._app), *(tree.options.secret for tree in mounted_trees(self._app))]

    def _hosts(self) -> Sequence[str] | None:
        return super()._hosts() or self._app.config.get("TRUSTED_HOSTS")

    def origin(self) -> tuple[str, str] | None:
        scheme: str = self._app.config["PREFERRED_URL_SCHEME"]
        if name := self._app.config.get("SERVER_NAME"):
            return scheme, name
        found = super().origin()
        return (scheme, found[1]) if found else None
