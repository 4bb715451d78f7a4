"""How true the model is, as tables: held against recordings of real kernels, and what it leaves out."""

from __future__ import annotations

from functools import cache

from vmalab.differences.answers import number
from vmalab.differences.compare import compare
from vmalab.errors import UsageError
from vmalab.linux.scope import NOT_MODELLED
from vmalab.machines.model import Model
from vmalab.machines.recorded import Recorded, releases
from vmalab.pictures.table import Table

NAMED = {"6.1.0": "6.1.0 (6.1.176; Debian calls all of that series so)"}
"""Kernels whose own name does not say which they are (`data/recordings/README.md`)."""


def agreement_table(every: int = 4, *, said: str = "") -> Table:
    """Recorded programs on the model of each recorded kernel: how many programs and calls, and how many differ.

    `every`: each fourth program, unless told otherwise; 1 takes all of them, and about ten seconds.  `said`: what to
    say below it first.
    """
    given: object = every  # a learner may give anything
    if not isinstance(given, int) or given < 1:
        raise UsageError(f"every is a number from 1 on, such as 4 for each fourth program, not {every!r}")
    held = {release: _held(release, every) for release in releases()}
    rows = [(f"Linux {NAMED.get(number(release), number(release))}", *counts) for release, counts in held.items()]
    programs, calls, differ = map(sum, zip(*held.values(), strict=True))
    found = "The model gives the answers of the kernels to all of them" if not differ else f"{differ} differ"
    return Table(
        "The model against recordings of real kernels",
        ("kernel", "programs", "calls", "programs that differ"),
        rows,
        f"{said} {len(rows)} kernels, {programs} programs, {calls} calls. {found}.".lstrip(),
    )


@cache
def _held(release: str, every: int) -> tuple[int, int, int]:
    recorded, model = Recorded(release), Model(release, trace=False)
    chosen = recorded.scenarios[::every]
    differ = [one for one in chosen if not compare(recorded.run(one), model.run(one)).agrees]
    return len(chosen), sum(len(one.steps) for one in chosen), len(differ)


def left_out() -> Table:
    """What the model does not know, and why."""
    return Table("What the model leaves out", ("left out", "why"), NOT_MODELLED.items())
