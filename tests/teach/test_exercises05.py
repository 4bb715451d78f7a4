"""The checks of lesson 05: any right answer passes, and a wrong one hears what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from vmalab import MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, PAGE, Model, page
from vmalab.machines.outcome import Snapshot
from vmalab.teach import check, exercise
from vmalab.teach.exercises import exercises

MOVE = MREMAP_MAYMOVE | MREMAP_FIXED
KEEP = MOVE | MREMAP_DONTUNMAP


def said(name: str, answer: Any) -> str:
    return " ".join(repr(check(name, answer)).split())


@pytest.mark.parametrize(
    ("name", "answer"),
    [("5.1", ...), ("5.2", 5), ("5.2", Model("6.17")), ("5.3", None), ("5.3", lambda *_: None),
     ("5.4", ...), ("5.4", lambda *_: None), ("5.5", 1), ("5.5", lambda *_: ...)],
)  # fmt: skip
def test_no_answer_is_told_what_is_expected(name: str, answer: Any) -> None:
    told = check(name, answer)
    assert (False, False) == (told.solved, told.started)


# --- 5.1 ---

RIGHT = [(0, 1, "rw"), (8, 9, "rw"), (10, 11, "r"), (64, 65, "r"), (66, 67, "rw"), (68, 68, "r"), (69, 70, "rx"),
         (71, 75, "r")]  # fmt: skip


def without(*rows: tuple[int, int, str]) -> list[tuple[int, int, str]]:
    return [row for row in RIGHT if row not in rows]


def test_half_a_move_drawn() -> None:
    assert check("5.1", RIGHT).solved
    assert check("5.1", [(a, b, f"{perms}-p") for a, b, perms in reversed(RIGHT)]).solved


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([(0, 3, "rw"), (5, 6, "rx"), *RIGHT[1:3], (64, 75, "r")], "does anybody move them back?"),
        ([*RIGHT[:2], *RIGHT[3:7], (71, 73, "r"), (74, 75, "r")], "Does the kernel go on after the VMA"),
        (without((8, 9, "rw")), "C is the VMA of /dev/zero"),
        ([*RIGHT[:7], (71, 71, "r"), (74, 75, "r")], "refused before anything was unmapped for it"),
        (without((68, 68, "r")), "Does a gap unmap anything?"),
        ([*RIGHT, (5, 6, "rx")], "Had it had its turn"),
        (without((64, 65, "r")), "One VMA is missing."),
        ("drawn", "as first page to last page"),
    ],
)
def test_a_wrong_drawing_hears_which_idea_is_wrong(answer: Any, words: str) -> None:
    assert not check("5.1", answer).solved and words in said("5.1", answer)


# --- 5.2 ---


def stopped(resource: str, headroom: int, *, vmas: int = 3, victim: tuple[int, int] | None = (70, 1)) -> Model:
    """`vmas` VMAs of two pages, three pages apart, a victim (page, pages) at the destination, a limit, and the move."""
    vm = Model("6.17")
    for number in range(vmas):
        vm.mmap(page(3 * number), 2 * PAGE)
    if victim is not None:
        vm.mmap(page(victim[0]), victim[1] * PAGE, "r")
    vm.limit(resource, headroom)
    length = (3 * vmas - 1) * PAGE
    vm.mremap(page(0), length, length, KEEP, page(64))
    return vm


@pytest.mark.parametrize("vm", [stopped("as", 4), stopped("map_count", 6, vmas=5, victim=(74, 9))])
def test_two_arrive_and_something_is_lost_for_nothing(vm: Model) -> None:
    assert vm.snapshot().at(page(66)) is None
    assert check("5.2", vm).solved


@pytest.mark.parametrize(
    ("vm", "words"),
    [
        (stopped("as", 9), "The move succeeds."),
        (stopped("as", 2), "when one VMA had arrived"),
        (stopped("as", 1), "when nothing had moved"),
        (stopped("as", 4, victim=None), "where none arrived, nothing is gone"),
        (stopped("as", 4, victim=(66, 1)), "where none arrived, nothing is gone"),
        (exercise("5.1"), "The last call has to be a move"),
    ],
)
def test_another_end_hears_how_far_it_came(vm: Model, words: str) -> None:
    assert not check("5.2", vm).solved and words in said("5.2", vm)


# --- 5.3 ---

Finisher = Callable[[Model, int, int, int], None]


def rest(vm: Model, start: int, length: int, target: int) -> None:
    for row in vm.snapshot():
        low, high = max(row.start, start), min(row.end, start + length)
        if low < high:
            vm.mremap(low, high - low, high - low, MOVE, target + low - start)


def page_by_page_from_the_end(vm: Model, start: int, length: int, target: int) -> None:
    for offset in reversed(range(0, length, PAGE)):
        if vm.snapshot().at(start + offset):
            vm.mremap(start + offset, PAGE, PAGE, MOVE, target + offset)


def undo_and_do_it_again(vm: Model, start: int, length: int, target: int) -> None:
    rest(vm, start, length, target)
    vm.mremap(target, PAGE, PAGE, MOVE, start)
    vm.mremap(start, PAGE, PAGE, MOVE, target)


@pytest.mark.parametrize("finish", [rest, page_by_page_from_the_end, undo_and_do_it_again])
def test_any_way_to_finish(finish: Finisher) -> None:
    assert check("5.3", finish).solved


def the_same_call(vm: Model, start: int, length: int, target: int) -> None:
    vm.mremap(start, length, length, MOVE, target)


def whole_vmas(vm: Model, start: int, length: int, target: int) -> None:
    for row in vm.snapshot():
        if row.start < start + length and start < row.end:
            vm.mremap(row.start, row.end - row.start, row.end - row.start, MOVE, target + row.start - start)


def everything(vm: Model, start: int, length: int, target: int) -> None:
    for row in vm.snapshot():
        vm.mremap(row.start, row.end - row.start, row.end - row.start, MOVE, target + row.start - start)


@pytest.mark.parametrize(
    ("finish", "words"),
    [
        (the_same_call, "Not moved: pages 3, 4, 6 and 7."),
        (whole_vmas, "that starts and ends inside VMAs: "),
        (everything, "The canary at page 66 is gone"),
        (lambda vm: None, "it ended with TypeError"),
    ],
)
def test_what_is_not_finished_hears_where(finish: Any, words: str) -> None:
    assert not check("5.3", finish).solved and words in said("5.3", finish)


# --- 5.4 ---

Undoer = Callable[[Model, Snapshot, int, int, int], None]


def from_notes(vm: Model, before: Snapshot, start: int, length: int, target: int) -> None:
    for row in before:
        low, high = max(row.start, start), min(row.end, start + length)
        if low < high and vm.snapshot().at(low) is None:
            vm.mremap(target + low - start, high - low, high - low, MOVE, low)


def page_by_page(vm: Model, before: Snapshot, start: int, length: int, target: int) -> None:
    for address in range(start, start + length, PAGE):
        if before.at(address) and not vm.snapshot().at(address):
            vm.mremap(target + address - start, PAGE, PAGE, MOVE, address)


@pytest.mark.parametrize("undo", [from_notes, page_by_page])
def test_any_way_to_undo(undo: Undoer) -> None:
    assert check("5.4", undo).solved


def all_back(vm: Model, before: Snapshot, start: int, length: int, target: int) -> None:
    vm.mremap(target, length, length, MOVE, start)


def fresh(vm: Model, before: Snapshot, start: int, length: int, target: int) -> None:
    for row in before:
        if vm.snapshot().at(row.start) is None:
            vm.mmap(row.start, row.end - row.start, row.perms[:3].replace("-", ""))


@pytest.mark.parametrize(
    ("undo", "words"),
    [
        (
            all_back,
            "The canary at page 66 had never moved, and it is not there now. Mapped, though it was not: page 2.",
        ),
        (fresh, "Not back in its place: pages 0, 1, 3 and 4."),
        (lambda vm, before: None, "it ended with TypeError"),
    ],
)
def test_what_is_not_undone_hears_where(undo: Any, words: str) -> None:
    assert not check("5.4", undo).solved and words in said("5.4", undo)


# --- 5.5 ---


def looking(vm: Model, start: int, length: int, target: int) -> bool:
    end, rows = start + length, list(vm.snapshot())
    inside = [row for row in rows if row.start < end and start < row.end]
    if not inside or inside[0].start > start:
        return False
    alone = inside[0].end >= end
    for row in inside:
        if not alone and (row.backing == "/dev/zero" or "um" in row.flags):
            return False
        low, high = target - start + max(row.start, start), target - start + min(row.end, end)
        arriving = [there for there in rows if there.start < high and low < there.end]
        if any("sl" in one.flags for one in [row, *arriving]):
            return False
    return True


def trying(vm: Model, start: int, length: int, target: int) -> bool:
    return vm.copy().mremap(start, length, length, MOVE, target).ok


@pytest.mark.parametrize("foresee", [looking, trying])
def test_any_way_to_foresee(foresee: Any) -> None:
    assert check("5.5", foresee).solved


def seals_only(vm: Model, start: int, length: int, target: int) -> bool:
    return not any("sl" in row.flags for row in vm.snapshot())


def doing(vm: Model, start: int, length: int, target: int) -> bool:
    return vm.mremap(start, length, length, MOVE, target).ok


@pytest.mark.parametrize(
    ("foresee", "words"),
    [
        (lambda *_: True, "With a range that begins in a gap you say yes, and the call fails with EFAULT"),
        (lambda *_: False, "With two VMAs and a gap you say no, and the call succeeds."),
        (seals_only, "Right in "),
        (doing, "foresee has made a call on vm. It should only look"),
        (lambda vm: True, "it ended with TypeError"),
    ],
)
def test_a_wrong_forecast_hears_where(foresee: Any, words: str) -> None:
    assert not check("5.5", foresee).solved and words in said("5.5", foresee)


# --- cases that nobody has seen ---


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("5.3", [rest, page_by_page_from_the_end], [the_same_call, whole_vmas, everything]),
        ("5.4", [from_notes, page_by_page], [all_back, fresh]),
        ("5.5", [looking, trying], [seals_only, lambda *_: True]),
    ],
)
def test_hidden_cases_are_solved_by_what_is_right_and_by_nothing_else(name: str, right: Any, wrong: Any) -> None:
    unseen = exercises()[name].unseen
    assert unseen is not None
    for seed in range(3):
        assert all(unseen(one, Random(seed)).solved for one in right)
        assert not any(unseen(one, Random(seed)).solved for one in wrong)
