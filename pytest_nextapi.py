"""Fixtures for pytest, which finds them where nextapi is installed.

Every run of pytest imports this module: it imports nothing of nextapi before a fixture is asked for, so that it costs
nothing where none is, and comes before no coverage, patching or warning filter.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from nextapi.testing import Client

__all__ = ["nextapi_client", "nextapi_root", "pytest_addoption"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the ini option `nextapi_root`."""
    parser.addini("nextapi_root", "the folder that holds pages/ and app/, relative to the rootdir", default="web")


@pytest.fixture(scope="session")
def nextapi_root(pytestconfig: pytest.Config) -> Path:
    """Return the root folder: the ini option `nextapi_root`, or `web`, below pytest's rootdir."""
    return pytestconfig.rootpath / str(pytestconfig.getini("nextapi_root"))


@pytest.fixture
def nextapi_client(nextapi_root: Path) -> Client:
    """Return a client of the tree in `nextapi_root`; each test has one, with no cookies yet."""
    from nextapi.testing import Client

    return Client(nextapi_root)
