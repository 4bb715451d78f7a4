"""What lesson 07 shows of costs, and the checks of its exercises."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from vmalab import MREMAP_FIXED, MREMAP_MAYMOVE, PAGE, Model, page
from vmalab.differences import live_answers
from vmalab.errors import UsageError
from vmalab.machines.measure import recorded
from vmalab.machines.measure.plan import Entries
from vmalab.teach import (
    check,
    costs_table,
    entries_moved,
    exercise,
    measure_here,
    middle_halves,
    noise,
    saved,
    where_measured,
)
from vmalab.teach.exercises.lesson07 import PAIRS_4, fewest_2

MOVE = MREMAP_MAYMOVE | MREMAP_FIXED


def said(name: str, answer: Any) -> str:
    return " ".join(repr(check(name, answer)).split())


# --- tables ---


def moved(target: int, *neighbours: int) -> Model:
    vm = Model("6.18")
    vm.mmap(page(1), 1023 * PAGE)
    vm.touch(page(1), 1023 * PAGE)
    for number in neighbours:
        vm.mmap(page(number), PAGE, "r")
    vm.mremap(page(1), 1023 * PAGE, 1023 * PAGE, MOVE, page(target))
    return vm


def test_entries_are_counted_on_any_release() -> None:
    assert [("Linux 6.18", "0", "2", "0")] == entries_moved(moved(1025)).rows
    assert ["511", "0"] == [pte for _, pte, _, _ in entries_moved(moved(1025), "6.1", "6.18").rows]
    assert [("Linux 6.18", "511", "1", "0")] == entries_moved(moved(1025, 0)).rows
    assert [("Linux 6.18", "1023", "0", "0")] == entries_moved(moved(1026).history).rows


def test_the_tables_are_those_of_the_recorded_measurements() -> None:
    results = recorded()
    assert {"kernel", "processor", "cores", "load", "date"} <= {what for what, _ in where_measured(results).rows}
    counts = [int(row[0]) for row in saved(results).rows]
    assert counts == sorted(counts) and counts[0] == 1
    assert all(float(row[3].rstrip("%")) < 100 for row in saved(results).rows[1:])
    spreads = [float(row[-1].rstrip("%")) for row in noise(results).rows]
    assert 8 == len(spreads) and spreads == sorted(spreads, reverse=True)
    assert 6 == len(costs_table().rows)
    assert {"many/3/one call", "many/3/call each"} == {row[0] for row in middle_halves(results, "many/3").rows}


# --- this machine ---


def test_without_a_clock_the_recorded_measurements_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMALAB_LIVE", "off")
    for group in ("many", "move", "grow"):
        shown = measure_here(group)
        assert repr(shown).startswith("Nothing is measured here: the live machine is switched off (VMALAB_LIVE=off). ")
        assert shown.results == recorded()
        html = shown._repr_html_()
        assert "you see what was measured on Linux 6.18.44" in html and "<svg" in html
    with pytest.raises(UsageError, match="measure_here takes one of many, move, grow, not 'null'"):
        measure_here("null")


@pytest.mark.live
def test_this_machine_is_measured() -> None:
    if (reason := live_answers.why_unavailable()) is not None:
        pytest.skip(reason)
    shown = measure_here("many")
    assert repr(shown).startswith("Measured just now on this machine: Linux ")
    assert {"many", "null"} == {row.group for row in shown.results.rows}


# --- 7.1 ---

RIGHT = {"a": (0, 1), "b": (512, 0), "c": (0, 0), "d": (256, 2), "e": (0, 2), "f": (511, 1)}


def test_all_six_counts_in_any_spelling() -> None:
    assert check("7.1", RIGHT).solved
    assert check("7.1", {letter.upper(): list(map(str, counted)) for letter, counted in RIGHT.items()}).solved


def test_each_wrong_count_is_explained() -> None:
    told = said("7.1", {**RIGHT, "f": (0, 2), "b": (511, 0), "c": ...})
    assert "Right: a, d, e." in told
    assert "f: not (0, 2). Think of this: page 0 is mapped" in told
    assert "b: not (511, 0). One of the two numbers is right." in told
    assert "Still to be counted: c." in told
    assert "There is no move 'x'" in said("7.1", {"x": (1, 1)})
    assert "write two numbers" in said("7.1", {"a": 5})
    assert "Write (PTEs, PMD entries)" in said("7.1", [1, 2])
    assert not check("7.1", ...).started and not check("7.1", {"a": ...}).started


# --- 7.2 ---


def aimed(target: int, pages: int = 2045) -> Model:
    vm = exercise("7.2")
    vm.mremap(page(3), pages * PAGE, pages * PAGE, MOVE, page(target))
    return vm


@pytest.mark.parametrize("target", [8195, 8707, 12291])
def test_any_place_that_lies_alike_is_good(target: int) -> None:
    assert check("7.2", aimed(target)).solved
    assert fewest_2() == 512


def test_a_place_that_is_not() -> None:
    assert "It arrives, and 2045 entries move. 512 are enough." in said("7.2", aimed(8192))
    assert "lie 509 pages apart" in said("7.2", aimed(8192))
    assert "0 of 2045 pages are in pages 8192 to 16383" in said("7.2", aimed(4099))
    assert "1000 of 2045 pages are in" in said("7.2", aimed(8195, pages=1000))
    assert "The call fails with EINVAL" in said("7.2", aimed(100))
    vm = aimed(8192)
    vm.mremap(page(8192), 2045 * PAGE, 2045 * PAGE, MOVE, page(10243))
    assert "It has to be one call of mremap" in said("7.2", vm)
    assert "Start from a fresh" in said("7.2", Model("6.18"))
    assert not check("7.2", exercise("7.2")).started and not check("7.2", 5).started


# --- 7.3 ---


def by_price(entries: Entries) -> float:
    return 1900 * entries.calls + 4600 * entries.vmas + 3400 * entries.tables + 6 * entries.pte + 370 * entries.pmd


def test_prices_that_fit() -> None:
    assert check("7.3", by_price).solved
    assert check("7.3", lambda entries: str(by_price(entries))).solved


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (
            lambda entries: 10_000,
            r"1\d of 44 cases are within 25%; 75% of them should be. Furthest off, by -100%: many/1000",
        ),
        (lambda entries: entries.ptes, "For 1 call, 1 VMA, 1 PTE, 1 table: it ended with AttributeError"),
        (lambda entries: "much", "has to return a number of nanoseconds, and returned 'much'"),
    ],
)
def test_prices_that_do_not(cost: Callable[[Entries], Any], words: str) -> None:
    assert re.search(words, said("7.3", cost))


def test_no_price_is_no_answer() -> None:
    assert not check("7.3", lambda entries: None).started and not check("7.3", ...).started


# --- 7.4 ---


@pytest.mark.parametrize("answer", ["bde", "EDB", ["b", "d", "e"], "b, d, e"])
def test_the_differences_that_hold(answer: Any) -> None:
    assert check("7.4", answer).solved


def test_a_wrong_letter_is_shown_its_numbers() -> None:
    told = said("7.4", "bf")
    assert "Right: b." in told and "d: half of the samples lie within" in told and "Those lie apart." in told
    assert "Those overlap." in said("7.4", "bdef")
    assert "Write letters from a to f" in said("7.4", "xyz") and "Write letters" in said("7.4", 3)
    assert not check("7.4", ...).started
    assert {case for pair in PAIRS_4.values() for case in pair} <= {row.case for row in recorded().rows}
