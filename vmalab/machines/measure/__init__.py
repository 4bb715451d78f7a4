"""What moves cost: measured on this machine's kernel, and predicted from the entries that the model counts.

    measure()            times everything on this machine's kernel
    recorded()           what was measured before, on the machine that data/measurements names
    fit(results)         nanoseconds for a call, a VMA, a page-table entry of each level

plan.py      the cases
results.py   medians and quartiles; CSV files that say where they come from
costs.py     the cost model, its fit, and what was fitted before
price.py     what one move would cost
The child that does the timing is machines/live/driver/measure.py.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable

from vmalab.errors import UsageError
from vmalab.machines.live import Live
from vmalab.machines.measure.costs import CostModel, fit
from vmalab.machines.measure.plan import Case, cases, plan
from vmalab.machines.measure.results import Result, Results, collect, read, recorded_file
from vmalab.machines.provenance import provenance

__all__ = ["Case", "CostModel", "Result", "Results", "cases", "fit", "measure", "recorded"]

ROUNDS = 15


def measure(
    *, quick: bool = False, rounds: int = ROUNDS, only: str = "", live: Live | None = None,
    progress: Callable[[int], None] = lambda _round: None,
) -> Results:  # fmt: skip
    """Time the cases on this machine's kernel, `rounds` times, all of them in turn.

    `quick`: small sizes.  `only`: one group (`"many"`, `"move"`, …).  Raises LiveUnavailable where there is no live
    machine, MachineError where the kernel refuses, UsageError for a group that there is not.
    """
    with live or Live() as machine:
        multi = machine.abilities().multi_vma_move
        everything = cases(quick=quick, multi=multi)
        groups = list(dict.fromkeys(case.group for case in everything))
        if only and only not in groups:
            raise UsageError(f"there is no group {only!r} to measure: there are {', '.join(groups)}")
        chosen = [case for case in everything if not only or case.group in (only, "null")]
        told = []
        for number in range(rounds):
            told += [moment["ns"] for moment in machine.measure(plan(chosen, 1))]
            progress(number + 1)
        return Results(tuple(collect(chosen, told)), _where(machine))


def recorded(name: str = "") -> Results:
    """The measurements in `data/measurements/`: that called `name`, or the newest kernel's."""
    return read(recorded_file(name))


def _where(machine: Live) -> dict[str, str]:
    """Where measurements come from: what about this machine changes times."""
    about = provenance()
    load = os.getloadavg()
    return {
        "kernel": machine.release,
        "processor": _processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "load": " ".join(f"{one:.2f}" for one in load),
        "transparent_hugepage": about["transparent_hugepage"].get("enabled", "unknown"),
        "date": about["date"],
        "tool": about["tool"],
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next((line.split(": ", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    except OSError:
        return ""
