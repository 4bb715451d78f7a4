"""A program played on one kernel, with the calls at its end that a problem asks about: `Asked`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from attrs import frozen

from vmalab.errors import VmalabError
from vmalab.linux.addr import ARENA_BASE, PAGE
from vmalab.linux.call import Call
from vmalab.linux.profile import KernelProfile, profile
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Snapshot
from vmalab.teach.misconceptions.beliefs import Case

ARENA = range(ARENA_BASE, ARENA_BASE + 4096 * PAGE + 1)
"""Where everything must lie that somebody is to name."""


@frozen
class Asked:
    """What a kernel makes of a program.

    `outcomes`: of all calls; the last `asked` of them are asked about.
    """

    kernel: KernelProfile
    asked: int
    outcomes: tuple[Outcome, ...]

    @cached_property
    def case(self) -> Case:
        """The last call, for misconceptions; the calls before it are made again for it."""
        model = Model(self.kernel)
        for outcome in self.outcomes[:-1]:
            model.do(outcome.call)
        return Case(model, self.last.call, self.last)

    @property
    def runs(self) -> tuple[Outcome, ...]:
        """The calls that are asked about."""
        return self.outcomes[-self.asked :]

    @property
    def setup(self) -> Snapshot:
        """The address space before the calls that are asked about."""
        return self.runs[0].before

    @property
    def last(self) -> Outcome:
        """The last call."""
        return self.outcomes[-1]

    @property
    def in_arena(self) -> bool:
        """Whether everything lies where it can be named, at every moment."""
        return all(row.start in ARENA and row.end in ARENA for run in self.runs for row in run.after)


def play(calls: Sequence[Call], asked: int, release: str) -> Asked | None:
    """The program on the model of `release`; None where a call of the setup fails or the model can't run it.

    O(calls), each call as long as it takes.
    """
    kernel = profile(release)
    model = Model(kernel)
    outcomes = []
    try:
        for number, call in enumerate(calls):
            outcomes.append(model.do(call))
            if outcomes[-1].errno and number < len(calls) - asked:
                return None
    except VmalabError:
        return None
    return Asked(kernel, asked, tuple(outcomes))
