"""Page-table entries in use: held against the present pages of each frame, one by one, and against the words."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from tests.sample_outcomes import gap_move, many, random_outcomes
from vmalab.linux.addr import PAGE, PAGE_SHIFT, PMD_SIZE, PUD_SIZE, page
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Snapshot
from vmalab.pictures.entries import Tables, tables_of
from vmalab.pictures.frames import player_data
from vmalab.pictures.ranges import without
from vmalab.pictures.scene import scenes_of
from vmalab.pictures.svgentries import draw_tables

SIZES = {"PUD": PUD_SIZE, "PMD": PMD_SIZE, "PTE": PAGE}


def tables(told: Outcome) -> tuple[Tables, ...]:
    return tables_of(told, scenes_of(told)[0].scale)


def by_hand(snapshot: Snapshot, size: int) -> set[int]:
    """The numbers of the entries of that level that have a present page below them."""
    return {(n << PAGE_SHIFT) // size for row in snapshot for run in row.runs for n in range(run.start, run.end)}


def test_the_entries_are_those_of_the_present_pages_for_hundreds_of_random_states():
    seen = 0
    for told in random_outcomes():
        moments = tables(told)
        assert (len(told.frames) if told.steps else 0) == len(moments)
        for number, (frame, moment) in enumerate(zip(told.frames, moments, strict=bool(told.steps))):
            before = told.frames[max(number - 1, 0)].snapshot
            for level in moment.levels:
                size = SIZES[level.name]
                shown = {mark: {n for bar in level.bars if bar.mark == mark
                                for n in range(bar.start // size, bar.end // size)}
                         for mark in ("", "new", "gone")}  # fmt: skip
                now, was = by_hand(frame.snapshot, size), by_hand(before, size)
                assert (now & was, now - was, was - now) == (shown[""], shown["new"], shown["gone"])
                assert len(now) == level.in_use
        seen += len(moments)
    assert seen > 1000


PLACE = re.compile(r"(?:pages (\d+) to (\d+)|page (\d+)|(0x[0-9a-f]+)-(0x[0-9a-f]+))( \(new in this step\))?")


def said(words: str) -> list[tuple[int, int, str]]:
    """(first byte, end, mark) of every place that the words on one level name."""
    found = []
    for part, mark in zip(words.split(". No longer in use: "), ("", "gone"), strict=False):
        for first, last, only, low, high, new in PLACE.findall(part):
            start, end = page(int(first or only or 0)), page(int(last or only or 0) + 1)
            if low:
                start, end = int(low, 16), int(high, 16)
            found.append((start, end, "new" if new else mark))
    return sorted(found)


def test_the_words_name_every_bar():
    for told in random_outcomes():
        for moment in tables(told):
            for level in moment.levels:
                assert [(bar.start, bar.end, bar.mark) for bar in level.bars] == said(level.words())
                assert f": {level.in_use} entr" in level.words()
            assert "\n".join(level.words() for level in moment.levels) == moment.text()


def test_a_move_is_told_at_the_level_where_it_is_made():
    moved = [moment for moment in tables(gap_move()) if moment.levels[0].moved is not None]
    assert [[("PUD", 0), ("PMD", 0), ("PTE", 2)]] == [
        [(level.name, level.moved) for level in one.levels] for one in moved
    ]
    assert "The step moves 2 of this level." in moved[0].text()
    vm = Model("6.18")
    vm.mmap(page(0), 512 * PAGE)
    vm.touch(page(0), 512 * PAGE)
    whole = vm.mremap(page(0), 512 * PAGE, 512 * PAGE, 3, page(1024))
    (moment,) = (one for one in tables(whole) if one.levels[0].moved is not None)
    assert [0, 1, 0] == [level.moved for level in moment.levels]
    assert ["gone", "new"] == [bar.mark for bar in moment.levels[1].bars]


def test_many_places_are_cut_short_in_the_player_and_only_there():
    vm = Model("6.18")
    vm.mmap(page(0), 100 * PAGE)
    for number in range(0, 60, 2):
        vm.touch(page(number), PAGE)
    told = vm.mprotect(page(0), 4 * PAGE, "r")
    assert "and 18 more places" in player_data(told)["tables"]["texts"][0]
    assert 30 == tables(told)[0].text().count(";") + 1


def test_a_machine_without_steps_has_no_entries_to_show():
    assert () == tables(many(8))
    assert player_data(many(8))["tables"] is None


def test_pictures_are_well_formed_and_have_a_part_for_every_bar():
    for told in random_outcomes()[:150]:
        moments = tables(told)
        for moment, drawing in zip(moments, draw_tables(moments), strict=True):
            root = ElementTree.fromstring(drawing.svg())
            assert "img" == root.get("role")
            keys = [key for key, _ in drawing.parts]
            assert len(set(keys)) == len(keys) == 3 + sum(len(level.bars) for level in moment.levels)
            for level in moment.levels:
                for bar in level.bars:
                    assert 0 <= bar.x <= bar.x + bar.width <= moment.scale.width


ranges = st.lists(st.integers(0, 40), unique=True).map(sorted).map(
    lambda edges: [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]
)  # fmt: skip


@given(ranges, ranges)
def test_what_is_left_without_the_other(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> None:
    def numbers(found: list[tuple[int, int]]) -> set[int]:
        return {n for start, end in found for n in range(start, end)}

    left = without(a, b)
    assert numbers(a) - numbers(b) == numbers(left)
    assert all(start < end for start, end in left)


def test_a_huge_page_has_no_ptes():
    vm = Model("6.18")
    vm.mmap(page(0), 2 * PMD_SIZE)
    vm.madvise(page(0), 2 * PMD_SIZE, "hugepage")
    moments = tables(vm.touch(page(5), PAGE))
    assert [("PUD", 1, 0), ("PMD", 1, 1), ("PTE", 0, 0)] == [
        (level.name, level.in_use, level.huge) for level in moments[-1].levels
    ]
    assert "1 entry in use, it maps a huge page: pages 0 to 511" in moments[-1].levels[1].words()
    assert "1 of 1 huge" in draw_tables(moments)[-1].svg()
    *_, last = tables(vm.mprotect(page(5), PAGE, "r"))
    assert [("PUD", 1, 0), ("PMD", 1, 0), ("PTE", 512, 0)] == [
        (level.name, level.in_use, level.huge) for level in last.levels
    ]
