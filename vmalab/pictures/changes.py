"""What is different from one frame to the next, and which VMAs a step looked at."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import chain
from operator import attrgetter

from attrs import frozen

from vmalab.linux.mm.trace import Step
from vmalab.machines.outcome import Row
from vmalab.pictures.groups import differences

START = attrgetter("start")


@frozen
class Change:
    """Neighbouring rows that are others than in the frame before: what was there, and what is, from `place` on."""

    place: int
    was: tuple[Row, ...]
    now: tuple[Row, ...]


def changes_between(previous: tuple[Row, ...], now: tuple[Row, ...]) -> list[Change]:
    """Where the rows of two frames differ; most rows are the same objects in both."""
    found = differences(previous, now)
    return [Change(start, previous[was:stop], now[start:end]) for was, stop, start, end in found]


def removed(changes: Iterable[Change], now: tuple[Row, ...]) -> list[Row]:
    """The rows that were where nothing lies any more."""
    found = []
    for row in chain.from_iterable(change.was for change in changes):
        last = bisect_left(now, row.end, key=START) - 1  # the last VMA that starts before this row ends
        if last < 0 or now[last].end <= row.start:
            found.append(row)
    return found


def marked(changes: list[Change]) -> dict[int, str]:
    """By start address: what is new or changed against the frame before."""
    old = {row.start: row for change in changes for row in change.was}
    ids = {row.id for row in old.values()}
    marks = {}
    for row in chain.from_iterable(change.now for change in changes):
        was = old.get(row.start)
        if was == row:
            continue
        if was is None or (row.id is not None and was.id != row.id and was.end != row.end):
            marks[row.start] = "changed" if row.id is not None and row.id in ids else "new"
        else:
            marks[row.start] = "changed"
    return marks


def looked_at(step: Step | None) -> list[tuple[int, int]]:
    """The VMAs among a step's values: what the kernel looked at."""
    if step is None or step.changes:
        return []
    return [(value.start, value.end) for value in step.values.values()
            if hasattr(value, "start") and hasattr(value, "end") and hasattr(value, "perms")]  # fmt: skip
