"""Runs and maps of runs, by example.  Against a plain dict, with random operations: tests/property/test_runmap.py."""

from __future__ import annotations

import pytest

from vmalab.linux.mm.runs import Run, RunMap, joined


def table(*runs: Run) -> RunMap:
    found = RunMap()
    for run in runs:
        found.put(run)
    return found


def spans(runs: RunMap | list[Run]) -> list[tuple[int, int, str]]:
    return [(run.start, run.end, run.kind) for run in runs]


# --- one run ----------------------------------------------------------------------------------------------------


def test_a_run_counts_on() -> None:
    run = Run(10, 20, "anon", 500, 3)
    assert [500, 503, 527] == [run.at(10), run.at(11), run.at(19)]
    assert Run(12, 15, "anon", 506, 3) == run.clip(12, 15)
    assert Run(10, 15, "anon", 500, 3) == run.clip(0, 15)
    assert run is run.clip(0, 100)
    assert Run(7, 17, "anon", 500, 3) == run.shift(-3)
    assert run.shift(5).at(15) == run.at(10)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (Run(20, 21, "anon", 530, 3), True),
        (Run(21, 22, "anon", 533, 3), False),  # a hole
        (Run(20, 21, "zero", 530, 3), False),  # another kind
        (Run(20, 21, "anon", 530, 2), False),  # another stride
        (Run(20, 21, "anon", 529, 3), False),  # another value
    ],
)
def test_which_run_continues_another(after: Run, expected: bool) -> None:
    assert expected == Run(10, 20, "anon", 500, 3).joins(after)


def test_joined_runs() -> None:
    assert () == joined([])
    assert (Run(0, 6, "a", 0, 1), Run(6, 7, "b")) == joined(
        [Run(0, 2, "a", 0, 1), Run(2, 4, "a", 2, 1), Run(4, 6, "a", 4, 1), Run(6, 7, "b")]
    )


# --- a map ------------------------------------------------------------------------------------------------------


def test_looking_up() -> None:
    runs = table(Run(2, 4, "a"), Run(6, 8, "b"))
    assert [None, "a", "a", None, None, "b", "b", None] == [
        None if (run := runs.at(number)) is None else run.kind for number in (1, 2, 3, 4, 5, 6, 7, 8)
    ]
    assert [(3, 4, "a"), (6, 7, "b")] == spans(runs.within(3, 7))
    assert [] == runs.within(4, 6)
    assert [] == runs.within(7, 7)
    assert [] == RunMap().within(0, 9)
    assert [(0, 2), (4, 6), (8, 9)] == runs.holes(0, 9)
    assert [] == runs.holes(2, 4)
    assert [(4, 6)] == runs.holes(3, 7)


@pytest.mark.parametrize(
    ("start", "end", "gone", "left"),
    [
        (0, 2, [], [(2, 8, "a")]),  # before it
        (8, 9, [], [(2, 8, "a")]),  # behind it
        (0, 9, [(2, 8, "a")], []),  # all
        (2, 8, [(2, 8, "a")], []),  # exactly
        (0, 4, [(2, 4, "a")], [(4, 8, "a")]),  # its start
        (2, 4, [(2, 4, "a")], [(4, 8, "a")]),
        (6, 9, [(6, 8, "a")], [(2, 6, "a")]),  # its end
        (6, 8, [(6, 8, "a")], [(2, 6, "a")]),
        (4, 6, [(4, 6, "a")], [(2, 4, "a"), (6, 8, "a")]),  # a hole in the middle
    ],
)
def test_clearing(start: int, end: int, gone: list[tuple[int, int, str]], left: list[tuple[int, int, str]]) -> None:
    runs = table(Run(2, 8, "a", 100, 1))
    assert gone == spans(runs.clear(start, end))
    assert left == spans(runs)
    assert all(run.at(run.start) == 98 + run.start for run in runs)


def test_clearing_over_several() -> None:
    runs = table(Run(0, 4, "a"), Run(4, 6, "b"), Run(7, 9, "c"))
    assert [(2, 4, "a"), (4, 6, "b"), (7, 8, "c")] == spans(runs.clear(2, 8))
    assert [(0, 2, "a"), (8, 9, "c")] == spans(runs)


def test_putting_replaces_and_joins() -> None:
    runs = table(Run(0, 9, "a", 0, 1), Run(3, 5, "b"))
    assert [(0, 3, "a"), (3, 5, "b"), (5, 9, "a")] == spans(runs)
    runs.put(Run(3, 5, "a", 3, 1))  # what was there before: one run again
    assert [Run(0, 9, "a", 0, 1)] == list(runs)
    runs.put(Run(9, 10, "a", 9, 1))
    runs.put(Run(11, 12, "a", 11, 1))
    runs.put(Run(10, 11, "a", 10, 1))
    assert [Run(0, 12, "a", 0, 1)] == list(runs)


def test_a_copy_is_independent() -> None:
    runs = table(Run(0, 4, "a"))
    other = runs.copy()
    other.clear(1, 2)
    runs.put(Run(8, 9, "b"))
    assert ([(0, 4, "a"), (8, 9, "b")], [(0, 1, "a"), (2, 4, "a")]) == (spans(runs), spans(other))
    assert (2, 2) == (len(runs), len(other))


def test_a_terabyte_is_one_run() -> None:
    runs = table(Run(0, 1 << 28, "anon", 7))
    assert 1 == len(runs)
    runs.clear(1000, 1001)
    runs.put(Run(1 << 20, (1 << 20) + 1, "guard"))
    assert 4 == len(runs)
    assert 2 == len(runs.within(0, 1 << 20))
