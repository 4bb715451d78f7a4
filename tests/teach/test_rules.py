"""Tables that are tried out, neighbours, and processes: what the lessons show besides single programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from vmalab import MREMAP_FIXED, MREMAP_MAYMOVE, PAGE, Model, page
from vmalab.errors import UsageError
from vmalab.pictures.table import Table
from vmalab.teach import (
    anon_rules,
    errno_rules,
    merge_rules,
    neighbours,
    procfs,
    recorded_process,
    return_rules,
    this_process,
)
from vmalab.teach.merges import PAIRS, RETURNS, WRITTEN
from vmalab.teach.order import FAULTY
from vmalab.teach.procfs import CODES, areas_of
from vmalab.teach.trials import tried

MOVE = MREMAP_MAYMOVE | MREMAP_FIXED


def by_name(table: Table) -> dict[str, list[str]]:
    return {name: cells for name, *cells in table.rows}


def test_the_order_of_checks_shows_in_the_errno() -> None:
    rows = by_name(errno_rules("6.12", "6.16", "6.17"))
    assert len(FAULTY) == len(rows)
    assert ["✕ EFAULT", "✕ EINVAL", "✕ EINVAL"] == rows["target unaligned, and nothing mapped"]
    assert ["✕ EFAULT", "✕ EFAULT", "✕ EINVAL"] == rows["ranges overlap, and nothing mapped"]
    assert ["✕ EPERM", "✕ EPERM", "✕ EINVAL"] == rows["ranges overlap, and the VMA is sealed"]


def test_which_pairs_become_one() -> None:
    rows = by_name(merge_rules("6.1", "6.17"))
    assert len(PAIRS) == len(rows)
    one = [name for name, (_, now) in rows.items() if now == "one VMA"]
    assert ["anonymous, alike in everything", "one file, and the offset continues", "rw made r, beside r"] == one
    assert ["2 VMAs", "one VMA"] == rows["rw made r, beside r"]


def test_what_an_anon_vma_allows() -> None:
    rows = by_name(anon_rules("6.12", "6.16", "6.18"))
    assert len(WRITTEN) == len(rows)
    assert ["2 VMAs", "one VMA", "one VMA"] == rows["written comes home beside unwritten"]
    assert ["2 VMAs", "one VMA", "2 VMAs"] == rows["the child moves written memory, home, beside unwritten"]


def test_who_comes_back_and_merges() -> None:
    rows = by_name(return_rules("6.12", "6.17"))
    assert len(RETURNS) == len(rows)
    apart = {name: cells for name, cells in rows.items() if cells != ["[0 to 8]", "[0 to 8]"]}
    assert {
        "page 100 is written while away": ["[0 to 2] [3 to 5] [6 to 8]", "[0 to 2] [3 to 5] [6 to 8]"],
        "pages 0 and 8 are written meanwhile": ["[0 to 5] [6 to 8]", "[0 to 5] [6 to 8]"],
        "all was written before, and both sides are mapped afresh": ["[0 to 2] [3 to 5] [6 to 8]", "[0 to 8]"],
    } == apart


def test_the_verdict_says_which_kernels_were_asked() -> None:
    known, unknown = ("two VMAs", PAIRS[1][1]), ("unknown", (*PAIRS[1][1], *PAIRS[1][1]))
    assert "Tried on the models." == tried("What?", "what", [unknown], ("6.17",)).verdict
    assert "Linux 6.17.13 answered the same when it was recorded." in tried("What?", "what", [known], ("6.17",)).verdict
    assert "Not every kernel was asked" in tried("What?", "what", [known, unknown], ("6.17",)).verdict


def test_neighbours_say_what_keeps_them_apart() -> None:
    vm = Model("6.17")
    assert "No two VMAs touch." == neighbours(vm).verdict
    vm.mmap(page(0), 9 * PAGE)
    vm.mremap(page(3), 3 * PAGE, 3 * PAGE, MOVE, page(100))
    vm.touch(page(100))
    vm.mremap(page(100), 3 * PAGE, 3 * PAGE, MOVE, page(3))
    vm.mmap(page(9), PAGE, "r", "sharedfile", file="log")
    told = [row[1:] for row in neighbours(vm).rows]
    assert ("alike", "none", "0x1000003 would continue, 0x1000064 is there", "none, 1", "no: pgoff") == told[0]
    assert ("another", "no: flags") == (told[2][1], told[2][4])


def test_a_child_sees_what_it_inherited() -> None:
    vm = Model("6.17")
    vm.mmap(page(0), PAGE)
    vm.touch(page(0))
    vm.fork_child()
    vm.mmap(page(1), PAGE)
    assert ("2 (inherited), none", "no: inherited") == neighbours(vm).rows[0][-2:] or "inherited" in repr(
        neighbours(vm)
    )


def test_a_table_escapes_what_stands_in_it() -> None:
    html = Table("<c>", ("a", "b"), [("<x>", "&")], "<v>")._repr_html_()
    assert "<th scope=row>&lt;x&gt;</th><td>&amp;</td>" in html
    assert "<caption>&lt;c&gt;</caption>" in html and "<p>&lt;v&gt;</p>" in html


# --- processes ---


def test_the_recorded_process_is_read_whole() -> None:
    process = recorded_process()
    assert 24 == len(process.areas)
    assert "/usr/bin/cat" == process.areas[0].name and "" == process.areas[6].name
    assert {code for area in process.areas for code in area.codes} <= set(CODES)
    relro = process.smaps("7f69229ec000")
    assert "16 kB" == relro.fields["Anonymous"] and "ac" in relro.codes
    assert "  ac  counts as committed memory (VM_ACCOUNT)" in repr(relro)
    with pytest.raises(UsageError, match=r"no VMA of this process is called '\[nothing\]'.*there are /usr/bin/cat, "):
        process.smaps("[nothing]")


def test_a_code_that_is_new_is_no_error() -> None:
    (area,) = areas_of("1000-2000 rw-p 00000000 00:00 0 \nSize: 4 kB\nVmFlags: rd zz\n")
    assert "zz  not spoken of in this course" in repr(area)
    assert "<td>not spoken of in this course</td>" in area._repr_html_()


@pytest.mark.live
def test_this_process_is_shown_without_folders() -> None:
    process = this_process()
    assert "The process of this notebook" == process.who
    assert f"{len(process.areas)} VMAs; this system allows" in process.note
    assert not [area.name for area in process.areas if area.name.startswith("/") or str(Path.home()) in area.line]
    assert "more …" in repr(process)


def test_switched_off_another_one_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMALAB_LIVE", "off")
    process = this_process()
    assert recorded_process().areas == process.areas
    assert "switched off (VMALAB_LIVE=off)" in repr(process)


@pytest.mark.live
@pytest.mark.parametrize("missing", ["SMAPS", "MAX_MAP_COUNT"])
def test_a_system_without_these_files_shows_another_one_too(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procfs, missing, Path("/proc/self/nothing"))
    assert "can't be shown: /proc/self/nothing: No such file or directory." in this_process().note
