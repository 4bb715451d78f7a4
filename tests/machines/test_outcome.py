"""Rows, snapshots, differences; what an outcome says about itself."""

from __future__ import annotations

import attrs
import pytest

from tests.tiny_language import Little, at
from vmalab.linux.addr import PAGE
from vmalab.linux.call import Munmap
from vmalab.linux.mm.runs import Run
from vmalab.linux.mm.trace import Step
from vmalab.machines.outcome import Change, Outcome, Row, Snapshot, diff

FIRST = at(0) // PAGE
ROW = Row(at(0), at(4), "rw-p", None, None, ("ac",), (Run(FIRST + 1, FIRST + 3, "anon", 7000, 1),), FIRST, 1, (1,), 1)
FILE = Row(at(6), at(7), "r--s", "f0", 3)


def test_a_row() -> None:
    assert (4, {1: 7000, 2: 7001}) == (ROW.pages, ROW.contents())


def test_a_snapshot() -> None:
    both = Snapshot((ROW, FILE))
    assert (2, [ROW, FILE]) == (len(both), list(both))
    assert [None, ROW, ROW, None, FILE, None] == [
        both.at(address) for address in (at(0) - 1, at(0), at(4) - 1, at(4), at(6), at(7))
    ]
    assert Snapshot() == Snapshot(())


def test_maps_looks_like_proc_maps() -> None:
    assert (
        "001000000000-001000004000 rw-p 00000000\n001000006000-001000007000 r--s 00003000 f0"
        == Snapshot((ROW, FILE)).maps()
    )
    assert "" == Snapshot().maps()


def test_the_rule_is_the_step_that_refused() -> None:
    steps = [Step("a", "looked"), Step("b", "refused", {}, "EFAULT"), Step("c", "after")]
    assert steps[1] is Outcome(Munmap(0, 0), None, "EFAULT", steps).rule
    assert None is Outcome(Munmap(0, 0), 0, None, steps[:1]).rule
    assert (True, False) == (Outcome(Munmap(0, 0), 0, None).ok, Outcome(Munmap(0, 0), None, "EINVAL").ok)


def test_an_outcome_without_a_model() -> None:
    # what the live machine and a recording leave out
    outcome = Outcome(Munmap(0, 0), 0, None)
    assert (Snapshot(), Snapshot(), (), (), None) == (
        outcome.before, outcome.after, outcome.frames, outcome.moves, outcome.values)  # fmt: skip


def test_the_repr_is_the_same_every_time() -> None:
    vm = Little("6.18", "map 0-2")
    outcome = vm("move 0-2 to 9")
    assert repr(outcome) == repr(vm.model.do(outcome.call) and outcome)
    assert "0x7f" not in repr(Outcome(Munmap(at(0), PAGE), 0, None))


# --- differences ------------------------------------------------------------------------------------------------


def test_no_difference() -> None:
    assert () == diff(Snapshot((ROW, FILE)), Snapshot((ROW, FILE)))
    # identities are not what a user means by a change
    assert () == diff(Snapshot((ROW,)), Snapshot((attrs.evolve(ROW, id=9, chain=(3, 1)),)))
    assert 1 == len(diff(Snapshot((ROW,)), Snapshot((attrs.evolve(ROW, id=9),)), ignore=()))


@pytest.mark.parametrize(
    "values",
    [{"end": at(3)}, {"perms": "r--p"}, {"backing": "f0"}, {"pgoff": 1}, {"flags": ()}, {"runs": ()}, {"vm_pgoff": 1},
     {"anon_vma": None}],
)  # fmt: skip
def test_every_attribute_counts(values: dict[str, object]) -> None:
    other = attrs.evolve(ROW, **values)  # type: ignore[arg-type]
    assert (Change("changed", ROW, other),) == diff(Snapshot((ROW, FILE)), Snapshot((other, FILE)))


def test_what_came_and_what_went() -> None:
    moved = attrs.evolve(ROW, start=at(10), end=at(14))
    changes = diff(Snapshot((ROW, FILE)), Snapshot((FILE, moved)))
    assert (Change("removed", ROW, None), Change("added", None, moved)) == changes
    assert [ROW, moved] == [change.row for change in changes]


def test_the_difference_of_a_call() -> None:
    outcome = Little("6.18")("map 0-4; unmap 1-2")
    assert outcome is not None
    assert [("changed", at(0)), ("added", at(2))] == [
        (change.kind, change.row.start) for change in diff(outcome.before, outcome.after)
    ]
