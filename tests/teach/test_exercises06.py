"""The checks of lesson 06: any right answer passes, and a wrong one hears what is wrong with it."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from vmalab import MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, PAGE, Model, page
from vmalab.teach import check, exercise
from vmalab.teach.exercises import exercises

MOVE = MREMAP_MAYMOVE | MREMAP_FIXED
KEEP = MOVE | MREMAP_DONTUNMAP
HINT = MREMAP_MAYMOVE | MREMAP_DONTUNMAP


def said(name: str, answer: Any) -> str:
    return " ".join(repr(check(name, answer)).split())


@pytest.mark.parametrize(
    ("name", "answer"),
    [("6.1", ...), ("6.2", exercise("6.2")), ("6.2", 5), ("6.3", Model("7.1")), ("6.3", None), ("6.4", 1),
     ("6.4", lambda *_: ...)],
)  # fmt: skip
def test_no_answer_is_told_what_is_expected(name: str, answer: Any) -> None:
    told = check(name, answer)
    assert (False, False) == (told.solved, told.started)


# --- 6.1 ---


def test_what_is_read() -> None:
    assert check("6.1", (0, 2000, 0, 1000, 2000, 3000)).solved
    assert check("6.1", ["0", "2000", "0", "1000", "2000", "3000"]).solved


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((1000, 2000, 0, 1000, 2000, 3000), "5 of 6 are right. Page 0: A is private"),
        ((0, 0, 0, 1000, 2000, 3000), "Page 2: B is shared memory"),
        ((0, 2000, 3000, 1000, 2000, 0), "Page 4: C is private and of a file"),
        ((0, 2000, 0, 1000, 2000, 0), "Page 68: C's own copy"),
        ((0, 2000), "Write six numbers"),
        ("none", "Write six numbers"),
    ],
)
def test_a_wrong_number_hears_to_whom_the_page_belongs(answer: Any, words: str) -> None:
    assert not check("6.1", answer).solved and words in said("6.1", answer)


# --- 6.2 ---


def room(*calls: tuple[Any, ...]) -> Model:
    """The exercise with these calls made: the name of a method and its arguments."""
    vm = exercise("6.2")
    for name, *arguments in calls:
        getattr(vm, name)(*arguments)
    return vm


FREE = ("munmap", page(32), 4 * PAGE)
TAKE = ("mremap", page(0), 4 * PAGE, 4 * PAGE, KEEP, page(64))
HALF = 2 * PAGE


@pytest.mark.parametrize(
    "calls",
    [
        (FREE, TAKE),
        (("mremap", page(32), 4 * PAGE, 4 * PAGE, MOVE, page(64)), TAKE),
        (FREE, ("mremap", page(0), 4 * PAGE, 4 * PAGE, HINT, page(64))),
        (("munmap", page(32), HALF), ("mremap", page(0), HALF, HALF, KEEP, page(64)), ("munmap", page(34), HALF),
         ("mremap", page(2), HALF, HALF, KEEP, page(66))),
        (TAKE, FREE, TAKE),
    ],
)  # fmt: skip
def test_any_way_to_make_room(calls: Any) -> None:
    assert check("6.2", room(*calls)).solved


@pytest.mark.parametrize(
    ("vm", "words"),
    [
        (room(TAKE), "The first call that failed: mremap(page 0"),
        (room(FREE), "What the heap holds is not at pages 64 to 67 yet."),
        (room(FREE, ("mremap", page(0), 4 * PAGE, 4 * PAGE, MOVE, page(64)), ("mmap", page(0), 4 * PAGE)),
         "In that moment another thread may map something"),
        (room(FREE, TAKE, ("touch", page(0), PAGE)), "Pages 0 to 3 should be mapped as they were, and hold nothing."),
        (Model("6.17"), "Start from a fresh"),
    ],
)  # fmt: skip
def test_what_is_no_solution_hears_why(vm: Model, words: str) -> None:
    assert not check("6.2", vm).solved and words in said("6.2", vm)


# --- 6.3 ---


def beside_itself(target: int = 4, flags: int = KEEP) -> Model:
    vm = Model("7.1")
    vm.mmap(page(0), 4 * PAGE)
    vm.mremap(page(0), 4 * PAGE, 4 * PAGE, flags, page(target))
    return vm


def part_of_locked() -> Model:
    vm = Model("7.1")
    vm.mmap(page(0), 6 * PAGE)
    vm.mlock(page(0), 6 * PAGE)
    vm.mremap(page(2), 2 * PAGE, 2 * PAGE, KEEP, page(64))
    return vm


def written_elsewhere() -> Model:
    vm = Model("7.1")
    vm.mmap(page(100), 2 * PAGE)
    vm.touch(page(100), 2 * PAGE)
    vm.mremap(page(100), 2 * PAGE, 2 * PAGE, MOVE, page(0))
    vm.mremap(page(0), 2 * PAGE, 2 * PAGE, KEEP, page(64))
    vm.mmap(page(2), 2 * PAGE)
    return vm


@pytest.mark.parametrize("vm", [beside_itself(), part_of_locked(), written_elsewhere()])
def test_three_ways_to_tell_7_1_from_7_2(vm: Model) -> None:
    assert check("6.3", vm).solved


@pytest.mark.parametrize(
    ("vm", "words"),
    [
        (beside_itself(64), "Both leave [0 to 3 rw] [64 to 67 rw]."),
        (beside_itself(2), "The last call fails with EINVAL"),
        (beside_itself(4, MOVE), "There is no mremap with MREMAP_DONTUNMAP"),
    ],
)
def test_what_is_alike_on_both_hears_so(vm: Model, words: str) -> None:
    assert not check("6.3", vm).solved and words in said("6.3", vm)


# --- 6.4 ---


def pieces(vm: Model, start: int, length: int) -> list[tuple[int, int]]:
    clipped = [(max(row.start, start), min(row.end, start + length)) for row in vm.snapshot()]
    return [(low, high) for low, high in clipped if low < high]


def piece_by_piece(vm: Model, start: int, length: int, shadow: int) -> None:
    for low, high in pieces(vm, start, length):
        vm.mremap(low, high - low, high - low, KEEP, shadow + low - start)
        vm.uffd(low, high - low)


def registered_first(vm: Model, start: int, length: int, shadow: int) -> None:
    vm.uffd(start, length)
    for low, high in pieces(vm, start, length):
        vm.mremap(low, high - low, high - low, KEEP, shadow + low - start)


@pytest.mark.parametrize("pause", [piece_by_piece, registered_first])
def test_any_way_to_pause(pause: Any) -> None:
    assert check("6.4", pause).solved


def one_call(vm: Model, start: int, length: int, shadow: int) -> None:
    vm.mremap(start, length, length, KEEP, shadow)
    vm.uffd(start, length)


def never_registered(vm: Model, start: int, length: int, shadow: int) -> None:
    for low, high in pieces(vm, start, length):
        vm.mremap(low, high - low, high - low, KEEP, shadow + low - start)


def moved_away(vm: Model, start: int, length: int, shadow: int) -> None:
    for low, high in pieces(vm, start, length):
        vm.mremap(low, high - low, high - low, MOVE, shadow + low - start)


def closed_up(vm: Model, start: int, length: int, shadow: int) -> None:
    for low, high in pieces(vm, start, length):
        vm.mremap(low, high - low, high - low, KEEP, shadow)
        vm.uffd(low, high - low)
        shadow += high - low


def whole_vmas(vm: Model, start: int, length: int, shadow: int) -> None:
    for row in vm.snapshot():
        if row.start < start + length and start < row.end:
            vm.mremap(row.start, row.end - row.start, row.end - row.start, KEEP, shadow + row.start - start)
            vm.uffd(row.start, row.end - row.start)


@pytest.mark.parametrize(
    ("pause", "words"),
    [
        (one_call, "On Linux 6.16, with a heap of two VMAs with a gap"),
        (never_registered, "Not registered with userfaultfd: pages 0, 1, 2 and 3."),
        (moved_away, "Not mapped any more: pages 0, 1, 2 and 3."),
        (closed_up, "The canary at page 66 is gone"),
        (whole_vmas, "Outside of the heap something has changed."),
        (lambda vm: None, "it ended with TypeError"),
    ],
)
def test_a_pause_that_is_none_hears_on_which_heap(pause: Any, words: str) -> None:
    assert not check("6.4", pause).solved and words in said("6.4", pause)


def test_hidden_heaps_are_paused_by_what_is_right_and_by_nothing_else() -> None:
    unseen = exercises()["6.4"].unseen
    assert unseen is not None
    for seed in range(3):
        assert all(unseen(one, Random(seed)).solved for one in (piece_by_piece, registered_first))
        assert not any(
            unseen(one, Random(seed)).solved for one in (one_call, never_registered, moved_away, closed_up, whole_vmas)
        )
