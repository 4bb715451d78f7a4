"""A cost model: nanoseconds for a call, a VMA, an entry at each level, fitted to what was measured.

The fit is least squares on relative errors, with no cost below zero; numpy solves it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
from attrs import frozen

from vmalab.measure.plan import Entries
from vmalab.measure.results import Result, Results

TERMS = ("calls", "vmas", "pte", "pmd", "pud", "tables")
"""What a move is made of, as `Entries` counts it."""

WORDS = {
    "calls": "a system call",
    "vmas": "a VMA that moves",
    "pte": "a PTE that moves",
    "pmd": "a PMD entry that moves (2 MiB at once)",
    "pud": "a PUD entry that moves (1 GiB at once)",
    "tables": "a page table that the destination needs",
}


@frozen
class CostModel:
    """Nanoseconds for each of `TERMS`; `terms` are those that the fit was allowed to use."""

    cost: Mapping[str, float]

    def predict(self, entries: Entries) -> float:
        """Nanoseconds for a move with these counts."""
        counted: dict[str, int] = attrs.asdict(entries)
        return sum((self.cost.get(term, 0.0) * counted[term] for term in TERMS), 0.0)

    def residual(self, row: Result) -> float:
        """How far the prediction is off, as a part of what was measured: 0.5 is half as much again."""
        assert row.entries is not None
        return self.predict(row.entries) / row.median - 1


def fit(results: Results | Sequence[Result], terms: Sequence[str] = TERMS) -> CostModel:
    """The cost of each of `terms` that fits the measured moves best.

    A term whose cost would come out below zero is left out, and the rest fitted again.
    """
    import numpy

    rows = [row for row in (results.rows if isinstance(results, Results) else results) if row.entries and row.median]
    used = list(terms)
    while used and rows:
        counts = [[attrs.asdict(row.entries)[term] / row.median for term in used] for row in rows]  # type: ignore[arg-type]
        solved, *_ = numpy.linalg.lstsq(numpy.array(counts), numpy.ones(len(rows)), rcond=None)
        found = dict(zip(used, map(float, solved), strict=True))
        below = [term for term, cost in found.items() if cost < 0]
        if not below:
            return CostModel({term: found.get(term, 0.0) for term in TERMS})
        used.remove(min(below, key=lambda term: found[term]))
    return CostModel(dict.fromkeys(TERMS, 0.0))
