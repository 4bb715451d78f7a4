"""Benchmarks run only when asked for (`make bench`), and end with a table of ratios, each within this one run.

All times are of the processor (time.process_time), so that a busy machine disturbs them little.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field, frozen

HERE = Path(__file__).parent


@frozen
class Latency:
    """An interaction in the browser: ms to the changed page and to the painted frame, messages and their bytes."""

    name: str
    server: str
    median: float
    p95: float
    painted: float
    painted_p95: float
    there: int
    back: int
    size: int
    aim: float | None


@define
class Table:
    """What was measured: name, the model's figure, what it is held against, their ratio and the most it should be."""

    rows: list[tuple[str, str, str, float, float | None]] = field(factory=list)
    latencies: list[Latency] = field(factory=list)

    def add(self, name: str, ours: str, theirs: str, ratio: float, aim: float | None = None) -> None:
        self.rows.append((name, ours, theirs, ratio, aim))


TABLE = pytest.StashKey[Table]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TABLE] = Table()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return None if config.getoption("benchmark_only", default=False) else True


@pytest.fixture
def table(request: pytest.FixtureRequest) -> Table:
    return request.config.stash[TABLE]


@pytest.fixture
def timed(benchmark: Any) -> Callable[..., float]:
    """Seconds of processor time that a function takes, at its fastest; pytest-benchmark keeps the rest."""

    def measure(function: Callable[[], object], *, rounds: int = 5) -> float:
        benchmark.pedantic(function, rounds=rounds, iterations=1, warmup_rounds=1 if rounds > 2 else 0)
        return float(benchmark.stats.stats.min)

    return measure


@pytest.fixture(scope="session")
def real() -> dict[str, float | None]:
    """Microseconds that the kernel of this machine takes for each call, made through ctypes in a process of its own."""
    if not sys.platform.startswith("linux"):
        pytest.skip("there is no Linux here to compare with")
    done = subprocess.run([sys.executable, "-S", "-E", HERE / "real.py"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the real calls could not be made: {done.stderr.strip().splitlines()[-1:]}")
    return dict(json.loads(done.stdout))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    latencies_summary(terminalreporter, config.stash[TABLE].latencies)
    rows = config.stash[TABLE].rows
    if not rows:
        return
    terminalreporter.section("ratios of this run")
    line = "{:<50} {:>14} {:>14} {:>8} {:>6}  {}"
    terminalreporter.write_line(line.format("what", "model", "against", "ratio", "aim", ""))
    for name, ours, theirs, ratio, aim in rows:
        verdict = "" if aim is None else "met" if ratio <= aim else "MISSED"
        terminalreporter.write_line(
            line.format(name, ours, theirs, f"{ratio:.2f}", "" if aim is None else f"{aim:g}", verdict)
        )


def latencies_summary(terminalreporter: pytest.TerminalReporter, latencies: list[Latency]) -> None:
    if not latencies:
        return
    terminalreporter.section("from the key press, in ms: median and 95th percentile")
    line = "{:<44} {:<10} {:>17} {:>17} {:>9} {:>9} {:>6}  {}"
    terminalreporter.write_line(line.format("what", "server", "in the page", "painted", "messages", "bytes", "aim", ""))
    for one in latencies:
        verdict = "" if one.aim is None else "met" if one.median <= one.aim else "MISSED"
        terminalreporter.write_line(
            line.format(
                one.name, one.server, f"{one.median:.1f} / {one.p95:.1f}", f"{one.painted:.1f} / {one.painted_p95:.1f}",
                f"{one.there} + {one.back}", f"{one.size:,}", "" if one.aim is None else f"{one.aim:g}", verdict,
            )
        )  # fmt: skip
