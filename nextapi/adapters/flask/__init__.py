"""nextapi in a Flask app: `app.register_blueprint(create_blueprint("web"))`."""

from nextapi.adapters.flask.mount import create_blueprint

__all__ = ["create_blueprint"]
