"""Pages of which a write waits for a userfaultfd (change_protection(), mm/mprotect.c).

Only present pages of anonymous memory are protected: an entry that is missing has no bit that could say so.
`AddressSpace.write_protected` has the pages whose entry carries the bit: `"wp"` where a write stops at it, `"stale"`
where it was written since, in memory that was not registered for that any more; and those whose entry lost the bit and
is read-only still, `"ro"`: the next write meets a fault, which lets it through.
"""

from __future__ import annotations

from vmalab.linux.addr import PAGE_SHIFT
from vmalab.linux.flags import VM_UFFD, VM_UFFD_WP
from vmalab.linux.mm.huge import split_edges
from vmalab.linux.mm.runs import Run
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.vma import VMA


def protect_pages(mm: AddressSpace, start: int, end: int, protect: bool) -> None:
    """Put the bit on the present pages of bytes [start, end), or take it off (uffd_wp_range()).  O(runs)."""
    first, last = start >> PAGE_SHIFT, end >> PAGE_SHIFT
    split_edges(mm, first, last, "protect")
    mm.write_protected.clear(first, last)
    count = 0
    for run in mm.pagetable.within(first, last):
        if run.kind != "guard":
            count += run.end - run.start
            if protect:
                mm.write_protected.put(Run(run.start, run.end, "wp"))
            elif not mm.profile.uffd_makes_writable:
                mm.write_protected.put(Run(run.start, run.end, "ro"))
    mm.note("change_protection", "pages_protected" if protect else "pages_unprotected", start=start, end=end,
            pages=count)  # fmt: skip


def first_protected(mm: AddressSpace, vma: VMA, start: int, end: int) -> int | None:
    """The first of pages [start, end) (page numbers) of `vma` whose write waits for the userfaultfd."""
    if not vma.flags & VM_UFFD_WP or not mm.write_protected:
        return None
    return next((run.start for run in mm.write_protected.within(start, end) if run.kind == "wp"), None)


def written(mm: AddressSpace, start: int, end: int) -> None:
    """A write to pages [start, end) went through: of those that carry the bit, entries that stay keep it."""
    for run in mm.write_protected.clear(start, end) if mm.write_protected else ():
        for there in mm.pagetable.within(run.start, run.end):
            if there.kind != "anon":
                continue
            if run.kind != "ro":
                mm.write_protected.put(Run(there.start, there.end, "stale"))
            for low, high in mm.common.holes(there.start, there.end) if run.kind != "stale" else ():
                mm.note("do_wp_page", "fault_reuse", start=low, end=high)


def made_read_only(mm: AddressSpace, start: int, end: int) -> None:
    """The entries of pages [start, end) lost their write permission: from now on a bit that they carry stops writes."""
    for run in mm.write_protected.within(start, end) if mm.write_protected else ():
        if run.kind == "stale":
            mm.write_protected.put(Run(run.start, run.end, "wp"))


def moved(mm: AddressSpace, vma: VMA, first: int, last: int, back: int) -> None:
    """The entries of pages [first, last) are `back` pages further on, and with them, or without it, the bit."""
    dropped = mm.profile.mremap_clears_uffd_wp and vma.flags & VM_UFFD
    for run in mm.write_protected.clear(first, last) if mm.write_protected else ():
        if not (dropped and run.kind == "stale"):
            kind = "ro" if dropped else run.kind
            mm.write_protected.put(Run(run.start + back, run.end + back, kind))
