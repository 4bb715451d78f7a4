"""Random calls on random releases: whatever comes, the rules of the house hold after each.

The invariants of the address space; the steps lead from before to after; a model without steps gives the same answers;
undo takes back exactly one call; pages, access and contents are what a memory without VMAs has (`oracle.py`).
"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.property.oracle import Memory
from tests.strategies import calls, releases
from vmalab.errors import NotModelled
from vmalab.linux.addr import ARENA_BASE, PAGE, PAGE_SHIFT
from vmalab.linux.call import Call, Mmap, Mremap
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome

call_near = st.composite(calls)


MOST_MAPPED = 1 << 16
"""Pages."""


def mapped_by(call: Call) -> int:
    """How many pages a call asks for beyond those that there are."""
    if isinstance(call, Mmap):
        return call.length >> PAGE_SHIFT
    return call.new_len - call.old_len >> PAGE_SHIFT if isinstance(call, Mremap) else 0


class AnyCalls(RuleBasedStateMachine):
    @initialize(release=releases, privileged=st.booleans())
    def start(self, release: str, privileged: bool) -> None:
        self.told = Model(release, privileged=privileged)
        self.silent = Model(release, privileged=privileged, trace=False)
        self.memory = Memory()

    def edges(self) -> list[int]:
        vmas = self.told.mm.vmas()
        return sorted({(edge - ARENA_BASE) // PAGE for vma in vmas for edge in (vma.start, vma.end)})

    @rule(data=st.data())
    def any_call(self, data: st.DataObject) -> None:
        call = data.draw(call_near(self.edges()))
        if mapped_by(call) > MOST_MAPPED:  # up to a place that the kernel chose, far away: here each page is listed
            return
        before = self.told.snapshot()
        try:
            outcome = self.told.do(call)
        except NotModelled:  # a refusal by name changes nothing
            with pytest.raises(NotModelled):
                self.silent.do(call)
            assert before == self.told.snapshot() == self.silent.snapshot()
            return
        self.leads_from_before_to_after(outcome)
        self.says_the_same_without_steps(call, outcome)
        self.has_the_pages_it_should(call, outcome)

    @rule()
    def undo(self) -> None:
        history = list(self.told.history)
        before = Model(self.told.profile, privileged=self.told.privileged)
        for call in history[:-1]:
            before.do(call)
        for model in (self.told, self.silent):
            model.undo()
        assert history[:-1] == self.told.history
        assert before.snapshot() == self.told.snapshot() == self.silent.snapshot()
        self.memory = Memory.of(self.told.mm)

    def leads_from_before_to_after(self, outcome: Outcome) -> None:
        frames = outcome.frames
        assert len(outcome.steps) + 1 == len(frames)
        assert outcome.before == frames[0].snapshot
        assert outcome.after == frames[-1].snapshot
        for one, other in pairwise(frames):
            assert other.step is not None
            if not other.step.changes:
                assert one.snapshot == other.snapshot
        refusals = [step for step in outcome.steps if step.errno is not None]
        if outcome.errno is None:
            assert [] == refusals
        elif outcome.values is None:
            assert [outcome.steps[-1]] == refusals and outcome.errno == refusals[0].errno

    def says_the_same_without_steps(self, call: Call, outcome: Outcome) -> None:
        silent = self.silent.do(call)
        assert (outcome.value, outcome.errno, outcome.values) == (silent.value, silent.errno, silent.values)
        assert outcome.after == silent.after
        assert [] == silent.steps
        counts = [(model.mm.total_vm, model.mm.data_vm, model.mm.locked_vm) for model in (self.told, self.silent)]
        assert counts[0] == counts[1]

    def has_the_pages_it_should(self, call: Call, outcome: Outcome) -> None:
        if not self.memory.follow(call, outcome, len(self.told.history), self.told.mm):
            self.memory = Memory.of(self.told.mm)
            return
        found = Memory.of(self.told.mm)
        assert sorted(self.memory.pages) == sorted(found.pages)
        for number, page in self.memory.pages.items():
            other = found.pages[number]
            if page.own is None and other.own is not None and not page.shared:
                # a copy of its own that nobody sees, such as mlock makes
                page.own = self.memory.value(number)
            assert (page.access, page.where, page.own, page.guard) == (
                other.access, other.where, other.own, other.guard), f"page {number:#x} after {call}"  # fmt: skip
        present = {
            number + (row.start >> PAGE_SHIFT): value
            for row in outcome.after
            for number, value in row.contents().items()
        }
        assert {number: self.memory.value(number) for number in present} == present

    @invariant()
    def holds_together(self) -> None:
        if not hasattr(self, "told"):
            return
        self.told.mm.validate()
        assert len(self.told.snapshot()) == self.told.mm.map_count


TestAnyCalls = AnyCalls.TestCase
TestAnyCalls.settings = settings(
    stateful_step_count=25,
    suppress_health_check=list(HealthCheck),
    phases=[phase for phase in Phase if phase is not Phase.explain],  # explaining traces every line: gigabytes here
)
