"""A cost model: nanoseconds for a call, a VMA, an entry at each level, fitted to what was measured.

The fit is least squares on relative errors, with no cost below zero; numpy solves it.  What was fitted is kept beside
the measurements as `NAME.costs.json`, so that whoever only wants the costs needs no numpy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
from attrs import frozen

from vmalab.errors import RecordingError
from vmalab.machines.measure.plan import Entries
from vmalab.machines.measure.results import Result, Results, recorded_file

TERMS = ("calls", "vmas", "pte", "pmd", "pud", "tables")
"""What a move is made of, as `Entries` counts it."""


@frozen
class CostModel:
    """Nanoseconds for each of `TERMS`."""

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


# --- files ---------------------------------------------------------------------------------------------------


def costs_file(measurements: Path) -> Path:
    """Where the costs that were fitted to the file `measurements` are kept: beside it."""
    return measurements.with_name(f"{measurements.stem}.costs.json")


def to_json(model: CostModel, measurements: str) -> str:
    """The costs as JSON text, to a hundredth of a nanosecond; `measurements` is the file that they were fitted to."""
    return json.dumps(
        {"fitted to": measurements, "nanoseconds": {term: round(model.cost[term], 2) for term in TERMS}}, indent=2
    ) + "\n"  # fmt: skip


def from_json(text: str, where: str = "the costs") -> CostModel:
    """What `to_json` wrote.  Raises RecordingError that says what was expected."""
    try:
        cost = json.loads(text)["nanoseconds"]
        if set(cost) != set(TERMS):
            raise ValueError
        return CostModel({term: float(cost[term]) for term in TERMS})
    except (ValueError, TypeError, KeyError):
        raise RecordingError(f"{where}: expected nanoseconds for {', '.join(TERMS)}") from None


def recorded_costs(name: str = "") -> CostModel:
    """The costs fitted to `recorded(name)`, read from their file.  Raises RecordingError if there is none."""
    path = costs_file(recorded_file(name))
    try:
        return from_json(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path} can't be read: {error}") from None
