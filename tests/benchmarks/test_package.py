"""How long the package takes to load, and its pictures to draw."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from time import process_time

import pytest

from tests.benchmarks.conftest import Table
from tests.tiny_language import MOVE, at
from vmalab.linux.addr import PAGE
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.pictures.scene import scenes_of
from vmalab.pictures.svg import draw_all

Timed = Callable[..., float]

LIBRARIES = "attr, attrs, cattrs, sortedcontainers"
IMPORT = """
from time import process_time
start = process_time()
import {libraries}
between = process_time()
{what}
print(between - start, process_time() - between)
"""


def import_times(what: str) -> tuple[float, float]:
    """Seconds of processor time for the libraries, and then for `what`; the fastest of ten fresh interpreters."""
    code = IMPORT.format(libraries=LIBRARIES, what=what)
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(10)
    ]
    return min(float(run[0]) for run in runs), min(float(run[1]) for run in runs)


@pytest.mark.parametrize(
    ("name", "what"),
    [("import vmalab", "import vmalab"), ("import vmalab and its model", "from vmalab import Model; Model()")],
)
def test_import(timed: Timed, table: Table, name: str, what: str) -> None:
    libraries, ours = import_times(what)
    timed(lambda: None)
    # the aim is 60 ms more than the libraries: a ratio to 60 ms
    table.add(f"{name}, beyond its libraries", f"{ours * 1e3:.1f} ms", "60 ms", ours / 0.060, 1)
    table.add(f"{name}, against its libraries", f"{ours * 1e3:.1f} ms", f"{libraries * 1e3:.1f} ms", ours / libraries)


def moved(vmas: int) -> Outcome:
    """A move of so many VMAs, with gaps."""
    model = Model("6.18")
    for number in range(vmas):
        model.mmap(at(3 * number), 2 * PAGE, "rw" if number & 1 else "r")
        model.touch(at(3 * number), PAGE)
    return model.mremap(at(0), 3 * vmas * PAGE, 3 * vmas * PAGE, MOVE, at(10_000))


def test_drawing(timed: Timed, table: Table) -> None:
    def frames(outcome: Outcome) -> int:
        return sum(len(drawing.parts) for drawing in draw_all(scenes_of(outcome)))

    small, large = moved(3), moved(12)
    counts = frames(small), frames(large)
    times = []
    for _ in range(5):
        start = process_time()
        frames(small)
        times.append(process_time() - start)
    seconds = timed(lambda: frames(large), rounds=3)
    table.add("drawing all frames of a move of 3 VMAs", f"{min(times) * 1e3:.1f} ms", "100 ms", min(times) / 0.1, 1)
    table.add("drawing all frames of a move of 12 VMAs", f"{seconds * 1e3:.1f} ms", "1000 ms", seconds / 1.0, 1)
    large_part, small_part = seconds / counts[1] * 1e6, min(times) / counts[0] * 1e6
    table.add(
        "a part of a frame, 12 VMAs against 3",
        f"{large_part:.1f} us",
        f"{small_part:.1f} us",
        large_part / small_part,
        1.5,
    )
