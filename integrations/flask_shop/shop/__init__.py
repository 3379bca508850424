"""A small shop: products, carts and orders, for customers who log in. `gunicorn "shop:create_app()"` serves it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask

from nextapi.adapters.flask import create_blueprint
from nextapi.adapters.wsgi import PageCache

from . import accounts, db, errors, pages


def create_app(config: dict[str, Any] | None = None) -> Flask:
    """Make the app; `config` goes before the environment's `SHOP_DATABASE`, `SHOP_SECRET_KEY` and the like."""
    app = Flask(__name__, instance_relative_config=True)
    app.config.from_mapping(
        DATABASE=str(Path(app.instance_path, "shop.sqlite3")),
        SECRET_KEY="dev",
        SESSION_COOKIE_SAMESITE="Lax",
        PAGE_CACHE=str(Path(app.instance_path, "pages.sqlite3")),
        REVALIDATE_SECRET=None,
    )
    app.config.from_prefixed_env("SHOP")
    app.config.from_mapping(config)
    db.init_app(app)
    errors.init_app(app)
    app.register_blueprint(accounts.blueprint)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(create_blueprint("web"))
    cached = PageCache(app.wsgi_app, store=app.config["PAGE_CACHE"], debug=app.debug)
    app.wsgi_app = cached  # type: ignore[method-assign]
    return app
