"""Two machines side by side: where their answers to one scenario differ, as data.

They agree on a step when errno, return and VMAs are equal, and what a read saw, what lies elsewhere and the contents
where both tell; they agree on a scenario when they agree on every step and on the end, where flags and contents count
too.  What a machine could not see counts nowhere.  Words, colours and tables are made by those who show a `Comparison`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import zip_longest
from typing import Any

from attrs import define, frozen

from vmalab.linux.addr import ARENA_BASE, PAGE, Range
from vmalab.linux.call import Call
from vmalab.linux.repr_html import repr_html
from vmalab.machines.document import outcome_to_json, returned, row_to_json
from vmalab.machines.machine import Played
from vmalab.machines.outcome import Outcome, Row, Snapshot
from vmalab.machines.validation import ELSEWHERE, FLAGS
from vmalab.programs.scenario import Scenario

KEYS = ("errno", "return", "vmas", ELSEWHERE, "values", "pages")
"""What is compared of a step, in the order in which the first difference is looked for."""


@frozen
class Difference:
    """One thing that two machines tell differently: `key` of the exchange format, and both values in it.

    `step` counts from 1; it is None for the end of the scenario (`key` is then `"final"`) and where a machine could not
    run it at all (`"error"`).
    """

    step: int | None
    key: str
    a: Any
    b: Any

    def __str__(self) -> str:
        where = f"step {self.step}" if self.step else "the end" if self.key == "final" else "the scenario"
        return f"{where}: {self.key} {self.a!r} and {self.b!r}"


@frozen
class ComparedStep:
    """One step on both machines; `a` or `b` is None where that machine did not come so far."""

    number: int
    call: Call
    a: Outcome | None
    b: Outcome | None
    difference: Difference | None

    @property
    def agrees(self) -> bool:
        """Whether both machines tell the same."""
        return self.difference is None


@define(slots=False, eq=False, repr=False)
class Comparison:
    """One scenario on two machines."""

    a: Played
    b: Played
    steps: tuple[ComparedStep, ...]
    final: Difference | None
    error: Difference | None

    def __repr__(self) -> str:
        verdict = "agree" if self.agrees else "differ"
        return f"<Comparison of {self.scenario.name!r}: {self.a.machine} and {self.b.machine} {verdict}>"

    def _repr_html_(self) -> str:
        return repr_html("comparison", self)

    @property
    def scenario(self) -> Scenario:
        """The scenario that both were given."""
        return self.a.scenario

    @property
    def agrees(self) -> bool:
        """Whether the machines agree on every step and on the end."""
        return self.first is None

    @cached_property
    def first(self) -> Difference | None:
        """The first difference."""
        return next(iter(self.differences()), None)

    def differences(self) -> Iterator[Difference]:
        """The first difference of each step, then that of the end; `error` alone where one could not run it."""
        if self.error is not None:
            yield self.error
            return
        yield from (step.difference for step in self.steps if step.difference is not None)
        if self.final is not None:
            yield self.final


def compare(a: Played, b: Played) -> Comparison:
    """Hold the answers of two machines to the same scenario side by side.  O(steps and rows)."""
    contents = a.scenario.contents and b.scenario.contents
    arena = Range.sized(ARENA_BASE, a.scenario.arena_pages * PAGE)
    steps = tuple(
        ComparedStep(number, call, left, right, _step(number, left, right, arena, contents, a.scenario))
        for number, (call, left, right) in enumerate(zip_longest(a.scenario.steps, a.outcomes, b.outcomes), 1)
    )
    error = final = None
    if a.error is not None or b.error is not None:
        error = Difference(None, "error", a.error, b.error)
    elif not same_rows(a.final, b.final, arena, closely=True):
        final = Difference(None, "final", _shown(a.final, arena, True), _shown(b.final, arena, True))
    return Comparison(a, b, steps, final, error)


def _step(
    number: int, a: Outcome | None, b: Outcome | None, arena: Range, contents: bool, scenario: Scenario
) -> Difference | None:
    if a is None or b is None:
        return None
    for key in KEYS:
        if not _same(key, a, b, arena, contents):
            left, right = outcome_to_json(a, scenario), outcome_to_json(b, scenario)
            return Difference(number, key, left.get(key), right.get(key))
    return None


def _same(key: str, a: Outcome, b: Outcome, arena: Range, contents: bool) -> bool:
    if key == "errno":
        return a.errno == b.errno
    if key == "return":
        return returned(a, arena.end) == returned(b, arena.end)
    if key == "vmas":
        return same_rows(a.after, b.after, arena)
    if key == ELSEWHERE:
        there = returned(a, arena.end) == ELSEWHERE and a.elsewhere is not None and b.elsewhere is not None
        return not there or _same_memory(list(a.elsewhere or ()), list(b.elsewhere or ()))
    if key == "values":
        return a.values is None or b.values is None or a.values == b.values
    return not contents or all(map(_same_contents, _inside(a.after, arena), _inside(b.after, arena)))


def same_rows(a: Snapshot, b: Snapshot, arena: Range, *, closely: bool = False) -> bool:
    """Whether two machines show the same VMAs in the arena; `closely`: with the same flags and contents."""
    left, right = _inside(a, arena), _inside(b, arena)
    if [_key(row) for row in left] != [_key(row) for row in right]:
        return False
    if not closely:
        return True
    return all(
        FLAGS.intersection(x.flags) == FLAGS.intersection(y.flags) and _same_contents(x, y)
        for x, y in zip(left, right, strict=True)
    )


def _same_memory(left: list[Row], right: list[Row]) -> bool:
    return [_key(row) for row in left] == [_key(row) for row in right] and all(map(_same_contents, left, right))


def _same_contents(x: Row, y: Row) -> bool:
    return not (x.seen and y.seen) or x.runs == y.runs or x.contents() == y.contents()


def unlike(ours: Snapshot, theirs: Snapshot) -> frozenset[int]:
    """The start addresses of those VMAs of `ours` that are not the same in `theirs` (as /proc/PID/maps shows them)."""
    known = {_key(row) for row in theirs}
    return frozenset(row.start for row in ours if _key(row) not in known)


def _inside(snapshot: Snapshot, arena: Range) -> list[Row]:
    return [row for row in snapshot if row.start < arena.end and row.end > arena.start]


def _key(row: Row) -> tuple[Any, ...]:
    return row.start, row.end, row.perms, row.backing, row.pgoff


def _shown(snapshot: Snapshot, arena: Range, final: bool) -> list[dict[str, Any]]:
    return [row_to_json(row, final=final) for row in _inside(snapshot, arena)]
