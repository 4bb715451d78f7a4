"""Steps and refusals: what the model tells."""

from __future__ import annotations

import pytest

from tests.tiny_language import SPREAD, Little
from vmalab.linux.mm import VMA, Step
from vmalab.linux.mm.runs import Run
from vmalab.linux.mm.trace import Refusal


def test_which_steps_change_something() -> None:
    vma = VMA(0, 4096, 0, 0)
    assert not Step("find_vma", "found").changes
    assert not Step("find_vma", "found", {"vma": vma}, "EFAULT").changes
    assert Step("copy_vma", "copied", {}, None, (), (vma,)).changes
    assert Step("copy_vma", "copied", {}, None, (vma,), ()).changes
    assert Step("zap", "zap", {}, None, (), (), ((0, 1, ()),)).changes
    assert Step("zap", "zap", {}, None, (), (), ((0, 1, (Run(0, 1, "anon"),)),)).changes


def test_a_refusal_is_a_step_with_an_errno() -> None:
    refusal = Refusal("EFAULT", "check_prep_vma", "crosses_vma_end", past=4096)
    assert ("EFAULT", "EFAULT", "crosses_vma_end", {"past": 4096}, False) == (
        refusal.errno, refusal.step.errno, refusal.step.key, refusal.step.values, refusal.step.changes)  # fmt: skip


@pytest.mark.parametrize("release", SPREAD)
def test_a_failed_call_ends_with_the_step_that_refused_it(release: str) -> None:
    outcome = Little(release)("map 0-2; move 0-3 to 100-104 !EFAULT")
    assert outcome is not None and outcome.rule is not None
    assert outcome.rule is outcome.steps[-1]
    assert ("EFAULT", "check_prep_vma") == (outcome.rule.errno, outcome.rule.func)
    assert [] == [step.key for step in outcome.steps[:-1] if step.errno]


@pytest.mark.parametrize("release", SPREAD)
def test_without_steps_the_answers_are_the_same(release: str) -> None:
    program = "map 0-4; touch 0-4; child; move 1-3 to 100; keep 100-102 to 50; lock 0-4 !ENOMEM; read 0-1"
    told, silent = Little(release, program), Little(release, program, trace=False)
    assert told.show("perms", "flags", "pgoff") == silent.show("perms", "flags", "pgoff")
    assert [] == silent.mm.steps
