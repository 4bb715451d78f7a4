"""The checks of lesson 01: any right answer passes, and a wrong one hears what is wrong with it."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from vmalab import PAGE, Model, page
from vmalab.teach import check, exercise
from vmalab.teach.exercises import exercises
from vmalab.widgets import CallBuilder


def said(name: str, answer: Any) -> str:
    told = check(name, answer)
    assert not told.solved
    return " ".join(repr(told).split())


@pytest.mark.parametrize("name", ["1.1", "1.2", "1.3", "1.4", "1.5"])
def test_no_answer_is_told_what_is_expected(name: str) -> None:
    assert not check(name, ...).started
    if name != "1.1":
        assert not check(name, exercise(name) if name in ("1.2", "1.4") else None).started


# --- 1.1 ---


def test_reading_maps() -> None:
    assert check("1.1", (4, 3, 9, 2)).solved and check("1.1", ["4", 3, 9, 2]).solved
    assert "Right: the VMAs, the pages of the second VMA and the page of the file" in said("1.1", (4, 3, 10, 2))
    assert "the digits are hexadecimal" in said("1.1", (4, 3, 10, 2))
    assert "offset in the file, in bytes" in said("1.1", (4, 3, 9, 0x2000))
    assert "None of the four is right yet." in said("1.1", (0, 0, 0, 0))
    assert "Write four numbers" in said("1.1", (1, 2)) and "Write four numbers" in said("1.1", "many")


# --- 1.2 ---


def test_two_calls_or_more_in_any_order() -> None:
    vm = exercise("1.2")
    vm.munmap(page(6), PAGE)
    vm.mprotect(page(2), PAGE, "r")
    vm.mprotect(page(3), PAGE, "r")
    assert check("1.2", vm).solved and "two are enough" in repr(check("1.2", vm))
    builder = CallBuilder(exercise("1.2"))
    builder.set(call="mprotect", addr="2", length="2", prot="r").run()
    assert "Mapped, but should not be: page 6." in said("1.2", builder)
    builder.set(call="munmap", addr="6", length="1").run()
    assert check("1.2", builder).solved and "You made" not in repr(check("1.2", builder))


def test_a_wrong_shape_hears_what_is_wrong() -> None:
    vm = exercise("1.2")
    vm.mmap(page(2), 2 * PAGE, "r")
    vm.munmap(page(7), PAGE)
    assert "Not mapped any more: page 7." in said("1.2", vm)
    assert "What was written is not there any more: pages 2 and 3." in said("1.2", vm)
    vm = exercise("1.2")
    vm.mprotect(page(0), 2 * PAGE, "r")
    assert "Other permissions than asked for: pages 0, 1, 2 and 3." in said("1.2", vm)
    vm.mprotect(page(8), PAGE, "r")
    assert 'mprotect(page 8, 1 page, "r") fails with ENOMEM' in said("1.2", vm)
    vm = exercise("1.2")
    vm.mprotect(page(2), 2 * PAGE, "r")
    vm.munmap(page(6), PAGE)
    vm.madvise(page(4), PAGE, "dontfork")
    assert "Each page is right, but they are 5 VMAs" in said("1.2", vm)
    assert "Start from a fresh" in said("1.2", Model("6.17"))


# --- 1.3 ---

RIGHT = [(0, 1, "rw"), (2, 5, "r"), (8, 9, "rw")]


@pytest.mark.parametrize("answer", [RIGHT, RIGHT[::-1], [(a, b, f"{perms}-p") for a, b, perms in RIGHT]])
def test_the_drawing_in_any_order_and_spelling(answer: Any) -> None:
    assert check("1.3", answer).solved


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([*RIGHT[:2], (8, 9, "r")], "mprotect stops at the gap."),
        ([(0, 3, "rw"), (4, 5, "r"), RIGHT[2]], "What has it changed by then?"),
        ([RIGHT[0], (2, 3, "r"), (4, 5, "r"), RIGHT[2]], "alike in everything"),
        ([(0, 5, "r"), RIGHT[2]], "What of the pages before it?"),
        (RIGHT[:2], "One VMA is missing."),
        ([*RIGHT, (20, 20, "r")], "Look again at [20 r]."),
        (5, "as first page to last page"),
    ],
)
def test_a_wrong_drawing_hears_which_idea_is_wrong(answer: Any, words: str) -> None:
    assert words in said("1.3", answer)


# --- 1.4 ---


def test_look_alikes_of_every_kind() -> None:
    by_flag, by_lock, by_anon_vma = (Model("6.17") for _ in range(3))
    by_flag.mmap(page(0), 6 * PAGE)
    by_flag.madvise(page(2), 2 * PAGE, "dontfork")
    by_lock.mmap(page(0), 6 * PAGE)
    by_lock.mlock(page(2), PAGE)
    by_lock.mmap(page(6), PAGE, noreserve=True)
    for number in (0, 2, 4):
        by_anon_vma.mmap(page(number), PAGE)
        by_anon_vma.touch(page(number))
    by_anon_vma.mmap(page(1), PAGE)
    by_anon_vma.mmap(page(3), PAGE)
    for vm in (by_flag, by_lock, by_anon_vma):
        assert check("1.4", vm).solved, vm.snapshot().maps()
    assert "keeps them apart: flags that maps does not print" in " ".join(repr(check("1.4", by_flag)).split())
    assert "keeps them apart: an anon_vma of their own" in " ".join(repr(check("1.4", by_anon_vma)).split())


def test_what_is_no_look_alike() -> None:
    vm = Model("6.17")
    vm.mmap(page(0), PAGE)
    vm.mmap(page(1), PAGE)
    assert "was alike and became one" in said("1.4", vm)
    vm.mmap(page(2), PAGE, "r")
    vm.mmap(page(9), PAGE)
    assert "They have to touch" in said("1.4", vm) and "Their permissions differ" in said("1.4", vm)
    vm.munmap(page(0), 20 * PAGE)
    assert "Nothing is mapped." in said("1.4", vm)
    vm.mmap(page(0), 2 * PAGE)
    vm.mlock(page(0), PAGE)
    assert "One more." in said("1.4", vm)


# --- 1.5 ---


def protect_all(vm: Model, start: int, length: int, prot: str) -> None:
    for row in vm.snapshot():
        low, high = max(row.start, start), min(row.end, start + length)
        if low < high:
            vm.mprotect(low, high - low, prot)


def page_by_page(vm: Model, start: int, length: int, prot: str) -> None:
    for at in range(start, start + length, PAGE):
        if vm.snapshot().at(at):
            vm.mprotect(at, PAGE, prot)


def test_any_function_that_does_it() -> None:
    assert check("1.5", protect_all).solved and check("1.5", page_by_page).solved


def whole_vmas(vm: Model, start: int, length: int, prot: str) -> None:
    for row in vm.snapshot():
        if row.start < start + length and start < row.end:
            vm.mprotect(row.start, row.end - row.start, prot)


def afresh(vm: Model, start: int, length: int, prot: str) -> None:
    vm.mmap(start, length, prot)


def wrong_name(vm: Model, start: int, length: int, prot: str) -> None:
    vm.protect(start, length, prot)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda vm, start, length, prot: vm.mprotect(start, length, prot), "With a gap in the middle of the range:"),
        (whole_vmas, "Outside of the range, but changed: pages 0, 1, 7 and 8."),
        (afresh, "What was there before is lost"),
        (wrong_name, "AttributeError in its line 2"),
    ],
)
def test_a_function_that_does_not_hears_where(answer: Any, words: str) -> None:
    assert words in said("1.5", answer)


def test_on_cases_that_nobody_has_seen() -> None:
    unseen = exercises()["1.5"].unseen
    assert unseen is not None
    for seed in range(20):
        told = unseen(protect_all, Random(seed))
        assert told.solved, (seed, told)
    assert not unseen(whole_vmas, Random(1)).solved
