"""`RunMap` against a plain dict with an entry for each page, under random operations."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from vmalab.linux.mm.runs import Run, RunMap, joined

numbers = st.integers(0, 40)
runs = st.builds(
    lambda start, length, kind, value, stride: Run(start, start + length, kind, value, stride),
    numbers, st.integers(1, 12), st.sampled_from(["anon", "file"]), st.integers(0, 3), st.integers(0, 2),
)  # fmt: skip


def pages(runs: list[Run]) -> dict[int, tuple[str, int]]:
    return {number: (run.kind, run.at(number)) for run in runs for number in range(run.start, run.end)}


class AgainstADict(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.plain = RunMap(), dict[int, tuple[str, int]]()

    @rule(run=runs)
    def put(self, run: Run) -> None:
        self.table.put(run)
        self.plain |= pages([run])

    @rule(first=numbers, last=numbers)
    def put_again_what_is_there(self, first: int, last: int) -> None:
        # cut out and put back: the runs must join again
        for run in self.table.within(first, last):
            self.table.put(run)

    @rule(first=numbers, last=numbers)
    def clear(self, first: int, last: int) -> None:
        gone = self.table.clear(first, last)
        expected = {number: self.plain.pop(number) for number in range(first, last) if number in self.plain}
        assert expected == pages(gone)

    @rule(first=numbers, last=numbers)
    def within(self, first: int, last: int) -> None:
        found = self.table.within(first, last)
        assert {number: self.plain[number] for number in range(first, last) if number in self.plain} == pages(found)
        assert all(first <= run.start < run.end <= last for run in found)

    @rule(first=numbers, last=numbers)
    def holes(self, first: int, last: int) -> None:
        holes = self.table.holes(first, last)
        assert [number for number in range(first, last) if number not in self.plain] == [
            number for start, end in holes for number in range(start, end)
        ]
        assert all(one[1] < other[0] for one, other in pairwise(holes))

    @rule(number=numbers)
    def at(self, number: int) -> None:
        run = self.table.at(number)
        assert self.plain.get(number) == (None if run is None else (run.kind, run.at(number)))

    @rule()
    def copy(self) -> None:
        self.table, before = self.table.copy(), self.table
        before.clear(0, 100)

    @invariant()
    def holds_the_same_pages(self) -> None:
        assert dict(sorted(self.plain.items())) == pages(list(self.table))

    @invariant()
    def is_in_order_and_as_short_as_can_be(self) -> None:
        found = list(self.table)
        assert all(one.end <= other.start for one, other in pairwise(found))
        assert joined(found) == tuple(found)
        assert len(found) == len(self.table)


TestRunMap = AgainstADict.TestCase
