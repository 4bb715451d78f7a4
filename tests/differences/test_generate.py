"""The generator of random programs: the same seed, the same program; every theme, every call, interesting places."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.tiny_language import Little
from vmalab.differences.generate import ARENA_PAGES, MOVING, THEMES, Generator, random_scenario
from vmalab.linux.call import CALLS, KINDS, Fork, ForkChild, Mmap, Mremap
from vmalab.machines.model import Model
from vmalab.programs.scenario import Scenario, dumps, loads

MANY = [random_scenario(f"test/{number}", themes=THEMES) for number in range(500)]


def test_a_seed_is_a_program() -> None:
    assert [random_scenario(f"test/{number}", themes=THEMES) for number in range(20)] == MANY[:20]
    assert len({one.steps for one in MANY}) > 490


def test_without_a_word_about_themes_it_is_a_program_about_mremap() -> None:
    # what the lessons show; more themes leave those programs as they are
    some = [random_scenario(f"test/{number}") for number in range(100)]
    assert set(MOVING) >= {one.name.split("/")[1].split("-")[0] for one in some}
    assert not {"brk", "mlock2", "mlockall"} & {call.name for one in some for call in one.steps}


def test_programs_are_as_long_as_asked() -> None:
    assert {4, 14} == {min(len(one.steps) for one in MANY), max(len(one.steps) for one in MANY)}
    assert 30 == max(len(random_scenario(f"long/{number}", steps=30).steps) for number in range(200))


def test_every_theme_and_every_call_comes_up() -> None:
    assert set(THEMES) == {one.name.split("/")[1].split("-")[0] for one in MANY}
    calls = Counter(call.name for one in MANY for call in one.steps)
    assert set(CALLS) == set(calls)
    assert set(KINDS) == {call.kind for one in MANY for call in one.steps if isinstance(call, Mmap)}
    assert {0, 1, 2, 3, 4, 5, 6, 7, 8} <= {call.flags for one in MANY for call in one.steps if isinstance(call, Mremap)}


def test_every_theme_has_a_maker_for_each_of_its_steps() -> None:
    assert [] == [name for theme in THEMES.values() for name in theme if not hasattr(Generator, f"_{name}")]


def test_at_most_three_forks() -> None:
    # few programs fork so often: look at many
    forkers = [random_scenario(f"forks/{number}") for number in range(1500)]
    assert 3 == max(sum(isinstance(call, (Fork, ForkChild)) for call in one.steps) for one in forkers)


def test_a_program_never_limits_the_system() -> None:
    resources = {call.resource for one in MANY for call in one.steps if call.name == "limit"}  # type: ignore[attr-defined]
    assert {"as", "memlock", "data"} == resources


def test_a_program_can_be_written_down_and_read_again() -> None:
    for one, other in zip(MANY, loads(dumps(MANY)), strict=True):
        assert (one.name, Model("6.18").run(one).final) == (other.name, Model("6.18").run(other).final)
    assert {(ARENA_PAGES, True)} == {(one.arena_pages, one.unprivileged) for one in MANY}


def outcomes(scenario: Scenario) -> Counter[str | None]:
    return Counter(outcome.errno for outcome in Model("6.18").run(scenario).outcomes)


def test_programs_neither_all_fail_nor_all_succeed() -> None:
    total: Counter[str | None] = sum((outcomes(one) for one in MANY), Counter())
    assert 0.5 < total[None] / total.total() < 0.9
    assert {"EFAULT", "EINVAL", "ENOMEM", "EPERM", "EEXIST", "SEGV"} <= set(total)


KEYS = Counter(step.key for one in MANY for outcome in Model("6.18").run(one).outcomes for step in outcome.steps)


@pytest.mark.parametrize(
    "key",
    ["piece", "gap_kept", "gap_at_end", "later_not_allowed", "first_not_allowed", "merge_new", "merge_existing",
     "pgoff_kept", "pgoff_reset", "left_behind", "must_move", "split", "no_merge", "uffd_dropped", "sealed",
     "crosses_vma_end", "rlimit_as"],
)  # fmt: skip
def test_programs_reach_interesting_places(key: str) -> None:
    assert KEYS[key] >= 2


def test_the_steering_model_never_fails_itself() -> None:
    for one in MANY[:60]:
        vm = Little("6.18")
        for call in one.steps:
            vm.do(call)
