"""The rules of tests/conftest.py, tried out on small test files in a pytest of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

CONFTEST = (Path(__file__).parent / "conftest.py").read_text(encoding="utf-8")
MARKERS = """
[pytest]
markers =
    browser: -
    live: -
"""


def outcomes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, source: str, *, ci: str | None
) -> tuple[dict[str, int], str]:
    """Run a test file under our conftest, in CI or not; return the counts and the output."""
    if ci is None:
        monkeypatch.delenv("CI", raising=False)
    else:
        monkeypatch.setenv("CI", ci)
    monkeypatch.delenv("HYPOTHESIS_PROFILE", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # seconds of imports that these tests do not need
    pytester.makeconftest(CONFTEST)
    pytester.makeini(MARKERS)
    pytester.makepyfile(source)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-rA")
    return result.parseoutcomes(), result.stdout.str()


SKIPS = """
import pytest

@pytest.mark.{kind}
def test_needs_something():
    pytest.skip("there is none here")

def test_other():
    pytest.skip("not of that kind")
"""


@pytest.mark.parametrize("kind", ["browser", "live"])
def test_in_ci_a_skipped_browser_or_live_test_fails(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    counts, output = outcomes(pytester, monkeypatch, SKIPS.format(kind=kind), ci="true")
    assert {"failed": 1, "skipped": 1} == counts
    assert f"a {kind} test was skipped, and in CI it must run: Skipped: there is none here" in output


@pytest.mark.parametrize("ci", [None, "", "false"])
def test_elsewhere_it_is_just_skipped(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str | None
) -> None:
    counts, _ = outcomes(pytester, monkeypatch, SKIPS.format(kind="live"), ci=ci)
    assert {"skipped": 2} == counts


def test_skipif_and_fixtures_count_as_well(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
    import pytest

    pytestmark = pytest.mark.live

    @pytest.fixture
    def kernel():
        pytest.skip("no kernel")

    def test_one(kernel): ...

    @pytest.mark.skipif(True, reason="too old")
    def test_two(): ...

    @pytest.mark.xfail(reason="known", run=False)
    def test_three(): ...
    """
    counts, output = outcomes(pytester, monkeypatch, source, ci="1")
    assert counts.get("skipped") is None
    assert 1 == counts["xfailed"]
    assert 2 == counts.get("failed", 0) + counts.get("errors", 0)
    assert "no kernel" in output
    assert "too old" in output


def test_in_ci_no_file_skips_itself_as_a_whole(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
    import pytest

    pytest.importorskip("a_module_that_nobody_has", reason="not installed")

    @pytest.mark.browser
    def test_needs_it(): ...
    """
    counts, output = outcomes(pytester, monkeypatch, source, ci="true")
    assert {"errors": 1} == counts
    assert "skipped itself as a whole" in output


def test_in_ci_hypothesis_draws_the_same_examples_every_time(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
    from hypothesis import settings

    def test_profile():
        assert settings().derandomize
    """
    counts, _ = outcomes(pytester, monkeypatch, source, ci="true")
    assert {"passed": 1} == counts
