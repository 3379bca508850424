"""The database: one SQLite connection for each request, and the commands that set it up."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import click
from flask import Flask, current_app, g
from werkzeug.security import generate_password_hash


def get_db() -> sqlite3.Connection:
    """Return the connection of this request, opened when first asked for."""
    if "db" not in g:
        g.db = sqlite3.connect(current_app.config["DATABASE"])
        g.db.row_factory = sqlite3.Row
        g.db.execute("PRAGMA foreign_keys = ON")
    connection: sqlite3.Connection = g.db
    return connection


def close_db(_: BaseException | None = None) -> None:
    """Close the connection; what was not committed is undone."""
    connection: sqlite3.Connection | None = g.pop("db", None)
    if connection is not None:
        connection.close()


@click.command("init-db")
def init_db() -> None:
    """Make all tables anew, with the products that the shop sells."""
    Path(current_app.config["DATABASE"]).parent.mkdir(parents=True, exist_ok=True)
    with current_app.open_resource("schema.sql", "r") as schema:
        get_db().executescript(schema.read())
    click.echo("The shop has its shelves.")


@click.command("add-user")
@click.argument("name")
@click.password_option()
def add_user(name: str, password: str) -> None:
    """Add a customer."""
    with get_db() as connection:
        row = (name, generate_password_hash(password))
        connection.execute("INSERT INTO users (name, password) VALUES (?, ?)", row)
    click.echo(f"{name} can log in.")


def init_app(app: Flask) -> None:
    """Close connections after requests, and add the commands."""
    app.teardown_appcontext(close_db)
    app.cli.add_command(init_db)
    app.cli.add_command(add_user)
