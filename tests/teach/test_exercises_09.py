"""The checks of lesson 09: oracles, faults by name, generators, and bugs of real kernels."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from vmalab import MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, PAGE, Model, page
from vmalab.machines.outcome import Outcome
from vmalab.teach import check
from vmalab.teach.exercises.lesson09 import cases_1
from vmalab.teach.suspects import fault_of

KEEP = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP


def said(name: str, answer: Any) -> str:
    return " ".join(repr(check(name, answer)).split())


# --- 9.1 ---


def seen(out: Outcome, *names: str) -> Any:
    rows = [[row.contents() if name == "contents" else getattr(row, name) for name in names] for row in out.after]
    return out.errno, out.value, rows


ALL = ("start", "end", "perms", "backing", "flags", "contents")


def test_whoever_compares_all_that_is_seen_passes() -> None:
    assert check("9.1", lambda a, b: seen(a, *ALL) == seen(b, *ALL)).solved
    assert check("9.1", lambda a, b: repr(seen(a, *ALL, "perms")) == repr(seen(b, *ALL, "perms"))).solved


@pytest.mark.parametrize(
    ("same", "words"),
    [
        (
            lambda a, b: a.ok == b.ok,
            "Pair 1 differs in the errno, EINVAL and EFAULT; both fail. Your function calls them",
        ),
        (lambda a, b: a.errno == b.errno, "Pair 2 differs in where the first VMA is"),
        (lambda a, b: seen(a, "start", "end") == seen(b, "start", "end"), "Pair 3 differs in the permissions"),
        (lambda a, b: seen(a, *ALL[:4]) == seen(b, *ALL[:4]), "Pair 4 differs in what is written"),
        (lambda a, b: seen(a, *ALL[:4], "contents") == seen(b, *ALL[:4], "contents"), "Pair 5 differs in a flag"),
        (
            lambda a, b: a == b,
            "Pair 6 differs in the steps and the name of the machine. Your function tells them apart",
        ),
        (lambda a, b: seen(a, *ALL, "vm_pgoff") == seen(b, *ALL, "vm_pgoff"), "Pair 7 differs in the vm_pgoff"),
        (lambda a, b: 1, "has to return True or False, and returned 1"),
        (lambda a, b: a.nothing, "it ended with AttributeError"),
    ],
)
def test_what_an_oracle_has_missed(same: Callable[[Outcome, Outcome], Any], words: str) -> None:
    assert words in said("9.1", same)


def test_the_pairs_are_what_they_say() -> None:
    assert [False] * 5 + [True] * 2 == [case.same for case in cases_1()]
    assert not check("9.1", lambda a, b: None).started and not check("9.1", ...).started


# --- 9.2 ---

RIGHT = {number: fault_of(number) for number in (2, 3, 4, 5)}


def test_the_four_rules() -> None:
    assert check("9.2", RIGHT).solved
    assert check("9.2", dict(reversed(RIGHT.items()))).solved


def test_some_of_the_rules() -> None:
    assert "Right: 2 and 3. Still to be named: 4, 5." in said("9.2", {2: RIGHT[2], 3: RIGHT[3], 4: ...})
    told = said("9.2", {**RIGHT, 4: "multi_vma_move"})
    assert "Right: 2 and 3 and 5." in told
    assert (
        "Suspect 4: not multi_vma_move. With that turned round, it is still not Linux 6.18. Call 9: the errno" in told
    )
    assert "there is no rule 'mremap'" in said("9.2", {2: "mremap"})
    assert "Suspect 1 is not asked for" in said("9.2", {1: "mseal"})
    assert "Write a rule for each suspect" in said("9.2", "mseal")
    assert not check("9.2", {2: ..., 3: ...}).started and not check("9.2", ...).started


# --- 9.3 ---


def part(vm: Model, rng: Random) -> None:
    size = rng.randrange(3, 30)
    vm.mmap(page(0), size * PAGE)
    vm.mlock(page(0), size * PAGE)
    vm.mremap(page(1), PAGE, PAGE, KEEP, page(64))


def whole(vm: Model, rng: Random) -> None:
    size = rng.randrange(3, 40)
    vm.mmap(page(0), size * PAGE)
    vm.mlock(page(0), size * PAGE)
    vm.mremap(page(0), size * PAGE, size * PAGE, KEEP, page(64))


def always(vm: Model, _rng: Random) -> None:
    part(vm, Random(1))


def unlocked(vm: Model, rng: Random) -> None:
    vm.mmap(page(0), rng.randrange(1, 90) * PAGE)


def moved(vm: Model, rng: Random) -> None:
    unlocked(vm, rng)
    vm.mlock(page(0), PAGE)
    vm.mremap(page(0), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page(128))


def endless(vm: Model, _rng: Random) -> None:
    while True:
        vm.munmap(page(0), PAGE)


def test_a_generator_that_reaches_the_fault() -> None:
    assert check("9.3", part).solved


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (whole, "Is the memory locked by then, and is it a part of a VMA that moves"),
        (always, "only 1 are different"),
        (unlocked, "Its fault shows with mlock, mremap, too."),
        (moved, "Its fault shows with MREMAP_DONTUNMAP."),
        (endless, "it made more than 500 calls"),
    ],
)
def test_a_generator_that_does_not(program: Callable[[Model, Random], None], words: str) -> None:
    assert words in said("9.3", program)


def test_a_generator_without_calls_is_no_answer() -> None:
    assert not check("9.3", lambda vm, rng: None).started and not check("9.3", ...).started


# --- 9.4 ---


def test_any_bug_of_6_17_will_do() -> None:
    vm = Model("6.17")
    vm.mmap(page(0), 3 * PAGE)
    vm.mseal(page(1), PAGE)
    vm.mseal(page(0), 3 * PAGE)
    assert "It shows mseal_skips_after_merge" in said("9.4", vm)
    vm = Model("6.18")
    vm.limit("memlock", 2)
    vm.mmap(page(0), 2 * PAGE)
    vm.mlock(page(0), 2 * PAGE)
    vm.mremap(page(0), 2 * PAGE, 2 * PAGE, KEEP, page(64))
    vm.munlock(page(64), 2 * PAGE)
    vm.mlock(page(0), 2 * PAGE)
    assert "It shows dontunmap_leaks_locked_vm" in said("9.4", vm)


def test_what_is_no_bug() -> None:
    vm = Model("6.17")
    assert not check("9.4", vm).started and not check("9.4", 5).started
    vm.mmap(page(0), 4 * PAGE)
    assert "answer all of it alike" in said("9.4", vm)
    vm.mremap(page(0), 4 * PAGE, 4 * PAGE, KEEP, page(4))
    assert "but not by a bug: dontunmap_stays_apart" in said("9.4", vm)
    vm.limit("map_count", 4)
    assert "Do without a limit on map_count" in said("9.4", vm)
