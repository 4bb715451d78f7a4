"""What holds for every test: hypothesis profiles, and no silent skips in CI.

Here live no fixtures for single rooms: those stand in the conftest.py of their own folder.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

# A test of these kinds looks at something outside this repository (a browser, a kernel, a hub's proxy). On a
# learner's machine it may be missing, and the test is skipped with its reason. In CI nobody reads reasons, so there a
# skip is a failure.
MUST_RUN_IN_CI = ("browser", "live", "hub")

# "ci" draws the same examples every time: a red run can be repeated. "dev" looks for new ones each time.
# "thorough" is for a night: `HYPOTHESIS_PROFILE=thorough make check`. No deadline: the machine may be busy.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=100, print_blob=True)
settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=5000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "dev"))


SLOW = ("hub", "notebook", "slow", "browser")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with the most slow tests first: begun last, one would keep a single worker busy when the rest is done."""
    slow = Counter(item.path for item in items if any(item.get_closest_marker(kind) for kind in SLOW))
    items.sort(key=lambda item: -slow[item.path])


def _reason(longrepr: object) -> str:
    return str(longrepr[-1]) if isinstance(longrepr, tuple) else str(longrepr)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, turn the skip of a browser, live or hub test into a failure that gives the reason of the skip."""
    report = yield
    kinds = [kind for kind in MUST_RUN_IN_CI if item.get_closest_marker(kind)]
    if IN_CI and kinds and report.skipped and not hasattr(report, "wasxfail"):
        reason = _reason(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"a {kinds[0]} test was skipped, and in CI it must run: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """In CI, no file skips itself as a whole: its tests, and so their marks, were never seen."""
    report = yield
    if IN_CI and report.skipped:
        reason = _reason(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} skipped itself as a whole, and in CI it must run: {reason}"
    return report
