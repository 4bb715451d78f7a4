"""The checks of lesson 02: any right answer passes, and a wrong one hears what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from vmalab import MREMAP_FIXED, MREMAP_MAYMOVE, PAGE, Model, page
from vmalab.linux.mm.mremap_checks import AFTER_LOOKUP, BEFORE_LOOKUP
from vmalab.programs.calltext import python_call
from vmalab.teach import check, exercise, order_of_checks
from vmalab.teach.exercises import exercises
from vmalab.teach.exercises.lesson02 import CALLS_2
from vmalab.teach.order import CHECKS
from vmalab.widgets import CallBuilder

MOVE = MREMAP_MAYMOVE | MREMAP_FIXED
LESSON = Path(__file__).parents[2] / "notebooks" / "02-mremap-one-vma.ipynb"


def said(name: str, answer: Any) -> str:
    told = check(name, answer)
    assert not told.solved
    return " ".join(repr(told).split())


@pytest.mark.parametrize("name", ["2.1", "2.2", "2.3", "2.4", "2.5"])
def test_no_answer_is_told_what_is_expected(name: str) -> None:
    assert not check(name, ...).started
    assert not check(name, exercise(name) if name in ("2.1", "2.3", "2.4") else None).started


def test_every_check_of_the_model_has_words_but_the_one_of_the_patch() -> None:
    names = {
        one.__name__.strip("_") for table in (BEFORE_LOOKUP, AFTER_LOOKUP) for part in table.values() for one in part
    }
    assert names - set(CHECKS) == {"target_fits_always"}
    assert set(CHECKS) <= names | {"vma_found", "not_sealed"}
    columns = list(zip(*order_of_checks().rows, strict=True))[1:]
    assert [False, False, True] == [
        column.index("EFAULT: the range leaves the VMA") < len(column) - 1
        and column[-1] == "then the destination is unmapped"
        for column in columns
    ]


# --- 2.1 ---


def aimed(first: int, pages: int, target: int, new: int | None = None) -> Model:
    vm = exercise("2.1")
    vm.mremap(page(first), pages * PAGE, (new or pages) * PAGE, MOVE, page(target))
    return vm


def test_one_page_is_aimed() -> None:
    assert check("2.1", aimed(3, 1, 16)).solved
    builder = CallBuilder(exercise("2.1"))
    builder.set(addr="3", old_len="1", new_len="1", flags="maymove fixed", new_addr="16").run()
    assert check("2.1", builder).solved


def test_a_wrong_aim_hears_what_it_did() -> None:
    assert "The canary's second page, 17, is gone" in said("2.1", aimed(3, 2, 16))
    assert "Page 16 does not hold what was on page 3." in said("2.1", aimed(2, 1, 16))
    assert "pages 4 and 5 should be as before" in said("2.1", aimed(3, 3, 16, 1))
    assert "EINVAL: the old range" in said("2.1", aimed(3, 2, 4))
    vm = aimed(3, 1, 16)
    vm.munmap(page(5), PAGE)
    assert "You made 2 calls" in said("2.1", vm)
    assert "Start from a fresh" in said("2.1", Model("6.17"))


# --- 2.2 ---

RIGHT = dict(zip("abcdefgh", "ENOMEM EFAULT EINVAL EPERM EINVAL works EPERM works".split(), strict=True))


def test_errnos_in_any_spelling() -> None:
    assert check("2.2", RIGHT).solved
    assert check("2.2", {letter.upper(): word.lower() for letter, word in RIGHT.items()}).solved


def test_a_wrong_errno_hears_why_and_is_not_told() -> None:
    words = said("2.2", RIGHT | {"b": "ENOMEM", "h": "EFAULT"})
    assert "6 of 8 are right." in words and "EFAULT" not in words
    assert (
        "b) Look again: the range runs 1 page past the end" in words and "h) Look again: nothing forbids it." in words
    )
    assert "Not answered: a, b, c, d, e, g, h." in said("2.2", {"f": "works", "a": ...})


def test_the_lesson_asks_what_the_check_asks() -> None:
    text = LESSON.read_text(encoding="utf-8")
    for letter, call in CALLS_2.items():
        asked = python_call(call).replace(", 1 * PAGE", ", PAGE").replace(", 0 * PAGE", ", 0")
        assert f"| {letter} | `{asked}` |" in text, asked


# --- 2.3 ---


def swapped(*moves: tuple[int, int]) -> Model:
    vm = exercise("2.3")
    for source, target in moves:
        vm.mremap(page(source), 4 * PAGE, 4 * PAGE, MOVE, page(target))
    return vm


def test_any_swap() -> None:
    assert check("2.3", swapped((0, 32), (8, 0), (32, 8))).solved
    assert check("2.3", swapped((8, 100), (0, 8), (100, 0))).solved
    assert "Three calls are enough" in repr(check("2.3", swapped((0, 32), (32, 40), (8, 0), (40, 8))))


def test_a_swap_that_is_none() -> None:
    assert "is nowhere any more" in said("2.3", swapped((0, 8)))
    assert "Nothing is lost: good." in said("2.3", swapped((0, 32)))
    assert "mapped that was not before: pages 32, 33, 34 and 35" in said("2.3", swapped((0, 32)))
    assert "fails with EINVAL" in said("2.3", swapped((0, 2)))
    vm = swapped((0, 32), (8, 0), (32, 8))
    vm.munmap(page(50), PAGE)
    assert "Use mremap alone; you used munmap, too." in said("2.3", vm)


# --- 2.4 ---


@pytest.mark.parametrize("kind", ["shared", "sharedfile"])
def test_one_page_at_two_addresses(kind: str) -> None:
    vm = Model("6.17")
    vm.mmap(page(0), 2 * PAGE, kind=kind)
    vm.mremap(page(0), 0, 2 * PAGE, MREMAP_MAYMOVE)
    assert check("2.4", vm).solved
    vm = Model("6.17")
    vm.mmap(page(0), 4 * PAGE, kind=kind)
    vm.mremap(page(2), 0, PAGE, MOVE, page(9))
    assert "written at page 9 is read at page 2" in repr(check("2.4", vm))


def test_what_is_not_twice() -> None:
    vm = Model("6.17")
    vm.mmap(page(0), 2 * PAGE)
    assert "No call of the program is mremap." in said("2.4", vm)
    vm.mremap(page(0), 0, 2 * PAGE, MREMAP_MAYMOVE)
    assert "fails with EINVAL: an old length of 0" in said("2.4", vm)
    vm.mremap(page(0), 2 * PAGE, 2 * PAGE, MOVE, page(9))
    assert "Which old_len asks for a second mapping?" in said("2.4", vm)
    vm.mmap(page(0), 2 * PAGE, kind="sharedfile")
    assert "calls mmap 2 times" in said("2.4", vm)


# --- 2.5 ---


def grow(vm: Model, start: int, old_len: int, new_len: int, spare: int) -> int:
    end = start + old_len
    last = vm.snapshot().at(end - PAGE)
    assert last is not None
    low = max(last.start, start)
    if vm.mremap(low, end - low, start + new_len - low).ok:
        return start
    for row in vm.snapshot():
        low, high = max(row.start, start), min(row.end, end)
        if low < high:
            vm.mremap(
                low, high - low, high - low + (new_len - old_len if high == end else 0), MOVE, spare + low - start
            )
    return spare


def one_call(vm: Model, start: int, old_len: int, new_len: int, spare: int) -> int:
    vm.mremap(start, old_len, new_len, MOVE, spare)
    return spare


def only_moves(vm: Model, start: int, old_len: int, new_len: int, spare: int) -> int:
    for row in vm.snapshot():
        low, high = max(row.start, start), min(row.end, start + old_len)
        if low < high:
            more = new_len - old_len if high == start + old_len else 0
            vm.mremap(low, high - low, high - low + more, MOVE, spare + low - start)
    return spare


def maps_over(vm: Model, start: int, old_len: int, new_len: int, spare: int) -> int:
    vm.mmap(start + old_len, new_len - old_len)
    return start


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (one_call, "With one VMA and room behind it: There was room behind it"),
        (only_moves, "There was room behind it"),
        (maps_over, "The canary at page 4 is gone."),
        (lambda *_: None, "grow has made no call"),
        (lambda vm, *_: vm.munmap(page(200), PAGE), "grow has to return where the region starts now"),
    ],
)
def test_a_function_that_does_not_grow_anything_hears_where(answer: Any, words: str) -> None:
    told = check("2.5", answer)
    assert not told.solved and words.lower() in " ".join(repr(told).split()).lower()


def test_a_function_that_does() -> None:
    assert check("2.5", grow).solved


def test_on_cases_that_nobody_has_seen() -> None:
    unseen = exercises()["2.5"].unseen
    assert unseen is not None
    for seed in range(20):
        told = unseen(grow, Random(seed))
        assert told.solved, (seed, told)
    assert not unseen(one_call, Random(1)).solved
