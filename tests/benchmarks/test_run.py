"""`vmalab run` for people and `Model` over long programs: what twice the calls cost, in time and in memory."""

from __future__ import annotations

import contextlib
import io
import json
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from time import process_time

import pytest

from tests.benchmarks.conftest import Table
from tests.tiny_language import at
from vmalab.cli.run import command
from vmalab.linux.addr import PAGE
from vmalab.linux.call import Call, Mmap, Touch
from vmalab.machines.model import Model

AIM = 2.3
COUNTS = (500, 1000, 2000, 4000, 8000)

Timed = Callable[..., float]


def run(path: Path, calls: int) -> float:
    """Seconds of processor time for a program of so many mmaps that leave gaps."""
    steps = [{"call": "mmap", "addr": 2 * number, "pages": 1, "prot": "rw", "kind": "anon"} for number in range(calls)]
    path.write_text(json.dumps({"name": "many", "arena_pages": 2 * calls, "steps": steps}))
    start = process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        command([str(path)], standalone_mode=False)
    return process_time() - start


def test_the_report_for_people(timed: Timed, table: Table, tmp_path: Path) -> None:
    run(tmp_path / "warm.json", 10)
    seconds = {calls: min(run(tmp_path / "many.json", calls) for _ in range(2)) for calls in COUNTS}
    timed(lambda: run(tmp_path / "some.json", 100))
    for small, large in pairwise(COUNTS):
        table.add(f"run of {large:,} calls against {small:,}", f"{seconds[large]:.2f} s", f"{seconds[small]:.2f} s",
                  seconds[large] / seconds[small], AIM)  # fmt: skip


@pytest.mark.parametrize("touched", [False, True])
def test_memory_of_outcomes_that_are_kept(timed: Timed, table: Table, touched: bool) -> None:
    def kept(calls: int) -> int:
        model = Model("6.18")
        program: list[Call] = []
        for number in range(calls // 2 if touched else calls):
            program.append(Mmap(at(2 * number), PAGE))
            program += [Touch(at(2 * number), PAGE)] if touched else []
        tracemalloc.start()
        outcomes = [model.do(call) for call in program]
        taken = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert calls == len(outcomes)
        return taken

    taken = {calls: kept(calls) for calls in (500, 1000, 2000)}
    timed(lambda: kept(100))
    for small, large in ((500, 1000), (1000, 2000)):
        name = f"{large:,} outcomes {'of touches too ' if touched else ''}against {small:,}"
        table.add(name, f"{taken[large] >> 10:,} KiB", f"{taken[small] >> 10:,} KiB", taken[large] / taken[small], AIM)
