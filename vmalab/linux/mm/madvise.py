"""madvise(2): the advices that set a flag, that drop pages, that bring them in, and guard regions (mm/madvise.c)."""

from __future__ import annotations

from collections.abc import Mapping

from vmalab.linux.addr import PAGE_SHIFT, WORD, is_aligned, page_align
from vmalab.linux.call import ADVICES
from vmalab.linux.flags import (
    VM_DONTCOPY,
    VM_DONTDUMP,
    VM_DONTEXPAND,
    VM_HUGEPAGE,
    VM_LOCKED,
    VM_MAYBE_GUARD,
    VM_MAYWRITE,
    VM_NOHUGEPAGE,
    VM_RAND_READ,
    VM_READ,
    VM_SEALED,
    VM_SEQ_READ,
    VM_SHARED,
    VM_WIPEONFORK,
    VM_WRITE,
)
from vmalab.linux.mm.fault import anon_vma_prepare, fault_in
from vmalab.linux.mm.huge import keep_tables, split_edges, zap_tables
from vmalab.linux.mm.merge import vma_modify
from vmalab.linux.mm.runs import Run
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.mm.vma import VMA
from vmalab.linux.scope import refuse

FLAG_ADVICE: Mapping[str, tuple[int, int]] = {
    "normal": (VM_RAND_READ | VM_SEQ_READ, 0),
    "random": (VM_SEQ_READ, VM_RAND_READ),
    "sequential": (VM_RAND_READ, VM_SEQ_READ),
    "dontfork": (0, VM_DONTCOPY),
    "dofork": (VM_DONTCOPY, 0),
    "dontdump": (0, VM_DONTDUMP),
    "dodump": (VM_DONTDUMP, 0),
    "wipeonfork": (0, VM_WIPEONFORK),
    "keeponfork": (VM_WIPEONFORK, 0),
    "hugepage": (VM_NOHUGEPAGE, VM_HUGEPAGE),
    "nohugepage": (VM_HUGEPAGE, VM_NOHUGEPAGE),
}
"""Advice → the VM_* bits that it clears and those that it sets."""

DISCARDS = ("dontneed", "dontneed_locked", "free", "dontfork", "wipeonfork", "guard_install")
"""Advices that a seal forbids on anonymous memory that can't be written (is_discard())."""


def madvise(mm: AddressSpace, address: int, length: int, advice: str) -> int:
    """Apply `advice` to `length` bytes from `address`.

    Errors: EINVAL (unknown advice on this release, unaligned, wraps, not for this VMA), EPERM (sealed), EAGAIN (map
    count), ENOMEM (there was a gap: every mapped part was processed all the same).
    Source: do_madvise(), madvise_walk_vmas(), mm/madvise.c.
    """
    func = "do_madvise"
    if advice not in ADVICES:
        raise refuse("advice", advice, ADVICES)
    if advice.startswith("guard_") and not mm.profile.guard_regions:
        raise Refusal("EINVAL", func, "unknown_advice", advice=advice)
    if not is_aligned(address):
        raise Refusal("EINVAL", func, "unaligned", what="addr", address=address)
    if length and not page_align(length):
        raise Refusal("EINVAL", func, "wraps", start=address, length=length)
    end = (address + page_align(length)) & WORD
    if end < address:
        raise Refusal("EINVAL", func, "wraps", start=address, length=length)
    populating = advice.startswith("populate_")
    position, gap = address, None
    while position < end:
        vma = mm.find_vma(position)
        if populating and mm.profile.populate_stops_at_gaps and (vma is None or vma.start > position):
            raise Refusal("ENOMEM", "madvise_populate", "gap", at=position)
        if vma is None or vma.start >= end:
            gap = position if gap is None else gap
            break
        if vma.start > position:
            gap = position if gap is None else gap
            position = vma.start
        stop = min(end, vma.end)
        _advise_vma(mm, vma, position, stop, advice)
        position = stop
    if gap is not None:
        raise Refusal("ENOMEM", "madvise_walk_vmas", "gap_skipped", at=gap)
    return 0


def _advise_vma(mm: AddressSpace, vma: VMA, start: int, end: int, advice: str) -> None:
    func = "madvise_vma_behavior"
    protected = vma.is_anonymous and (vma.file is None or mm.profile.seal_protects_dev_zero)
    if vma.flags & VM_SEALED and advice in DISCARDS and protected and not vma.flags & VM_WRITE:
        raise Refusal("EPERM", func, "sealed", vma=vma)
    if advice in FLAG_ADVICE:
        if advice == "wipeonfork" and (vma.file is not None or vma.flags & VM_SHARED):
            raise Refusal("EINVAL", func, "wipeonfork_file", vma=vma)
        clears, sets = FLAG_ADVICE[advice]
        flags = (vma.flags & ~clears) | sets
        if flags == vma.flags:
            mm.note(func, "same_flags", vma=vma)
            return
        try:
            vma_modify(mm, vma, start, end, flags)
        except Refusal as refusal:
            raise Refusal("EAGAIN", refusal.step.func, refusal.step.key, **refusal.step.values) from None
    elif advice in ("dontneed", "dontneed_locked", "free"):
        if vma.flags & VM_LOCKED and advice != "dontneed_locked":
            raise Refusal("EINVAL", "madvise_dontneed_free", "locked", vma=vma)
        if advice != "free":
            _drop(mm, start, end, guards=False)
        elif vma.is_anonymous:
            split_edges(mm, start >> PAGE_SHIFT, end >> PAGE_SHIFT, "drop")
            mm.note("madvise_free_single_vma", "freed_lazily", vma=vma, start=start, end=end)
        else:
            raise Refusal("EINVAL", "madvise_free_single_vma", "free_file", vma=vma)
    elif advice == "cold":
        if vma.flags & VM_LOCKED:
            raise Refusal("EINVAL", "madvise_cold", "locked", vma=vma)
        mm.note("madvise_cold", "made_cold", vma=vma, start=start, end=end)
    elif advice.startswith("populate_"):
        _populate(mm, vma, start, end, write=advice == "populate_write")
    elif advice == "willneed":
        mm.note("madvise_willneed", "read_ahead", vma=vma, start=start, end=end)
    elif advice == "guard_install":
        _guard_install(mm, vma, start, end)
    else:
        _refuse_unguardable(mm, vma, VM_DONTEXPAND)
        _drop(mm, start, end, guards=True)


def _populate(mm: AddressSpace, vma: VMA, start: int, end: int, *, write: bool) -> None:
    """MADV_POPULATE_READ, MADV_POPULATE_WRITE: bring in every page of one VMA, up to the first that can't be.

    Errors: EINVAL (no right to read, or to write), EFAULT (an access there would be a signal).
    """
    func = "madvise_populate"
    if not vma.flags & (VM_WRITE if write else VM_READ):
        raise Refusal("EINVAL", func, "not_writable" if write else "not_readable", vma=vma)
    if (failed := fault_in(mm, vma, start, end, write=write)) is not None:
        raise Refusal("EFAULT", func, "populate_fault", at=failed, vma=vma)


def _drop(mm: AddressSpace, start: int, end: int, *, guards: bool) -> None:
    """Remove the guards, or all pages but the guards, of bytes [start, end)."""
    first, last = start >> PAGE_SHIFT, end >> PAGE_SHIFT
    if not guards:
        split_edges(mm, first, last, "drop")
    gone: list[Run] = []
    for run in mm.pagetable.within(first, last):
        if (run.kind == "guard") == guards:
            func, key = ("guard_remove_pte_entry", "guard_gone") if guards else ("zap_page_range_single", "zap")
            gone += mm.clear_pages(func, key, run.start << PAGE_SHIFT, run.end << PAGE_SHIFT)
    if guards:
        keep_tables(mm, gone)
    else:
        if not gone:
            mm.note("zap_page_range_single", "nothing_to_drop", start=start, end=end)
        zap_tables(mm, gone, first, last)


def _refuse_unguardable(mm: AddressSpace, vma: VMA, forbidden: int) -> None:
    """is_valid_guard_vma()."""
    if not mm.profile.guard_regions_in_files and (not vma.is_anonymous or not vma.flags & VM_MAYWRITE):
        raise Refusal("EINVAL", "madvise_guard_install", "guard_file", vma=vma)
    if vma.flags & forbidden:
        raise Refusal("EINVAL", "madvise_guard_install", "locked", vma=vma)


def _guard_install(mm: AddressSpace, vma: VMA, start: int, end: int) -> None:
    _refuse_unguardable(mm, vma, VM_DONTEXPAND | VM_LOCKED)
    if vma.is_anonymous or mm.profile.guard_gives_files_anon_vma:
        vma = anon_vma_prepare(mm, vma)
    if mm.profile.guard_flag and not vma.flags & VM_MAYBE_GUARD:
        flagged = vma.with_flags(vma.flags | VM_MAYBE_GUARD)
        mm.replace("madvise_guard_install", "new_flags", (vma,), (flagged,), vma=vma, was=vma.flags, now=flagged.flags)
    split_edges(mm, start >> PAGE_SHIFT, end >> PAGE_SHIFT, "drop")
    if any(run.kind != "guard" for run in mm.pagetable.within(start >> PAGE_SHIFT, end >> PAGE_SHIFT)):
        mm.clear_pages("zap_page_range_single", "zap", start, end)
    mm.put_pages("madvise_guard_install", "guard_set", [Run(start >> PAGE_SHIFT, end >> PAGE_SHIFT, "guard")],
                 start=start, end=end)  # fmt: skip
