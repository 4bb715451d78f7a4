"""Transparent huge pages: 2 MiB of anonymous memory behind one PMD entry (mm/huge_memory.c).

Which fault brings one, what a write does to one, what splits one.  A page belongs to one exactly if its run says so
(`Run.huge`).  `AddressSpace.empty_tables` is kept here too: a page of PTEs that stays where nothing is present any more
keeps a fault from bringing a huge page.  Left out: khugepaged, which makes huge pages later and in the background.
"""

from __future__ import annotations

from collections.abc import Iterable

from vmalab.linux.addr import PAGE_SHIFT
from vmalab.linux.flags import VM_DONTEXPAND, VM_HUGEPAGE, VM_NOHUGEPAGE
from vmalab.linux.mm.runs import Run
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.vma import VMA

Ranges = list[tuple[int, int]]
"""Half-open ranges of page numbers."""


def down(mm: AddressSpace, number: int) -> int:
    """The first page of the 2 MiB that page `number` lies in."""
    return number & -mm.arch.huge


def up(mm: AddressSpace, number: int) -> int:
    """The first page at or behind page `number` that lies at a 2 MiB boundary."""
    return (number + mm.arch.huge - 1) & -mm.arch.huge


def is_wanted(mm: AddressSpace, vma: VMA) -> bool:
    """Whether faults in `vma` may bring huge pages: the setting, and what madvise said (thp_vma_allowable_order())."""
    setting = mm.limits.transparent_hugepage
    if setting == "never" or (setting == "madvise" and not vma.flags & VM_HUGEPAGE):
        return False
    return vma.is_anonymous and not vma.flags & (VM_NOHUGEPAGE | VM_DONTEXPAND)


def fillable(mm: AddressSpace, vma: VMA, start: int, end: int) -> Ranges:
    """What faults at pages [start, end) of `vma` would fill with huge pages, as ranges of whole 2 MiB.

    Each lies wholly inside the VMA and has no page of PTEs yet.  O(log n + runs in the range).
    """
    if not is_wanted(mm, vma):
        return []
    low, high = max(down(mm, start), up(mm, vma.start >> PAGE_SHIFT)), min(up(mm, end), down(mm, vma.end >> PAGE_SHIFT))
    if low >= high:
        return []
    tables = mm.pagetable.within(low, high)
    if mm.empty_tables:
        tables = sorted([*tables, *mm.empty_tables.within(low, high)], key=lambda run: run.start)
    found, position = [], low
    for run in tables:
        if position < down(mm, run.start):
            found.append((position, down(mm, run.start)))
        position = max(position, up(mm, run.end))
    if position < high:
        found.append((position, high))
    return found


# --- faults ---


def read_fault(mm: AddressSpace, vma: VMA, blocks: Ranges) -> None:
    """Map the huge zero page at `blocks` (what `fillable` gave); `vma` has its anon_vma.

    Source: do_huge_pmd_anonymous_page(), set_huge_zero_folio().
    """
    mm.has_huge = mm.has_huge or bool(blocks)
    for low, high in blocks:
        mm.put_pages("do_huge_pmd_anonymous_page", "fault_huge_zero", [Run(low, high, "zero", huge="own")], vma=vma,
                     start=low, end=high)  # fmt: skip


def write_fault(mm: AddressSpace, vma: VMA, start: int, end: int, value: int | None, blocks: Ranges) -> Ranges:
    """Write to those of pages [start, end) that a huge page holds or that `blocks` brings; the ranges left to PTEs.

    Page p gets `value + p - start`; None leaves contents as they are.  `blocks` is what `fillable` gave, and `vma` has
    an anon_vma if there are any.  Source: do_huge_pmd_anonymous_page(), do_huge_pmd_wp_page().
    """
    if not blocks and not mm.has_huge:
        return [(start, end)]
    for low, high in blocks:
        mm.has_huge = True
        _fill(mm, "do_huge_pmd_anonymous_page", "fault_huge", low, high, (start, end, value), vma)
    left: Ranges = []
    for run in mm.pagetable.within(start, end):
        if not run.huge or any(low <= run.start < high for low, high in blocks):
            continue
        low, high = down(mm, run.start), up(mm, run.end)
        if run.kind == "zero" and mm.profile.huge_zero_becomes_huge:
            _fill(mm, "do_huge_zero_wp_pmd", "fault_huge_wp", low, high, (start, end, value), vma)
        elif run.kind == "zero" or run.huge == "shared":
            split(mm, low, high, "zero" if run.kind == "zero" else "fork")
        elif value is not None:
            stored = Run(run.start, run.end, "anon", value + run.start - start, 1, "own")
            mm.put_pages("store", "stored", [stored], start=run.start, end=run.end)
    position = start
    for run in mm.pagetable.within(start, end):
        if run.huge:
            if position < run.start:
                left.append((position, run.start))
            position = run.end
    if position < end:
        left.append((position, end))
    return left


def _fill(
    mm: AddressSpace, func: str, key: str, low: int, high: int, written: tuple[int, int, int | None], vma: VMA
) -> None:
    """Huge pages of zeros at pages [low, high), with those of `written` (pages and the first one's word) written."""
    mm.pagetable.put(Run(low, high, "anon", huge="own"))
    start, end, value = written
    first, last = max(low, start), min(high, end)
    if value is not None:
        mm.pagetable.put(Run(first, last, "anon", value + first - start, 1, "own"))
    mm.note_pages(func, key, ((low, high),), vma=vma, start=low, end=high, first=first, last=last)


# --- splitting ---


def split(mm: AddressSpace, start: int, end: int, why: str) -> None:
    """Give each page of the huge pages at [start, end) (page numbers, whole 2 MiB) a PTE of its own.

    Contents stay.  `why`: a case of the words for `huge_split`.  Source: __split_huge_pmd().
    """
    found = [run for run in mm.pagetable.within(start, end) if run.huge]
    for run in found:
        mm.pagetable.put(run.mapped(""))
        if run.huge == "shared" and run.kind == "anon":
            mm.common.put(Run(run.start, run.end, "common"))
    if found:
        mm.note_pages("__split_huge_pmd", "huge_split", ((start, end),), start=start, end=end, why=why)


def split_at(mm: AddressSpace, number: int, why: str) -> None:
    """Split the huge page that page `number` lies inside of, if there is one and it does not begin there."""
    if mm.has_huge and number % mm.arch.huge:
        split(mm, down(mm, number), up(mm, number), why)


def split_edges(mm: AddressSpace, start: int, end: int, why: str) -> None:
    """Split the huge pages that lie partly outside of pages [start, end)."""
    split_at(mm, start, why)
    split_at(mm, end, why)


def share(mm: AddressSpace, start: int, end: int) -> None:
    """Write-protect the huge pages of pages [start, end), which a child gets too (copy_huge_pmd())."""
    own = [run for run in mm.pagetable.within(start, end) if run.huge == "own" and run.kind == "anon"]
    for run in own:
        mm.pagetable.put(run.mapped("shared"))
    for low, high in _stretches(own):
        mm.note_pages("copy_huge_pmd", "huge_shared", ((low, high),), start=low, end=high)


def _stretches(runs: Iterable[Run]) -> Ranges:
    """The pages of `runs`, which come in order, in as few ranges as possible."""
    found: Ranges = []
    for run in runs:
        if found and found[-1][1] == run.start:
            found[-1] = (found[-1][0], run.end)
        else:
            found.append((run.start, run.end))
    return found


# --- pages of PTEs without a present page ---


def keep_tables(mm: AddressSpace, runs: Iterable[Run]) -> None:
    """Remember the pages of PTEs that held `runs`, whose entries have been cleared."""
    for run in runs:
        if not run.huge:
            _keep_table(mm, run.start, run.end)


def _keep_table(mm: AddressSpace, start: int, end: int) -> None:
    low, high = down(mm, start), up(mm, end)
    known = mm.empty_tables.at(low)
    if known is None or known.end < high:
        mm.empty_tables.put(Run(low, high, "table"))


def free_tables(mm: AddressSpace, gone: list[Run], start: int, end: int) -> None:
    """Forget the pages of PTEs below bytes [start, end), unmapped just now, that no VMA reaches into any more.

    `gone`: the entries that were cleared there.  Source: free_pgtables(), mm/memory.c.
    """
    if not gone and not mm.empty_tables:
        return
    for low in {start & -mm.arch.pmd_size, (end - 1) & -mm.arch.pmd_size}:
        high = low + mm.arch.pmd_size
        vma = mm.find_vma(low) if start > low or end < high else None
        if vma is not None and vma.start < high:
            keep_tables(mm, [run.clip(low >> PAGE_SHIFT, high >> PAGE_SHIFT) for run in gone
                             if run.start < high >> PAGE_SHIFT and low >> PAGE_SHIFT < run.end])  # fmt: skip
        else:
            mm.empty_tables.clear(low >> PAGE_SHIFT, high >> PAGE_SHIFT)
    mm.empty_tables.clear(up(mm, start >> PAGE_SHIFT), down(mm, end >> PAGE_SHIFT))


def zap_tables(mm: AddressSpace, gone: list[Run], start: int, end: int) -> None:
    """What becomes of the pages of PTEs of pages [start, end), whose entries `gone` madvise has dropped.

    Releases that take empty ones away do so where the call covers all of their 2 MiB and nothing is left in them.
    """
    keep_tables(mm, gone)
    if not (mm.profile.empty_tables_reclaimed and mm.empty_tables):
        return
    position = up(mm, start)
    kept = [*mm.pagetable.within(position, down(mm, end)), Run(down(mm, end), down(mm, end) + 1, "end")]
    for run in kept:
        if position < down(mm, run.start):
            mm.empty_tables.clear(position, down(mm, run.start))
        position = up(mm, run.end)


def move_tables(mm: AddressSpace, gone: list[Run], start: int, end: int, back: int, whole: tuple[int, int]) -> None:
    """Carry the pages of PTEs of pages [start, end) to where they are `back` pages on.

    In `whole` (pages, whole 2 MiB) the tables themselves move.  Elsewhere the old ones stay, empty, and the new place
    gets one for whatever part of an old one comes to it, even if nothing is present in that part.  `gone`: the entries
    that were cleared, and are not at their new place yet.
    """
    tables = [run for run in gone if not run.huge]
    for low, high in ((down(mm, start), start), (end, up(mm, end))):
        if mm.pagetable.any(low, high):
            tables.append(Run(low, high, "table"))
    if mm.empty_tables:
        tables += mm.empty_tables.within(down(mm, start), up(mm, end))
        for run in mm.empty_tables.clear(*whole):
            mm.empty_tables.put(run.shift(back))
    for run in tables:
        for low, high in ((start, whole[0]), (whole[1], end)):
            first, last = max(low, down(mm, run.start)), min(high, up(mm, run.end))
            if first < last:
                _keep_table(mm, first, last)
                _keep_table(mm, first + back, last + back)
