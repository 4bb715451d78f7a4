"""Misconceptions: what learners believe that is not so, each with a machine that acts on it.

    misconceptions()                    all of them by name
    suspects(model, call, errno=…, value=…, rows=…)     which of them a wrong answer suggests

beliefs.py    what somebody who believes it expects of a call; arguments.py: of a call that is refused
facts.py      when what is said against a belief is true of a case
moving.py     what a call is about: its range, a fixed move
costs.py      how many page-table entries somebody expects a move to take along
case.py       what a belief looks at and what it says
layouts.py    address spaces as one would draw them: rows cut, moved, put down and joined
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from attrs import frozen

from vmalab.linux.call import Call
from vmalab.machines.model import Model
from vmalab.machines.outcome import Row, Snapshot
from vmalab.teach.misconceptions.beliefs import BELIEFS
from vmalab.teach.misconceptions.case import Belief, Case, Expectation
from vmalab.teach.misconceptions.facts import FACTS
from vmalab.teach.misconceptions.layouts import outline, shape
from vmalab.words.wording import word

__all__ = ["Expectation", "Misconception", "misconceptions", "same", "suspects"]

GIVEN = object()
"""Stands for what an answer does not say."""


@frozen
class Misconception:
    """One belief that is not so."""

    name: str
    machine: Belief

    @property
    def belief(self) -> str:
        """What is believed, in one sentence."""
        return word("belief", self.name)

    @property
    def truth(self) -> str:
        """What is true instead."""
        return word("truth", self.name)

    def expects(self, model: Model, call: Call) -> Expectation | None:
        """What somebody who believes it expects of `call` made on `model` (which is not changed).

        None where the belief has nothing to say, or where it expects what happens.  Two runs of the model, O(history).
        """
        return self.expects_in(case_of(model, call))

    def expects_in(self, case: Case) -> Expectation | None:
        """The same for a case that was made before: for many misconceptions of one call.

        None too where what is said against the belief is not true of this case (`facts.py`).
        """
        expected = self.machine(case)
        if expected is None or same(expected, truth_of(case)) or not FACTS[self.name](case):
            return None
        return expected


@cache
def misconceptions() -> Mapping[str, Misconception]:
    """Every misconception by its name."""
    return {name: Misconception(name, belief) for name, belief in BELIEFS.items()}


def case_of(model: Model, call: Call) -> Case:
    """A call to look at: what it does is found out on a copy of `model`."""
    return Case(model, call, model.copy().do(call))


def truth_of(case: Case) -> Expectation:
    """What really happens."""
    return Expectation(case.real.errno, case.real.value, case.real.after)


def same(a: Expectation, b: Expectation) -> bool:
    """Whether two answers are the same: errno, value, and VMAs with their pages."""
    return (a.errno, a.value) == (b.errno, b.value) and _with_pages(a.rows) == _with_pages(b.rows)


def suspects(
    model: Model, call: Call, *, errno: object = GIVEN, value: object = GIVEN, rows: Iterable[Row] | None = None
) -> list[Misconception]:
    """The misconceptions that a wrong answer suggests, the likeliest first; none for a right one.

    An answer is what somebody said of the call: `errno` (None: it succeeds), `value` (byte address), `rows` (the VMAs
    afterwards; only place and permissions count).  What was not said is left out.  A misconception is
    suggested where it expects all that was said; if none does, those that expect all that was wrong.
    """
    case = case_of(model, call)
    right = truth_of(case)
    drawn = None if rows is None else outline(rows)

    def fits(expected: Expectation, *, all_of: bool) -> bool:
        parts = [
            (errno is GIVEN, expected.errno == errno, right.errno == errno),
            (value is GIVEN, expected.value == value, right.value == value),
            (drawn is None, outline(expected.rows) == drawn, outline(right.rows) == drawn),
        ]
        said = [(theirs, ours) for left_out, theirs, ours in parts if not left_out]
        wrong = [theirs for theirs, ours in said if not ours]
        return bool(wrong) and all(theirs for theirs, _ in said) if all_of else bool(wrong) and all(wrong)

    expected = {found: told for found in misconceptions().values() if (told := found.expects_in(case)) is not None}
    whole = [found for found, told in expected.items() if fits(told, all_of=True)]
    return whole or [found for found, told in expected.items() if fits(told, all_of=False)]


def _with_pages(rows: Snapshot) -> tuple[tuple[object, ...], ...]:
    return tuple((*of, tuple(sorted(row.contents().items()))) for of, row in zip(shape(rows), rows, strict=True))
