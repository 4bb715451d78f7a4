"""Answers as people write them: numbers in quotes, inclusive ends, values of no use, loops without end."""

from __future__ import annotations

from typing import Any

import pytest

from vmalab import PAGE, Model, page
from vmalab.machines.measure import recorded
from vmalab.teach import check, exercise
from vmalab.teach.exercises import checking, exercises, lesson01, lesson04, lesson05
from vmalab.teach.exercises.cases import page_in
from vmalab.teach.exercises.checking import letters
from vmalab.teach.suspects import fault_of

MOVE = 3


def said(name: str, answer: Any) -> str:
    told = check(name, answer)
    assert not told.solved
    return " ".join(repr(told).split())


def test_numbers_in_quotes_are_numbers() -> None:
    assert check("3.1", {"B": "40", "d": " 22 "}).solved
    assert check("3.1", {"B": "0x28", "D": 22.0}).solved
    right = {"a": "1", "b": "2", "c": "1", "d": "2", "e": "2", "f": "1", "g": "2"}
    assert check("3.2", right).solved
    assert check("9.2", {str(number): fault_of(number) for number in (2, 3, 4, 5)}).solved
    assert "Suspect 'x' is not asked for" in said("9.2", {"x": "mseal"})


def test_all_the_ways_to_say_that_it_works() -> None:
    right = {
        "a": "enomem",
        "b": "EFAULT",
        "c": "EINVAL",
        "d": "EPERM",
        "e": "EINVAL",
        "f": "OK",
        "g": "EPERM",
        "h": True,
    }
    assert check("2.2", right).solved


def test_the_notation_of_the_pictures_and_letters_in_any_order() -> None:
    after = [(0, 1, "rw"), (2, 5, "r"), (8, 9, "rw")]
    assert check("1.3", after).solved
    assert check("1.3", "[0 to 1 rw] [2 to 5 r] [8 to 9 rw]").solved
    assert check("1.3", [(0, 1, "WR"), (2, 5, "r--p"), (8, 9, "rw-")]).solved
    assert "as first page to last page" in said("1.3", "two VMAs")


AFTER = {
    "1.3": lesson01.start_3().do(lesson01.CALL_3).after,
    "4.1": lesson04.start_1().do(lesson04.MOVE_1).after,
    "5.1": lesson05.start_1().do(lesson05.MOVE_1).after,
}


@pytest.mark.parametrize("name", AFTER)
def test_excluded_ends_are_told_so(name: str) -> None:
    right = [(page_in(row.start), page_in(row.end) - 1, letters(row.perms)) for row in AFTER[name]]
    assert check(name, right).solved
    assert "The second number is the last page that belongs" in said(
        name, [(start, end + 1, perms) for start, end, perms in right]
    )


STRANGE = [[], [[1]], {"a": [1]}, {"B": [40]}, {2: ["mseal"]}, {1: {}}, object(), b"x", float("nan"), 10**400, "", "?",
           {"a": ...}, {None: None}, [None], (1, [2]), {"a": {"b": 1}}, lambda: 1, type, range(3)]  # fmt: skip


@pytest.mark.parametrize("name", sorted(exercises()))
def test_no_value_raises(name: str) -> None:
    for value in STRANGE:
        assert not check(name, value).solved
        assert "Traceback" not in repr(check(name, value))


def test_a_loop_without_an_end_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MOST_SECONDS", 1)

    def lend(vm: Model, start: int, length: int, target: int) -> None:
        while True:
            try:
                length += 1
            except Exception:  # which a learner writes, and which must not catch this
                length = 0

    assert "it has worked for 1 seconds without an end" in said("3.5", lend)


def test_programs_that_leave_are_answered() -> None:
    def lend(vm: Model, start: int, length: int, target: int) -> None:
        raise SystemExit(3)

    assert "SystemExit" in said("3.5", lend)


# --- verdicts ---


def test_the_limit_of_6_2_stays() -> None:
    vm = exercise("6.2")
    vm.limit("as", 100)
    vm.mremap(page(0), 4 * PAGE, 4 * PAGE, 7, page(64))
    assert "You have set the limit anew" in said("6.2", vm)


def test_an_injected_failure_counts_in_5_2() -> None:
    vm = Model("6.17")
    for first in (0, 3, 6):
        vm.mmap(page(first), 2 * PAGE, "rw" if first != 3 else "r")
    vm.mmap(page(70), PAGE, "r", "sharedfile", file="canary")
    vm.touch(page(0), 2 * PAGE)
    vm.touch(page(6), 2 * PAGE)
    vm.inject("move_page_tables", 3)
    assert vm.mremap(page(0), 8 * PAGE, 8 * PAGE, MOVE, page(64)).errno == "ENOMEM"
    assert check("5.2", vm).solved


def test_look_alikes_of_1_4_have_nothing_behind_them() -> None:
    vm = Model("6.17")
    for number in range(3):
        vm.mmap(page(number), PAGE, kind="zero")
    assert "is of /dev/zero. All three should have nothing behind them." in said("1.4", vm)


def test_shared_mappings_of_3_3_are_called_shared() -> None:
    vm = Model("6.18")
    vm.mmap(page(0), PAGE, "rw", "shared")
    vm.mmap(page(1), PAGE, "rw", "shared")
    words = said("3.3", vm)
    assert "are shared memory. Both should be private and anonymous" in words


def test_locked_memory_of_3_5_hears_of_its_flag() -> None:
    def lend(vm: Model, start: int, length: int, target: int) -> None:
        vm.mlock(start, length)
        vm.mremap(start, length, length, MOVE, target)

    words = said("3.5", lend)
    assert "smaps tells them apart by lo" in words and "vm_pgoff" not in words


def test_what_was_read_and_written_back_in_3_5_is_divided() -> None:
    def lend(vm: Model, start: int, length: int, target: int) -> None:
        for at in range(start, start + length, PAGE):
            (word,) = vm.read(at, PAGE).values or (None,)
            vm.touch(at, PAGE, word)
        vm.mremap(start, length, length, MOVE, target)

    words = said("3.5", lend)
    assert "lend must leave all contents as they are" in words
    assert "touch(…, value=n) writes n × 1000" in words


def test_units_of_7_3() -> None:
    rows = recorded().rows

    def cost(entries: Any) -> float:
        return next(row.median for row in rows if row.entries == entries) / 1000

    assert "These are microseconds" in said("7.3", cost)
    assert "nan" in said("7.3", lambda entries: float("nan"))
