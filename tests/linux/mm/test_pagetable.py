"""Moving page-table entries: contents, and how many entries at which level.

The counts are held against `by_hand`, which walks the range as move_page_tables() does: block after block, each taken
whole where both addresses are aligned and one block is left, else one level down.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tiny_language import Little, at
from vmalab.linux.addr import PAGE, PAGE_SHIFT, PMD_SIZE, PUD_SIZE
from vmalab.linux.flags import VM_READ, VM_WRITE
from vmalab.linux.mm import VMA, AddressSpace
from vmalab.linux.mm.pagetable import MoveCount, count_moves, move_page_tables, table_pages, tables_in
from vmalab.linux.mm.runs import Run
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.profile import profile

PTES = PMD_SIZE // PAGE
"""Entries in a page of PTEs; as many PMD entries are in a page of those."""


def by_hand(present: set[int], old: int, new: int, length: int) -> MoveCount:
    """`present`: page numbers; addresses and the length in bytes."""
    count = MoveCount()
    end = old + length

    def extent(size: int) -> int:
        """Bytes up to the next boundary of `size` on either side, or the end."""
        return min(size - old % size, size - new % size, end - old)

    def pages(reach: int) -> int:
        return sum(1 for page in present if old <= page << PAGE_SHIFT < old + reach)

    while old < end:
        reach = extent(PUD_SIZE)
        if reach == PUD_SIZE:
            count.pud += 1 if pages(reach) else 0
        elif pages(reach):  # a table of PMD entries that is not there is passed over
            reach = extent(PMD_SIZE)
            if reach == PMD_SIZE:
                count.pmd += 1 if pages(reach) else 0
            else:
                count.pte += pages(reach)
        old, new = old + reach, new + reach
    return count


def space(runs: list[tuple[int, int]]) -> AddressSpace:
    mm = AddressSpace(profile("6.18"))
    for start, end in runs:
        mm.pagetable.put(Run(start, end, "anon"))
    return mm


# addresses near the boundaries of blocks, where counting goes wrong
near = st.builds(lambda block, offset: (block << 9) + offset, st.integers(512, 512 * 5), st.integers(-3, 3))
blocks = st.one_of(near, near.map(lambda page: page & -512), st.integers(1, 4).map(lambda block: block << 18))


@given(
    st.lists(st.tuples(near, st.integers(1, 1500)), max_size=6),
    blocks,
    st.integers(1, 3 << 18),
    st.sampled_from([1 << 18, 2 << 18, 1 << 9, 5 << 9, 1, 513, (1 << 18) + 1, -(1 << 18), -(3 << 9)]),
    st.booleans(),
)
def test_counts_agree_with_the_kernels_walk(
    runs: list[tuple[int, int]], start: int, length: int, distance: int, whole: bool
) -> None:
    if whole:
        length = (length & -512) or 512
    mm = space([(first, first + count) for first, count in runs])
    present = {page for run in mm.pagetable for page in range(run.start, run.end)}
    old, new = start << PAGE_SHIFT, start + (4 << 18) + distance << PAGE_SHIFT
    assert by_hand(present, old, new, length << PAGE_SHIFT) == count_moves(mm, old, new, length << PAGE_SHIFT)


@pytest.mark.parametrize(
    ("old", "new", "length", "expected"),
    [
        # 3 GiB and 4 KiB of present pages from 1 GiB on, that is from page 2**18
        (PUD_SIZE, 5 * PUD_SIZE, PUD_SIZE, MoveCount(pud=1)),
        (PUD_SIZE, 5 * PUD_SIZE, 3 * PUD_SIZE, MoveCount(pud=3)),
        (PUD_SIZE, 5 * PUD_SIZE + PMD_SIZE, PUD_SIZE, MoveCount(pmd=512)),
        (PUD_SIZE, 5 * PUD_SIZE + PAGE, PUD_SIZE, MoveCount(pte=1 << 18)),
        (PUD_SIZE, 5 * PUD_SIZE, PMD_SIZE, MoveCount(pmd=1)),
        (PUD_SIZE, 5 * PUD_SIZE, PAGE, MoveCount(pte=1)),
        (PUD_SIZE, 5 * PUD_SIZE, PMD_SIZE + PAGE, MoveCount(pte=1, pmd=1)),
        (PUD_SIZE - PAGE, 5 * PUD_SIZE - PAGE, PUD_SIZE + 2 * PAGE, MoveCount(pte=1, pud=1)),
        (PUD_SIZE + PMD_SIZE, 5 * PUD_SIZE + PMD_SIZE, 2 * PUD_SIZE, MoveCount(pmd=512, pud=1)),
        (PUD_SIZE + PAGE, 5 * PUD_SIZE + PAGE, PMD_SIZE, MoveCount(pte=512)),
        (PUD_SIZE + PAGE, 5 * PUD_SIZE + PAGE, 2 * PMD_SIZE, MoveCount(pte=512, pmd=1)),
        (0, 5 * PUD_SIZE, PUD_SIZE, MoveCount()),  # nothing present
        (PUD_SIZE, 5 * PUD_SIZE, 0, MoveCount()),
    ],
)
def test_counts(old: int, new: int, length: int, expected: MoveCount) -> None:
    mm = space([(1 << 18, (4 << 18) + 1)])
    assert expected == count_moves(mm, old, new, length)
    assert expected.pte + expected.pmd + expected.pud == expected.entries


def test_one_page_makes_a_whole_table_move() -> None:
    mm = space([((1 << 18) + 700, (1 << 18) + 701)])
    assert MoveCount(pud=1) == count_moves(mm, PUD_SIZE, 9 * PUD_SIZE, PUD_SIZE)
    assert MoveCount(pmd=1) == count_moves(mm, PUD_SIZE, 9 * PUD_SIZE + PMD_SIZE, PUD_SIZE)
    assert MoveCount(pte=1) == count_moves(mm, PUD_SIZE, 9 * PUD_SIZE + PAGE, PUD_SIZE)


def test_counting_a_terabyte_looks_at_one_run() -> None:
    mm = space([(1 << 28, 1 << 29)])
    assert MoveCount(pud=1024) == count_moves(mm, 1 << 40, 3 << 40, 1 << 40)
    assert MoveCount(pmd=1024 * 512) == count_moves(mm, 1 << 40, (3 << 40) + PMD_SIZE, 1 << 40)
    assert 1 == len(list(tables_in(mm, 1 << 40, 2 << 40, PMD_SIZE)))
    assert {"pte": 1024 * 512, "pmd": 1024, "pud": 2} == table_pages(mm)


def test_a_move_is_realigned_to_the_block_it_starts_in() -> None:
    # ....AAAA|AAAA: nothing before A in its block, here and there, and the rest of the block moves whole: one PMD entry
    # (commit af8ca1c14906, "optimize the start addresses in move_page_tables()")
    vm = Little("6.18", "map 4-1024; touch 4-1024; move 4-1024 to 5124")
    (step,) = [step for step in vm.mm.steps if step.key == "pages_moved"]
    assert (0, 2) == (step.values["pte"], step.values["pmd"])


@pytest.mark.parametrize(
    ("release", "before", "pte"),
    [
        ("6.1", "", 508),  # not yet
        ("6.18", "map 2-3 r;", 508),  # a neighbour in the source's block
        ("6.18", "map 5122-5123 r;", 508),  # one in the destination's
        ("6.18", "map 0-4;", 508),  # the range begins inside its VMA
        ("6.18", "map 2048-2049 r;", 0),  # one in another block is in nobody's way
    ],
)
def test_what_keeps_a_move_from_being_realigned(release: str, before: str, pte: int) -> None:
    vm = Little(release, f"{before} map 4-1024; touch 4-1024; move 4-1024 to 5124")
    step = next(step for step in vm.mm.steps if step.key == "pages_moved")
    assert pte == step.values["pte"]


# --- moving -----------------------------------------------------------------------------------------------------


def moved(mm: AddressSpace, old: int, new: int, length: int) -> MoveCount:
    vma = VMA(old, old + length, 0, VM_READ | VM_WRITE)
    return move_page_tables(mm, vma, old, new, length)


def test_entries_move_with_their_contents() -> None:
    mm = AddressSpace(profile("6.18"))
    for run in (Run(10, 12, "anon", 500, 1), Run(13, 14, "zero"), Run(15, 16, "guard")):
        mm.pagetable.put(run)
    assert MoveCount(pte=3) == moved(mm, 11 * PAGE, 111 * PAGE, 5 * PAGE)
    assert [
        Run(10, 11, "anon", 500, 1),
        Run(111, 112, "anon", 501, 1),
        Run(113, 114, "zero"),
        Run(115, 116, "guard"),
    ] == list(mm.pagetable)


def test_the_step_tells_what_moved() -> None:
    vm = Little("6.18", "map 0-4; touch 1-3; move 0-4 to 100")
    (step,) = [step for step in vm.mm.steps if step.func == "move_page_tables"]
    told = {name: step.values[name] for name in ("pages", "pte", "pmd", "pud", "start", "target", "length")}
    assert "pages_moved" == step.key
    assert {"pages": 2, "pte": 2, "pmd": 0, "pud": 0, "start": at(0), "target": at(100), "length": 4 * PAGE} == told
    assert 2 == len(step.ptes)
    vm("move 103-104 to 0")
    assert "nothing_to_move" in [step.key for step in vm.mm.steps]


def test_aligned_memory_moves_by_tables() -> None:
    # 2 MiB at a 2 MiB boundary: one PMD entry; a page further: 512 PTEs
    for target, expected in ((4096, (0, 1)), (4097, (512, 0))):
        vm = Little("6.18", f"map 0-512; touch 0-512; move 0-512 to {target}")
        (step,) = [step for step in vm.mm.steps if step.key == "pages_moved"]
        assert expected == (step.values["pte"], step.values["pmd"])


def test_no_memory_for_a_table() -> None:
    mm = space([(10, 12)])
    mm.faults_to_inject["move_page_tables"] = 1
    moved(mm, 10 * PAGE, 20 * PAGE, 0)  # an empty move needs none
    with pytest.raises(Refusal, match="ENOMEM"):
        moved(mm, 10 * PAGE, 20 * PAGE, 2 * PAGE)
    assert [(10, 12)] == [(run.start, run.end) for run in mm.pagetable]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], {"pte": 0, "pmd": 0, "pud": 0}),
        ([(0, 1)], {"pte": 1, "pmd": 1, "pud": 1}),
        ([(0, 513)], {"pte": 2, "pmd": 1, "pud": 1}),
        ([(0, 1), (1 << 18, (1 << 18) + 1)], {"pte": 2, "pmd": 2, "pud": 1}),
        ([(511, 513), ((1 << 27) - 1, (1 << 27) + 1)], {"pte": 4, "pmd": 3, "pud": 2}),
    ],
)
def test_pages_of_tables(runs: list[tuple[int, int]], expected: dict[str, int]) -> None:
    assert expected == table_pages(space(runs))
