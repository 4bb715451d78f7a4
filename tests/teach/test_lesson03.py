"""The checks of lesson 03: any right answer passes, and a wrong one hears what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from vmalab import MREMAP_FIXED, MREMAP_MAYMOVE, PAGE, Model, page
from vmalab.programs.calltext import python_call
from vmalab.teach import check, exercise
from vmalab.teach.exercises import exercises
from vmalab.teach.exercises.lesson03 import PROGRAMS_2

MOVE = MREMAP_MAYMOVE | MREMAP_FIXED
LESSON = Path(__file__).parents[2] / "notebooks" / "03-anon-vma.ipynb"


def said(name: str, answer: Any) -> str:
    told = check(name, answer)
    assert not told.solved
    return " ".join(repr(told).split())


def move(vm: Model, source: int, pages: int, target: int) -> None:
    vm.mremap(page(source), pages * PAGE, pages * PAGE, MOVE, page(target))


@pytest.mark.parametrize("name", ["3.1", "3.2", "3.3", "3.4", "3.5"])
def test_no_answer_is_told_what_is_expected(name: str) -> None:
    assert not check(name, ...).started
    assert not check(name, exercise(name) if name in ("3.3", "3.4") else {}).started


# --- 3.1 ---


def test_reading_vm_pgoff() -> None:
    assert check("3.1", {"B": 40, "D": 22}).solved and check("3.1", {"d": 22, "b": 40}).solved
    assert "C lies on page 8, and its vm_pgoff is that of this page" in said("3.1", {"B": 40, "C": 60, "D": 22})
    assert "B has moved, but was not on page 28 then." in said("3.1", {"B": 28, "D": 22})
    assert "1 more moved after the first write." in said("3.1", {"B": 40})
    assert "There is no VMA X." in said("3.1", {"X": 1})


# --- 3.2 ---

RIGHT = {"a": 1, "b": 2, "c": 1, "d": 2, "e": 2, "f": 1, "g": 2}


def test_counting() -> None:
    assert check("3.2", RIGHT).solved
    words = said("3.2", RIGHT | {"d": 1, "c": 2})
    assert "5 of 7 are right." in words
    assert "c) Compare flags, vm_pgoff and anon_vma: nothing keeps them apart." in words
    assert "d) vm_pgoff must continue from one to the other." in words
    assert "Not answered: b, c, d, e, f, g." in said("3.2", {"a": 1, "b": ...})


def test_the_lesson_asks_what_the_check_asks() -> None:
    text = LESSON.read_text(encoding="utf-8")
    for letter, calls in PROGRAMS_2.items():
        line = ", ".join(f"`{python_call(call)}`" for call in calls).replace(', \\"rw\\"', "").replace(', "rw"', "")
        line = line.replace("MREMAP_MAYMOVE | MREMAP_FIXED", "MOVE").replace(", 1 * PAGE", ", PAGE")
        assert f"| {letter} | {line} |" in text, line


# --- 3.3 ---


def test_look_alikes_by_either_field() -> None:
    by_pgoff, by_anon_vma, by_fork = (Model("6.18") for _ in range(3))
    by_pgoff.mmap(page(0), 2 * PAGE)
    by_pgoff.touch(page(0))
    by_pgoff.mremap(page(0), PAGE, PAGE, MOVE, page(2))
    assert check("3.3", by_pgoff).solved and "three are enough" not in repr(check("3.3", by_pgoff))
    for number in (0, 2):
        by_anon_vma.mmap(page(number), PAGE)
        by_anon_vma.touch(page(number))
    by_anon_vma.mmap(page(1), PAGE)
    assert "an anon_vma of its own. You needed 5 calls" in " ".join(repr(check("3.3", by_anon_vma)).split())
    by_fork.mmap(page(0), PAGE)
    by_fork.touch(page(0))
    by_fork.fork_child()
    by_fork.mmap(page(1), PAGE)
    assert "one was inherited over fork" in repr(check("3.3", by_fork))


def test_what_is_no_look_alike() -> None:
    vm = Model("6.18")
    vm.mmap(page(0), 2 * PAGE)
    assert "no two of them touch" in said("3.3", vm)
    vm.mprotect(page(0), PAGE, "r")
    assert "maps tells [0 r] and [1 rw] apart: r--p and rw-p." in said("3.3", vm)
    vm.mprotect(page(0), PAGE, "rw")
    vm.madvise(page(0), PAGE, "dontfork")
    assert "smaps tells them apart: dc." in said("3.3", vm)
    vm.munmap(page(0), 2 * PAGE)
    assert "Nothing is mapped." in said("3.3", vm)


# --- 3.4 ---


def test_mending_with_two_calls_or_four() -> None:
    vm = exercise("3.4")
    move(vm, 0, 9, 97)
    assert "It only has to come home." in said("3.4", vm)
    move(vm, 97, 9, 0)
    assert check("3.4", vm).solved and "You needed" not in repr(check("3.4", vm))
    vm = exercise("3.4")
    move(vm, 3, 3, 100)
    move(vm, 0, 3, 97)
    move(vm, 6, 3, 103)
    move(vm, 97, 9, 0)
    assert check("3.4", vm).solved and "You needed 4 calls" in repr(check("3.4", vm))


def test_what_does_not_mend() -> None:
    vm = exercise("3.4")
    move(vm, 0, 9, 90)
    assert "At which place does the written piece fit" in said("3.4", vm)
    vm.mremap(page(90), 9 * PAGE, 9 * PAGE, MOVE, page(91))
    assert "The first call that failed:" in said("3.4", vm)
    vm.mmap(page(0), 9 * PAGE)
    assert "Use mremap alone; you used mmap, too." in said("3.4", vm)
    assert "Start from a fresh" in said("3.4", Model("6.18"))


# --- 3.5 ---


def by_lock(vm: Model, start: int, length: int, target: int) -> None:
    vm.mlock(start, PAGE)
    vm.munlock(start, PAGE)
    vm.mremap(start, length, length, MOVE, target)


def by_zeros(vm: Model, start: int, length: int, target: int) -> None:
    if vm.read(start).values == (0,):
        vm.touch(start, PAGE, 0)
    vm.mremap(start, length, length, MOVE, target)


@pytest.mark.parametrize("lend", [by_lock, by_zeros])
def test_lending_in_any_way_that_keeps_contents(lend: Any) -> None:
    assert check("3.5", lend).solved


def plain(vm: Model, start: int, length: int, target: int) -> None:
    vm.mremap(start, length, length, MOVE, target)


def by_writing(vm: Model, start: int, length: int, target: int) -> None:
    vm.touch(start)
    plain(vm, start, length, target)


@pytest.mark.parametrize(
    ("lend", "words"),
    [
        (plain, "it came back, as [0 to 2 rw] [3 to 5 rw] [6 to 8 rw]. [3 to 5 rw] has the vm_pgoff of page 100"),
        (by_writing, "What was written before has changed."),
        (lambda vm, start, length, target: vm.mlock(start, length), "Still at the old place: pages 3, 4 and 5."),
        (lambda vm, start, length, target: vm.munmap(start, length), "Not at the target: pages 100, 101 and 102."),
        (lambda *_: None, "lend has made no call on vm yet."),
    ],
)
def test_lending_that_is_none_hears_why(lend: Any, words: str) -> None:
    assert words in said("3.5", lend)


def test_on_cases_that_nobody_has_seen() -> None:
    unseen = exercises()["3.5"].unseen
    assert unseen is not None
    for seed in range(20):
        told = unseen(by_lock, Random(seed))
        assert told.solved, (seed, told)
    assert not unseen(plain, Random(1)).solved
