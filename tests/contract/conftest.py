"""The contract suite: what a tree does, written once and run in every host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from werkzeug.test import Client

from tests.support.hosts import HOSTS
from tests.support.mounts import mounted
from tests.support.trees import write_files, write_tree


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> str:
    """Return the name of the host that a test runs in."""
    name: str = request.param
    return name


@pytest.fixture
def serve(host: str, tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Return a function that writes files below pages/api, mounts them with options, and returns a client."""
    with ExitStack() as stack:

        def mount(files: dict[str, str], **options: object) -> Client:
            return stack.enter_context(mounted(host, write_tree(tmp_path / "web", files), **options))

        yield mount


@pytest.fixture
def serve_files(host: str, tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Return a function that writes files below a root, by their paths, mounts them with options, returns a client."""
    with ExitStack() as stack:

        def mount(files: dict[str, str], **options: object) -> Client:
            return stack.enter_context(mounted(host, write_files(tmp_path / "web", files), **options))

        yield mount
