"""Live tests: each makes real system calls, and is skipped where that can't be (in CI that is a failure)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vmalab.errors import LiveUnavailable
from vmalab.machines.live import Live

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session")
def machine() -> Iterator[Live]:
    """One live machine for all tests that don't break it."""
    try:
        live = Live()
        live.abilities()
    except LiveUnavailable as error:
        pytest.skip(str(error))
    with live:
        yield live


@pytest.fixture
def fragile(machine: Live) -> Iterator[Live]:
    """A live machine of one's own, with little patience."""
    with Live(time_limit=1.0) as live:
        yield live
