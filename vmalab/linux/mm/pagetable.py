"""Moving page-table entries, and at which level a move can be made (mm/mremap.c, move_page_tables()).

A page of PTEs maps 2 MiB and hangs under one PMD entry; a page of PMD entries maps 1 GiB and hangs under one PUD
entry.  Where source and destination are aligned alike, the kernel moves a whole table by moving the one entry above
it.  The entries themselves are runs (`RunMap`); the cost here follows the runs, never the pages.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define

from vmalab.linux.addr import PAGE_SHIFT
from vmalab.linux.mm.huge import down, move_tables, split, split_edges, up
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.vma import VMA
from vmalab.linux.mm.writeprotect import moved


@define
class MoveCount:
    """How many entries one move touched at each level; `huge`: those PMD entries that map 2 MiB themselves."""

    pte: int = 0
    pmd: int = 0
    pud: int = 0
    huge: int = 0

    @property
    def entries(self) -> int:
        """All entries that were moved."""
        return self.pte + self.pmd + self.pud


def tables_in(mm: AddressSpace, start: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """The `size`-aligned blocks that have a present entry in bytes [start, end), as ranges of block numbers.

    O(runs): neighbouring blocks come as one range.
    """
    shift = size.bit_length() - 1 - PAGE_SHIFT
    first = last = -1
    for run in mm.pagetable.within(start >> PAGE_SHIFT, end >> PAGE_SHIFT):
        low, high = run.start >> shift, (run.end - 1 >> shift) + 1
        if low <= last:
            last = max(last, high)
            continue
        if first >= 0:
            yield first, last
        first, last = low, high
    if first >= 0:
        yield first, last


def count_moves(mm: AddressSpace, old: int, new: int, length: int) -> MoveCount:
    """The entries that moving `length` bytes from `old` to `new` touches at each level.  O(runs)."""
    count = MoveCount()
    if (old ^ new) & (mm.arch.pmd_size - 1):
        count.pte = _present(mm, old, old + length)
        return count
    whole_puds = (
        _whole_blocks(old, length, mm.arch.pud_size) if not (old ^ new) & (mm.arch.pud_size - 1) else (old, old)
    )
    whole_pmds = _whole_blocks(old, length, mm.arch.pmd_size)
    if whole_puds[0] < whole_puds[1]:
        count.pud = sum(high - low for low, high in tables_in(mm, *whole_puds, mm.arch.pud_size))
        edges = [(whole_pmds[0], whole_puds[0]), (whole_puds[1], whole_pmds[1])]
    else:
        edges = [whole_pmds]
    for start, end in edges:
        count.pmd += sum(high - low for low, high in tables_in(mm, start, end, mm.arch.pmd_size))
        count.huge += _present(mm, start, end, huge=True) // mm.arch.huge if mm.has_huge else 0
    if whole_pmds[0] < whole_pmds[1]:
        count.pte = _present(mm, old, whole_pmds[0]) + _present(mm, whole_pmds[1], old + length)
    else:
        count.pte = _present(mm, old, old + length)
    return count


def _whole_blocks(start: int, length: int, size: int) -> tuple[int, int]:
    """The part of the range that consists of whole aligned blocks, as bytes; empty at `start` if there is none."""
    first, last = (start + size - 1) & -size, (start + length) & -size
    return (first, last) if first < last else (start, start)


def _present(mm: AddressSpace, start: int, end: int, *, huge: bool = False) -> int:
    """Present pages in bytes [start, end); `huge`: only those of huge pages."""
    runs = mm.pagetable.within(start >> PAGE_SHIFT, end >> PAGE_SHIFT)
    return sum(run.end - run.start for run in runs if run.huge or not huge)


def _realigned(mm: AddressSpace, vma: VMA, old: int, new: int, length: int) -> int:
    """How many bytes before `old` a move may start, to be aligned to 2 MiB (try_realign_addr()); mostly 0.

    Only where both addresses have the same distance from the boundary, begin their VMAs, and have nothing mapped
    between the boundary and them.
    """
    below = old & (mm.arch.pmd_size - 1)
    copy = mm.vma_lookup(new)
    if (
        not mm.profile.realigns_moves
        or below != new & (mm.arch.pmd_size - 1)
        or length < mm.arch.pmd_size - below
        or copy is None
    ):
        return 0
    alone = not mm.intersecting(old - below, old) and not mm.intersecting(new - below, new)
    return below if alone and vma.start == old and copy.start == new else 0


def move_page_tables(mm: AddressSpace, vma: VMA, old: int, new: int, length: int) -> MoveCount:
    """Move the entries of bytes [old, old + length) to `new`; contents are not copied.

    Errors: ENOMEM where a failure was injected for "move_page_tables" (no memory for a page table).  O(runs).
    Source: move_page_tables(), move_ptes(), move_normal_pmd(), move_normal_pud() in mm/mremap.c.
    """
    below = _realigned(mm, vma, old, new, length)
    if length:
        mm.alloc("move_page_tables")
    first, last, back = old >> PAGE_SHIFT, (old + length) >> PAGE_SHIFT, (new - old) >> PAGE_SHIFT
    whole = (first, first)
    if (old ^ new) & (mm.arch.pmd_size - 1):
        if mm.has_huge:
            split(mm, down(mm, first), up(mm, last), "move")
    else:
        split_edges(mm, first, last, "move")
        start, end = _whole_blocks(old - below, length + below, mm.arch.pmd_size)
        whole = (start >> PAGE_SHIFT, end >> PAGE_SHIFT)
    count = count_moves(mm, old - below, new - below, length + below)
    runs = mm.pagetable.clear(first, last)
    move_tables(mm, runs, first, last, back, whole)
    for run in runs:
        mm.pagetable.put(run.shift(back))
    if mm.common:
        for run in mm.common.clear(first, last):
            mm.common.put(run.shift(back))
    moved(mm, vma, first, last, back)
    if count.huge:
        mm.note("move_huge_pmd", "huge_moved", count=count.huge, start=old, target=new, length=length)
    if runs:
        mm.note_pages("move_page_tables", "pages_moved",
                      ((old >> PAGE_SHIFT, (old + length) >> PAGE_SHIFT),
                       (new >> PAGE_SHIFT, (new + length) >> PAGE_SHIFT)),
                      vma=vma, start=old, target=new, length=length, pages=sum(r.end - r.start for r in runs),
                      pte=count.pte, pmd=count.pmd, pud=count.pud)  # fmt: skip
    else:
        mm.note("move_page_tables", "nothing_to_move", vma=vma, start=old, target=new, length=length)
    return count


def table_pages(mm: AddressSpace) -> dict[str, int]:
    """How many pages of PTEs, PMD and PUD entries the present pages need (VmPTE in /proc/PID/status counts them)."""
    everything = (0, 1 << 47)
    return {
        name: sum(high - low for low, high in tables_in(mm, *everything, size))
        for name, size in (
            ("pte", mm.arch.pmd_size),
            ("pmd", mm.arch.pud_size),
            ("pud", mm.arch.pud_size * mm.arch.huge),
        )
    }
