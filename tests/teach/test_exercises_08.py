"""The checks of lesson 08: programs that tell version 3 of the patch from what was merged, and a test for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vmalab import MREMAP_FIXED, MREMAP_MAYMOVE, PAGE, Model, page
from vmalab.teach import check, rules_that_differ

MOVE = MREMAP_MAYMOVE | MREMAP_FIXED


def said(name: str, answer: Any) -> str:
    return " ".join(repr(check(name, answer)).split())


def moved(kind: str = "zero", behind: str = "rw", gap: int = 0, pages: int = 2, uffd: bool = False) -> Model:
    """`[0 kind]`, `gap` pages, `[…-… behind]` if there is any; the first `pages` pages move to page 64."""
    vm = Model("6.17")
    vm.mmap(page(0), PAGE, kind=kind)
    if uffd:
        vm.uffd(page(0), PAGE)
    if behind:
        vm.mmap(page(1 + gap), PAGE, behind)
    vm.mremap(page(0), pages * PAGE, pages * PAGE, MOVE, page(64))
    return vm


# --- 8.1 ---


@pytest.mark.parametrize("answer", ["cd", "DC", ["c", "d"], {"d", "c"}, "c, d", ("cd",)])
def test_the_remarks_in_any_spelling(answer: Any) -> None:
    assert check("8.1", answer).solved


def test_each_wrong_remark_is_explained() -> None:
    told = said("8.1", "acg")
    assert "Right: c." in told and "a, seen_vma in the struct: where a flag is kept" in told
    assert "g, a warning" in told and "1 more can be noticed" in told
    assert "Write letters from a to g" in said("8.1", "xy") and "Write letters" in said("8.1", 5)
    assert not check("8.1", ...).started


# --- 8.2, 8.3 ---


@pytest.mark.parametrize("vm", [moved(), moved(gap=2, pages=4), moved("anon", uffd=True), moved(behind="r", pages=9)])
def test_the_same_errno_and_another_address_space(vm: Model) -> None:
    assert check("8.2", vm).solved


def test_why_a_program_does_not_do() -> None:
    assert "on both" not in said("8.2", Model("6.17")) and not check("8.2", Model("6.17")).started
    assert "On version 3 it succeeds, on Linux 6.17 it succeeds" in said("8.2", moved("anon"))
    last = Model("6.17")
    last.mmap(page(0), PAGE)
    last.mmap(page(1), PAGE, "r", "zero")
    last.mremap(page(0), 2 * PAGE, 2 * PAGE, MOVE, page(64))
    assert "leave [1 r--p /dev/zero] [64 rw-p] behind" in said("8.2", last)
    gone = moved()
    gone.munmap(page(64), PAGE)
    assert "The last call is munmap" in said("8.2", gone)
    gone.mremap(page(1), PAGE, PAGE, MOVE, page(80))
    assert "A call before the last one is answered differently already" in said("8.2", gone)


@pytest.mark.parametrize("vm", [moved(behind=""), moved("anon", "", uffd=True), moved(behind="r", gap=5, pages=4)])
def test_permitted_by_version_3(vm: Model) -> None:
    assert check("8.3", vm).solved


def test_why_it_is_not_permitted_or_permitted_by_both() -> None:
    assert "Is there a second VMA in the range?" in said("8.3", moved())
    assert "It succeeds on both" in said("8.3", moved("anon", ""))


# --- 8.4 ---

Test = Callable[[Model], Any]


def by_place(vm: Model) -> bool:
    vm.mmap(page(0), PAGE, kind="zero")
    vm.mmap(page(1), PAGE)
    return not vm.mremap(page(0), 2 * PAGE, 2 * PAGE, MOVE, page(64)).ok and vm.snapshot().rows[0].start == page(0)


def by_gap(vm: Model) -> bool:
    vm.mmap(page(0), PAGE)
    vm.uffd(page(0), PAGE)
    return vm.mremap(page(0), 2 * PAGE, 2 * PAGE, MOVE, page(64)).errno == "EFAULT"


@pytest.mark.parametrize("test", [by_place, by_gap])
def test_a_test_that_sees_the_fault(test: Test) -> None:
    assert check("8.4", test).solved


def by_errno(vm: Model) -> bool:
    vm.mmap(page(0), PAGE, kind="zero")
    vm.mmap(page(1), PAGE)
    return vm.mremap(page(0), 2 * PAGE, 2 * PAGE, MOVE, page(64)).errno == "EFAULT"


def by_name(vm: Model) -> bool:
    by_errno(vm)
    return vm.release != "v3"


def never(vm: Model) -> bool:
    by_errno(vm)
    return False


def unsaid(vm: Model) -> None:
    by_errno(vm)


def of_another_difference(vm: Model) -> bool:
    vm.mmap(page(0), PAGE)
    return vm.mremap(page(0), PAGE, PAGE, 0, 2**47).ok


def without_a_move(vm: Model) -> bool:
    return bool(vm.mmap(page(0), PAGE).ok)


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (by_errno, "Your test passes on Linux 6.17 without the mend"),
        (by_name, "Your test passes on Linux 6.17 without the mend"),
        (of_another_difference, "Your test passes on Linux 6.17 without the mend"),
        (never, "Your test fails on Linux 6.17"),
        (unsaid, "has to return True or False, and returned None"),
        (without_a_move, "The test makes no mremap call"),
        (lambda vm: vm.rows, "it ended with AttributeError in its line 1"),
    ],
)
def test_a_test_that_does_not(test: Test, words: str) -> None:
    assert words in said("8.4", test)


def test_what_makes_no_call_is_no_answer() -> None:
    assert not check("8.4", lambda vm: True).started
    assert not check("8.4", ...).started


# --- the table ---


def test_the_rules_of_the_patch_are_those_that_differ() -> None:
    table = rules_that_differ("v3", "6.17")
    held = {name: by for name, _, by, _ in table.rows}
    assert {
        "target_range_always_checked": "version 3 of the patch",
        "eligibility_checked_late": "version 3 of the patch",
        "dontunmap_loses_account": "version 3 of the patch",
    } == held
    assert "<caption>Rules in which version 3 of the patch and Linux 6.17 differ</caption>" in table._repr_html_()
