"""The band in box characters: read back column by column, in 80 columns, and in ASCII."""

from __future__ import annotations

from tests.sample_outcomes import gap_model, gap_move, many, random_outcomes
from vmalab.linux.addr import PAGE, page
from vmalab.machines.model import Model
from vmalab.machines.outcome import Snapshot
from vmalab.pictures.textband import COLUMNS, outcome_lines, plain, snapshot_lines


def test_the_gap_move():
    lines = outcome_lines(gap_move())
    assert ["before", "after", "page"] == [line.split()[0] for line in lines if line[0] != " "]
    names, before, names_after, after, axis, *told = lines
    assert ["A", "rw-p", "B", "r--p", "C"] == names.split()
    assert ["A", "rw-p", "B+C", "r--p"] == names_after.split()
    assert "▓" in before and "▓" in after and "»" in before
    assert ["0", "2", "3", "5", "64", "66", "67", "69"] == axis.split()[1:]
    assert "A 0 ↘ 64; gap 2 ↘ 66, maps nothing; B 3 ↘ 67" == told[0].strip()
    assert "survived under the gap: C: page 66 (1 page)" == told[1].strip()
    # a letter stands over its box, an edge over its page
    assert "│" == before[axis.index("5", axis.index("3"))] or "│" == before[axis.index("5", axis.index("3")) + 1]
    assert names.index("A") - 1 == before.index("│")


def test_what_is_lost_and_what_maps_nothing_are_drawn():
    told = "\n".join(outcome_lines(gap_move("6.16")))
    assert "lost" in told and "✕" in told
    vm = Model("6.18")
    vm.mmap(page(0), PAGE)
    vm.mmap(page(5), PAGE, "r")
    assert "╱" in "\n".join(outcome_lines(vm.mremap(page(0), 6 * PAGE, 6 * PAGE, 3, page(20))))


def test_no_line_is_longer_than_a_terminal():
    for outcome in (gap_move(), many(100), *random_outcomes()[:200]):
        lines = outcome_lines(outcome)
        assert max(map(len, lines), default=0) <= COLUMNS
    assert [] == snapshot_lines(Snapshot())


def test_where_the_locale_has_no_boxes_there_are_letters():
    text = "\n".join(outcome_lines(gap_move()))
    assert text == plain(text, "utf-8")
    assert plain(text, "ascii").isascii() and plain(text, None).isascii()
    assert text.count("▓") == plain(text, "latin-1").count("#")
    assert "now" == snapshot_lines(gap_model().snapshot())[1].split()[0]
