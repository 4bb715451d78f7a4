"""The tables: the numbers of the pictures, in columns."""

from __future__ import annotations

import pytest

from tests.pictures.test_display import two
from tests.sample_outcomes import gap_model, gap_move, outcome, row
from tests.tiny_language import Little
from vmalab.differences.compare import Difference
from vmalab.differences.say import differences_table, say_difference
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Munmap
from vmalab.machines.outcome import Snapshot
from vmalab.pictures.table import Table
from vmalab.pictures.tables import changes_table, snapshot_table, steps_table


def test_one_line_for_each_vma():
    table = snapshot_table(gap_model().snapshot())
    assert ["A", "B", "C"] == table["VMA"]
    columns = ("range", "pages", "perms", "backing", "present", "VmFlags", "vm_pgoff", "anon_vma")
    assert ("VMA", *columns) == table.heads
    assert ("A", "0 to 1", "2", "rw-p", "private anonymous", "2", "ac", "0x1000000", "1") == table.rows[0]
    assert ("C", "66", "1", "r--p", "private anonymous", "0", "", "0x1000042", "") == table.rows[2]


def test_what_only_the_model_knows_is_left_out_elsewhere():
    assert "anon_vma" not in snapshot_table(Snapshot((row(0, 1),))).heads
    assert 0 == len(snapshot_table(Snapshot()))


def test_addresses_in_hex():
    found = snapshot_table(gap_model().snapshot(), hex=True)["range"]
    assert ["0x1000000000-0x1000002000", "0x1000003000-0x1000005000", "0x1000042000-0x1000043000"] == found


def test_some_columns():
    table = snapshot_table(gap_model().snapshot())[["pages", "range"]]
    assert ("VMA", "pages", "range") == table.heads
    assert {"VMA": "A", "pages": "2", "range": "0 to 1"} == table.records()[0]
    with pytest.raises(KeyError, match="no column 'size': there are VMA, pages, range"):
        table["size"]


def test_steps():
    table = steps_table(gap_move("6.16"))
    assert table["function"][0]
    assert "EFAULT" == table["errno"][-1]
    assert [str(number) for number in range(1, len(table) + 1)] == table["step"]
    assert 0 == len(steps_table(outcome(Munmap(page(0), PAGE), 0, None, [row(0, 1)], [])))


def test_changes():
    told = Little("6.18")("map 0-4; unmap 1-2")
    assert told is not None
    table = changes_table(told)
    assert [("changed", "0"), ("added", "2 to 3")] == table[["range"]].rows


def test_differences_side_by_side():
    table = differences_table(two("6.16", "6.17"))
    assert ["page 0", "page 3", "EFAULT"] == table["model:6.16"]
    assert ["page 0", "page 3", "page 64"] == table["model:6.17"]
    assert ["same", "same", "differs"] == table["verdict"]


def test_a_difference_in_words():
    a = {"start": 0, "end": 2, "perms": "rw-p", "backing": None}
    b = {"start": 0, "end": 2, "perms": "r--p", "backing": "f0"}
    found = Difference(2, "vmas", [a], [a, b])
    assert "Call 2: the VMAs: nothing more on one side, [0 to 1 r--p f0] on the other." == say_difference(found)
    assert "Call 1: the errno: EFAULT on one side, success on the other." == say_difference(
        Difference(1, "errno", "EFAULT", None)
    )


def test_a_table_becomes_a_data_frame_with_numbers_where_all_cells_are_numbers() -> None:
    frame = Table("Fruit", ("name", "seeds", "price"), [("plum", 1, 2.5), ("apple", 5, 0)]).to_pandas()
    assert ["name", "seeds", "price"] == list(frame.columns)
    assert [6, 2.5] == [frame["seeds"].sum(), frame["price"].max()]
    assert ["apple", "plum"] == list(frame.sort_values("seeds", ascending=False)["name"])
    assert ["7 pages", "8"] == list(Table("", ("n",), [("7 pages",), (8,)]).to_pandas()["n"])
    assert 0 == len(Table("", ("n",), []).to_pandas())
