"""Which behaviours make two kernels differ: held against what switching them does, for random programs."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.sample_outcomes import gap_model
from vmalab.differences.causes import END, UNKNOWN, causes, explained
from vmalab.differences.compare import compare
from vmalab.differences.generate import random_scenario
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Limit
from vmalab.linux.profile import profile
from vmalab.machines.machine import Played
from vmalab.machines.model import Model
from vmalab.machines.program import scenario_of
from vmalab.programs.scenario import Scenario


def gap() -> Scenario:
    vm = gap_model()
    vm.mremap(page(0), 5 * PAGE, 5 * PAGE, 3, page(64))
    return scenario_of(vm)


def answers(scenario: Scenario, followed) -> Played:
    return Model(followed).run(scenario)


def test_the_rule_of_the_gap_move():
    (cause,) = causes(gap(), profile("6.16"), profile("6.17"))
    assert ("multi_vma_move", (5, END), False) == (cause.behaviour.name, cause.steps, cause.in_a)
    assert (
        "multi_vma_move: a fixed move that keeps the size may span several VMAs and gaps "
        "(6.17 and later; commit d23cb648e365)" == cause.words
    )
    (other,) = causes(gap(), profile("6.17"), profile("6.16"))
    assert other.in_a


def test_a_bug_is_called_one():
    vm = Model("6.16")
    vm.mmap(page(0), 2 * PAGE)
    vm.mremap(page(0), 2 * PAGE, 2 * PAGE, 5, 0)
    (cause,) = causes(scenario_of(vm), profile("6.16"), profile("6.18"))
    assert "dontunmap_loses_account" == cause.behaviour.name
    assert "(a bug of 6.15 until before 6.17.6; commit" in cause.words


def test_where_they_agree_or_cannot_answer_there_is_no_cause():
    assert () == causes(gap(), profile("6.17"), profile("6.18"))
    impossible = Scenario("limit", (Limit("colour", 1),))
    assert answers(impossible, profile("6.17")).error
    assert () == causes(impossible, profile("6.16"), profile("6.17"))


def test_with_the_causes_switched_they_agree_and_none_can_be_left_out():
    a, b = profile("6.16"), profile("7.3")
    several = 0
    for seed in range(150):
        scenario = random_scenario(f"cause {seed}")
        found = causes(scenario, a, b)
        wanted = answers(scenario, b)
        assert bool(found) != compare(answers(scenario, a), wanted).agrees
        names = [cause.behaviour.name for cause in found]
        for own, other, target in ((a, b, wanted), (b, a, answers(scenario, a))):
            switched = evolve(own, **{name: getattr(other, name) for name in names})
            if compare(answers(scenario, switched), target).agrees:
                break
        else:
            pytest.fail(f"{names} do not make the difference of program {seed}")
        for cause in found:
            without = evolve(switched, **{cause.behaviour.name: getattr(own, cause.behaviour.name)})
            differences = compare(answers(scenario, without), target).differences()
            assert cause.steps == tuple(one.step or END for one in differences) != ()
        several += len(found) > 1
    assert several > 5


# --- the answers of a kernel ---


def test_a_kernel_that_does_what_the_model_says_needs_no_explanation():
    assert explained(profile("6.17"), answers(gap(), profile("6.18")), "6.18.44") is None


def test_another_release_is_explained_by_its_rules():
    why = explained(profile("6.17"), answers(gap(), profile("6.16")), "6.16.12+deb13")
    assert why is not None and why.known
    assert ("6.16.12", ["multi_vma_move"]) == (why.like, [cause.behaviour.name for cause in why.causes])
    assert why.words.startswith("It is Linux 6.16.12, not 6.17: there the rules differ: multi_vma_move: ")


@pytest.mark.parametrize("release", ["4.4.0", "6.18.44"])
def test_a_kernel_that_answers_as_an_older_one_is_said_to(release):
    why = explained(profile("6.17"), answers(gap(), profile("6.12")), release)
    assert why is not None and why.known
    assert why.words.startswith("It answers as Linux 6.16 does, not as Linux 6.17: multi_vma_move")


def test_one_behaviour_may_be_all():
    vm = Model("6.17")
    vm.mmap(page(500), PAGE)
    vm.mseal(page(500), PAGE)
    vm.mmap(page(0), PAGE)
    vm.mmap(page(1), PAGE, "r")
    vm.mremap(page(0), 2 * PAGE, 2 * PAGE, 3, page(64))
    odd = evolve(profile("6.17"), mseal=False)  # no release moves several VMAs and has no mseal
    why = explained(profile("6.17"), answers(scenario_of(vm), odd), "6.17")
    assert why is not None and "" == why.like
    assert why.words.startswith(
        "It is like Linux 6.17, but lacks mseal: the mseal system call exists (6.10 and later)."
    )


def test_what_nothing_explains_is_flagged():
    right = answers(gap(), profile("6.17"))
    wrong = evolve(right, outcomes=(*right.outcomes[:-1], answers(gap(), profile("6.16")).outcomes[0]))
    why = explained(profile("6.17"), wrong, "6.17")
    assert why is not None and not why.known
    assert UNKNOWN == why.words
