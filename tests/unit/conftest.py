"""What several of these tests need around them."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.page_cache import Clock, settle

# A slow machine is no fault.
settings.register_profile("unit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unit")


@pytest.fixture
def forget_modules() -> Iterator[None]:
    """Take the modules of a test's roots out of the process again."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("nextapi_root_"):
            del sys.modules[name]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the time of page caches, which stands still."""
    clock = Clock()
    clock.rule(monkeypatch)
    return clock


@pytest.fixture
def settled() -> Iterator[None]:
    """Wait at the end until nothing is made beside requests."""
    yield
    settle()
