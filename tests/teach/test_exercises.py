"""The checks of the exercises: any right answer passes, and a wrong one hears what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vmalab import MREMAP_FIXED, MREMAP_MAYMOVE, PAGE, Model, page
from vmalab.errors import UsageError
from vmalab.teach import check, exercise
from vmalab.teach.exercises import exercises
from vmalab.teach.exercises.checking import MOST_CALLS, listed, pages_of
from vmalab.widgets import CallBuilder

MOVE = MREMAP_MAYMOVE | MREMAP_FIXED
Mover = Callable[[Model, int, int, int], None]


def test_what_there_is() -> None:
    lessons = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
    told = [name for path in lessons for name in re.findall(r"### Exercise (\d+\.\d): ", path.read_text("utf-8"))]
    assert told == list(exercises())
    with pytest.raises(UsageError, match=r"there is no exercise '4\.9': there are 0\.1, "):
        check("4.9", None)


@pytest.mark.parametrize(
    ("name", "answer"),
    [("0.1", ...), ("0.2", None), ("4.1", ...), ("4.1", []), ("4.2", None), ("4.3", 5), ("4.4", None), ("4.5", "?")],
)
def test_no_answer_is_told_what_is_expected(name: str, answer: Any) -> None:
    told = check(name, answer)
    assert (False, False) == (told.solved, told.started)
    assert repr(told).startswith("○ No answer yet.\n")


@pytest.mark.parametrize("name", ["0.2", "4.2", "4.3", "4.5"])
def test_a_fresh_model_is_no_answer(name: str) -> None:
    assert not check(name, exercise(name)).started


def test_every_exercise_starts_afresh() -> None:
    exercise("4.2").munmap(page(0), PAGE)
    assert len(exercise("4.2").history) == len(exercise("4.2").snapshot()) == 5


# --- 0.1, 0.2 ---


def test_reading_a_picture() -> None:
    assert check("0.1", (4, 4, 3)).solved
    assert "Right: the pages of the smaller gap." in repr(check("0.1", (3, 4, 1)))
    assert "Two boxes that touch" in repr(check("0.1", (3, 4, 3)))
    assert "Write three numbers" in repr(check("0.1", (4, 4)))
    assert "Write three numbers" in repr(check("0.1", "many"))


def test_growing_by_moving() -> None:
    vm = exercise("0.2")
    vm.mremap(page(0), 2 * PAGE, 4 * PAGE)
    assert "fails with ENOMEM" in repr(check("0.2", vm))
    vm.mremap(page(0), 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE)
    assert check("0.2", vm).solved


def test_growing_may_be_done_in_the_builder_and_to_a_chosen_place() -> None:
    builder = CallBuilder(exercise("0.2"))
    builder.set(addr="0", old_len="2", new_len="4", flags="maymove fixed", new_addr="30").run()
    assert check("0.2", builder).solved


def test_growing_over_the_neighbour_or_afresh_is_no_answer() -> None:
    vm = exercise("0.2")
    vm.mmap(page(0), 4 * PAGE)
    assert "read-only VMA at page 2 is gone" in repr(check("0.2", vm))
    vm = exercise("0.2")
    vm.munmap(page(0), 2 * PAGE)
    vm.mmap(page(10), 4 * PAGE)
    assert "what was written is not in it" in repr(check("0.2", vm))
    assert "Start from a fresh" in repr(check("0.2", Model("6.17")))


# --- 4.1 ---

RIGHT = [(0, 0, "rw"), (65, 67, "rw"), (68, 69, "rx"), (70, 71, "r"), (72, 73, "rw")]


@pytest.mark.parametrize("answer", [RIGHT, RIGHT[::-1], [(a, b, f"{p}-p") for a, b, p in RIGHT], tuple(RIGHT)])
def test_the_layout_in_any_order_and_spelling(answer: Any) -> None:
    assert check("4.1", answer).solved


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (RIGHT[1:], "What becomes of the page before it?"),
        ([*RIGHT[:3], (70, 71, "rw")], "closed the gap up"),
        ([*RIGHT[:3], RIGHT[4]], "Nothing is left on pages 70 and 71"),
        ([*RIGHT[:3], (69, 72, "r"), RIGHT[4]], "which of its pages are hit?"),
        ([*RIGHT[:2], (68, 71, "rx"), RIGHT[4]], "can't be one VMA"),
        ([(0, 3, "rw"), *RIGHT[1:]], "is anything left in the old range"),
        ([*RIGHT, (90, 90, "r")], "Look again at [90 r]."),
        (RIGHT[:4], "One VMA is missing."),
        (5, "as first page to last page"),
    ],
)
def test_a_wrong_layout_hears_which_idea_is_wrong(answer: Any, said: str) -> None:
    told = check("4.1", answer)
    assert not told.solved and said in " ".join(repr(told).split())


# --- 4.2 ---


def aimed(target: int, pages: int = 10) -> Model:
    vm = exercise("4.2")
    vm.mremap(page(0), pages * PAGE, pages * PAGE, MOVE, page(target))
    return vm


def test_exactly_two_targets_are_right() -> None:
    assert [65, 70] == [target for target in range(10, 90) if check("4.2", aimed(target)).solved]


def test_a_longer_range_is_as_good() -> None:
    assert check("4.2", aimed(65, 15)).solved


def test_a_wrong_aim_hears_what_it_hit() -> None:
    assert "The canary at page 67 is gone: page 3 of the range arrived there" in " ".join(
        repr(check("4.2", aimed(64))).split()
    )
    assert "Still at the old place: pages 8 and 9." in repr(check("4.2", aimed(70, 5)))
    assert "Outside of pages 64 to 79: page 80." in repr(check("4.2", aimed(71)))
    assert "EINVAL: the old range" in repr(check("4.2", aimed(2)))


def test_one_call_means_one() -> None:
    vm = aimed(64)
    vm.mremap(page(64), 10 * PAGE, 10 * PAGE, MOVE, page(65))
    assert "You made 2 calls; one is enough" in repr(check("4.2", vm))
    vm = exercise("4.2")
    vm.munmap(page(0), PAGE)
    assert "munmap does not move VMAs" in repr(check("4.2", vm))


# --- 4.3 ---


def told_apart(*canaries: int, grow: int = 0, gap: bool = True) -> Model:
    vm = Model("6.16")
    vm.mmap(page(0), 2 * PAGE)
    if gap:
        vm.mmap(page(3), PAGE, "r")
    for number in canaries:
        vm.mmap(page(number), PAGE, "r")
    vm.mremap(page(0), 4 * PAGE, (4 + grow) * PAGE, MOVE, page(64))
    return vm


@pytest.mark.parametrize(
    "vm", [told_apart(66), told_apart(64, grow=1), told_apart(65, 67, grow=1), told_apart(66, gap=False)]
)
def test_programs_that_tell_6_16_from_6_17(vm: Model) -> None:
    assert check("4.3", vm).solved


@pytest.mark.parametrize(
    ("vm", "said"),
    [
        (told_apart(), "but nothing is lost"),
        (told_apart(64), "on Linux 6.17 page 64 is gone too"),
        (exercise("4.1"), "The last call is mmap"),
    ],
)
def test_programs_that_do_not(vm: Model, said: str) -> None:
    assert said in " ".join(repr(check("4.3", vm)).split())


def test_a_call_that_replaces_on_purpose_loses_nothing() -> None:
    vm = Model("6.16")
    vm.mmap(page(0), PAGE)
    vm.mmap(page(64), PAGE)
    vm.mremap(page(0), PAGE, PAGE, MOVE, page(64))
    assert "replaced on purpose" in repr(check("4.3", vm))


# --- 4.4 ---


def each_vma(vm: Model, start: int, length: int, target: int) -> None:
    for row in vm.snapshot():
        low, high = max(row.start, start), min(row.end, start + length)
        if low < high:
            vm.mremap(low, high - low, high - low, MOVE, target + low - start)


def each_page(vm: Model, start: int, length: int, target: int) -> None:
    for offset in range(0, length, PAGE):
        if vm.snapshot().at(start + offset):
            vm.mremap(start + offset, PAGE, PAGE, MOVE, target + offset)


def backwards(vm: Model, start: int, length: int, target: int) -> None:
    for row in reversed(vm.snapshot().rows):
        low, high = max(row.start, start), min(row.end, start + length)
        if low < high:
            vm.mremap(low, high - low, high - low, MOVE, target + low - start)


@pytest.mark.parametrize("move_all", [each_vma, each_page, backwards])
def test_any_way_to_move_everything(move_all: Mover) -> None:
    assert check("4.4", move_all).solved


def one_call(vm: Model, start: int, length: int, target: int) -> None:
    vm.mremap(start, length, length, MOVE, target)


def closed_up(vm: Model, start: int, length: int, target: int) -> None:
    for row in vm.snapshot():
        low, high = max(row.start, start), min(row.end, start + length)
        if low < high:
            vm.mremap(low, high - low, high - low, MOVE, target)
            target += high - low


def whole_vmas(vm: Model, start: int, length: int, target: int) -> None:
    for row in vm.snapshot():
        if row.start < start + length and start < row.end:
            vm.mremap(row.start, row.end - row.start, row.end - row.start, MOVE, target + row.start - start)


def endless(vm: Model, start: int, length: int, target: int) -> None:
    while True:
        vm.mremap(start, length, length)


def broken(vm: Model, start: int, length: int, target: int) -> None:
    vm.mremap(start, length, length, MOVE, nowhere)  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("move_all", "said"),
    [
        (one_call, "On Linux 6.16, with two VMAs that touch: Not moved: pages 0, 1, 2 and 3."),
        (closed_up, "The canary at page 66 is gone"),
        (whole_vmas, "with a range that starts and ends inside VMAs: Outside of the range,"),
        (endless, f"it made more than {MOST_CALLS} calls: does its loop end?"),
        (broken, "it ended with NameError in its line 2: name 'nowhere' is not defined"),
        (lambda vm: None, "it ended with TypeError"),
    ],
)
def test_a_function_that_does_not_hears_on_which_address_space(move_all: Any, said: str) -> None:
    told = check("4.4", move_all)
    assert not told.solved and said in " ".join(repr(told).split())


def test_a_function_without_a_body_is_no_answer() -> None:
    assert not check("4.4", lambda vm, start, length, target: ...).started


# --- 4.5 ---


def apart(first: int, pages: int, away: int, target: int, *, write: bool = True) -> Model:
    """Three pieces of `pages` pages from `first`; the middle one was written at `away`."""
    vm = Model("6.17")
    vm.mmap(page(first), 3 * pages * PAGE)
    vm.mremap(page(first + pages), pages * PAGE, pages * PAGE, MOVE, page(away))
    if write:
        vm.touch(page(away))
    vm.mremap(page(away), pages * PAGE, pages * PAGE, MOVE, page(first + pages))
    vm.mremap(page(first), 3 * pages * PAGE, 3 * pages * PAGE, MOVE, page(target))
    return vm


@pytest.mark.parametrize("vm", [apart(0, 3, 100, 97), apart(10, 1, 50, 49), apart(0, 5, 300, 295)])
def test_three_become_one(vm: Model) -> None:
    assert check("4.5", vm).solved


@pytest.mark.parametrize(
    ("vm", "said"),
    [
        (apart(0, 3, 100, 90), "3 VMAs were moved and 3 arrived: [90 to 92 rw] [93 to 95 rw] [96 to 98 rw]."),
        (apart(0, 3, 100, 97, write=False), "Before the move the range holds one VMA"),
        (exercise("4.1"), "The last call has to be the move"),
    ],
)
def test_three_that_stay_three_hear_why(vm: Model, said: str) -> None:
    told = check("4.5", vm)
    assert not told.solved and said in " ".join(repr(told).split())


# --- the tools ---


def test_pages_do_not_depend_on_how_vmas_are_cut() -> None:
    vm = Model("6.17")
    vm.mmap(page(0), 4 * PAGE)
    whole = pages_of(vm.snapshot())
    vm.mprotect(page(1), PAGE, "r")
    vm.touch(page(2), PAGE)
    cut = pages_of(vm.snapshot())
    assert (whole[0], whole[3]) == (cut[0], cut[3]) and cut[1][0] == "r--p" and cut[2][2] == 3000


def test_page_numbers_in_words() -> None:
    assert ["page 3", "pages 3 and 4", "pages 1, 3 and 4"] == [listed([3]), listed({4, 3}), listed([1, 3, 4])]
