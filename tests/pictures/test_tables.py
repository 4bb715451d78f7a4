"""The pandas tables: the numbers of the pictures, in columns."""

from __future__ import annotations

from tests.pictures.test_display import two
from tests.sample_outcomes import gap_model, gap_move, outcome, row
from tests.tiny_language import Little
from vmalab.differences.compare import Difference
from vmalab.differences.say import differences_table, say_difference
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Munmap
from vmalab.machines.outcome import Snapshot
from vmalab.pictures.tables import changes_table, snapshot_table, steps_table


def test_one_line_for_each_vma():
    table = snapshot_table(gap_model().snapshot())
    assert ["A", "B", "C"] == list(table.index)
    assert ["start", "end", "pages", "perms", "backing", "present", "VmFlags", "vm_pgoff", "anon_vma"] == list(
        table.columns
    )
    assert ["0", "2", 2, "rw-p", "private anonymous", 2, "ac", "0x1000000", "1"] == list(table.loc["A"])
    assert ["66", "67", 1, "r--p", "private anonymous", 0, "", "0x1000042", ""] == list(table.loc["C"])


def test_what_only_the_model_knows_is_left_out_elsewhere():
    assert "anon_vma" not in snapshot_table(Snapshot((row(0, 1),))).columns
    assert 0 == len(snapshot_table(Snapshot()))


def test_addresses_in_hex():
    assert ["0x1000000000", "0x1000003000", "0x1000042000"] == list(
        snapshot_table(gap_model().snapshot(), hex=True)["start"]
    )


def test_steps():
    table = steps_table(gap_move("6.16"))
    assert table["function"].iloc[0]
    assert "EFAULT" == table["errno"].iloc[-1]
    assert list(range(1, len(table) + 1)) == list(table.index)
    assert 0 == len(steps_table(outcome(Munmap(page(0), PAGE), 0, None, [row(0, 1)], [])))


def test_changes():
    told = Little("6.18")("map 0-4; unmap 1-2")
    assert told is not None
    table = changes_table(told)
    assert [("changed", "0", "1"), ("added", "2", "4")] == list(
        table[["change", "start", "end"]].itertuples(index=False, name=None)
    )


def test_differences_side_by_side():
    table = differences_table(two("6.16", "6.17"))
    assert ["page 0", "page 3", "EFAULT"] == list(table["model:6.16"])
    assert ["page 0", "page 3", "page 64"] == list(table["model:6.17"])
    assert ["same", "same", "differs"] == list(table["verdict"])


def test_a_difference_in_words():
    a = {"start": 0, "end": 2, "perms": "rw-p", "backing": None}
    b = {"start": 0, "end": 2, "perms": "r--p", "backing": "f0"}
    found = Difference(2, "vmas", [a], [a, b])
    assert "Step 2: the VMAs: nothing more on one side, [0, 2) r--p f0 on the other." == say_difference(found)
    assert "Step 1: the errno: EFAULT on one side, success on the other." == say_difference(
        Difference(1, "errno", "EFAULT", None)
    )
