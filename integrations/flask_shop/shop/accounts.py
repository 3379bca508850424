"""Who the customer is: the session has the id, the database the rest."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.security import check_password_hash

from .db import get_db

P = ParamSpec("P")

blueprint = Blueprint("accounts", __name__)


def get_user() -> sqlite3.Row | None:
    """Return who has logged in, None for nobody.

    Only what is for one customer asks, and has `g.user` from then on: a session that is read adds `Vary: Cookie`.
    """
    if "user" not in g:
        user_id = session.get("user_id")
        g.user = get_db().execute("SELECT * FROM users WHERE id = ?", (user_id,)).fetchone() if user_id else None
    user: sqlite3.Row | None = g.user
    return user


def check_user(name: str, password: str) -> sqlite3.Row | None:
    """Return the user with that name if the password is right."""
    row: sqlite3.Row | None = get_db().execute("SELECT * FROM users WHERE name = ?", (name,)).fetchone()
    return row if row and check_password_hash(row["password"], password) else None


def login_required(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Send who has not logged in to the login page."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        return view(*args, **kwargs) if get_user() else redirect(url_for("accounts.login"))

    return guarded


@blueprint.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """Log in."""
    if request.method == "POST":
        user = check_user(request.form["name"], request.form["password"])
        if user:
            session.clear()
            session["user_id"] = user["id"]
            return redirect(url_for("pages.products"))
        flash("Name or password is wrong.")
    return render_template("login.html")


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    """Log out."""
    session.clear()
    return redirect(url_for("pages.products"))
