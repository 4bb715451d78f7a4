"""A test before a course and one after it, held together: how much of what could be learned was learned.

The normalised gain is (after - before) / (most - before): the part of the room above the first test that the second one
filled (R. R. Hake, American Journal of Physics 66, 64, 1998).  Here are the numbers and how sure they are; what they
can't show, says `docs/before-and-after.ipynb`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from random import Random
from statistics import fmean

from attrs import frozen

from vmalab.errors import UsageError
from vmalab.pictures.table import Table

AGAIN = 2000
"""So often a class is drawn from itself, to see how much its gain depends on who took part (bootstrap)."""

FEW = 20
"""Fewer students than this say little about a course."""

COLUMNS = ("student", "before", "after")


@frozen
class Marks:
    """What one student had in both tests, in points."""

    student: str
    before: float
    after: float


def read_marks(path: str | PathLike[str], most: float = 10) -> list[Marks]:
    """Those who took both tests, from a CSV file with the columns `student`, `before`, `after`.

    An empty field: not taken.  `most`: the points of each test.  Raises UsageError that names the line.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not set(COLUMNS) <= set(reader.fieldnames or ()):
                raise UsageError(f"{path} has no columns {', '.join(COLUMNS)} in its first line")
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} can't be read as CSV: {error}") from None
    found = [(line, row["student"], _points(row, path, line, most)) for line, row in rows]
    return [Marks(student or f"line {line}", *points) for line, student, points in found if points is not None]


def _points(row: dict[str, str], path: object, line: int, most: float) -> tuple[float, float] | None:
    told = [(row[column] or "").strip() for column in COLUMNS[1:]]
    if "" in told:
        return None
    try:
        before, after = (float(text.replace(",", ".")) for text in told)
    except ValueError:
        raise UsageError(f"{path}, line {line}: points are numbers, not {' and '.join(map(repr, told))}") from None
    if not (0 <= before <= most and 0 <= after <= most):
        raise UsageError(f"{path}, line {line}: points are from 0 to {most:g}, not {before:g} and {after:g}")
    return before, after


def gain(before: float, after: float, most: float = 10) -> float:
    """The normalised gain of one student or of the means of a class; below 0 where points were lost.

    Raises UsageError where there was nothing left to gain.

    >>> gain(4, 7), gain(5, 4)
    (0.5, -0.2)
    """
    if before >= most:
        raise UsageError(f"who has {most:g} of {most:g} points before can gain nothing: there is no normalised gain")
    return (after - before) / (most - before)


def compare_tests(marks: Sequence[Marks] | Sequence[tuple[str, float, float]], most: float = 10) -> Table:
    """What a class gained: means, the normalised gain of the means with an interval, and what to be careful about.

    `marks`: as `read_marks` gives them, or (student, before, after).  `most`: the points of each test.  The interval is
    the middle 95 % of 2,000 classes drawn from this one; it is the same in each run.  O(2000 · students).
    """
    taken = [one if isinstance(one, Marks) else Marks(*one) for one in marks]
    if not taken:
        raise UsageError("nobody took both tests: there is nothing to compare")
    before, after = (fmean(getattr(one, name) for one in taken) for name in COLUMNS[1:])
    low, high = _interval(taken, most)
    full = sum(one.before >= most for one in taken)
    rows = [
        ("students who took both", f"{len(taken)}"),
        ("mean before", f"{before:.1f} of {most:g}"),
        ("mean after", f"{after:.1f} of {most:g}"),
        ("normalised gain of the class", f"{gain(before, after, most):.2f}"),
        ("95 % of classes drawn from this one", f"{low:.2f} to {high:.2f}"),
        ("students who lost points", f"{sum(one.after < one.before for one in taken)}"),
        ("students with all points before", f"{full}"),
    ]
    return Table("Before and after", ("", "this class"), rows, " ".join(_cautions(taken, low, high, full)))


def _interval(taken: Sequence[Marks], most: float) -> tuple[float, float]:
    chance = Random("before and after").random
    found = []
    for _ in range(AGAIN):
        drawn = [taken[int(chance() * len(taken))] for _ in taken]
        before, after = fmean(one.before for one in drawn), fmean(one.after for one in drawn)
        found.append(gain(before, after, most) if before < most else 0.0)
    found.sort()
    return found[int(AGAIN * 0.025)], found[int(AGAIN * 0.975)]


def _cautions(taken: Sequence[Marks], low: float, high: float, full: int) -> Iterable[str]:
    if len(taken) < FEW:
        yield f"{len(taken)} students are few: the interval says more than the gain."
    if low <= 0 <= high:
        yield "The interval has 0 in it: this class shows no gain that chance could not have made."
    if full:
        yield f"The test was too easy for {full}: what they learned, it can't show."


def gains_table(marks: Sequence[Marks], most: float = 10) -> Table:
    """Student by student: points before and after, and the normalised gain; none where there was nothing to gain."""
    rows = [
        (one.student, f"{one.before:g}", f"{one.after:g}",
         "–" if one.before >= most else f"{gain(one.before, one.after, most):+.2f}")
        for one in marks
    ]  # fmt: skip
    return Table("Student by student", ("student", "before", "after", "normalised gain"), rows)
