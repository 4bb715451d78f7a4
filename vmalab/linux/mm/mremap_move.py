"""move_vma(): copy one VMA record, move its page-table entries, and unmap the source or leave it empty.

Shared by every mremap that moves.  Source: move_vma(), copy_vma_and_data(), dontunmap_complete() in mm/mremap.c and
copy_vma() in mm/vma.c.
"""

from __future__ import annotations

from vmalab.linux.addr import PAGE_SHIFT
from vmalab.linux.flags import (
    MREMAP_DONTUNMAP,
    VM_ACCOUNT,
    VM_LOCKED,
    VM_LOCKONFAULT,
    VM_UFFD,
)
from vmalab.linux.mm.merge import MergeRequest, split_vma, vma_merge_new_range
from vmalab.linux.mm.mremap_checks import RemapRequest
from vmalab.linux.mm.munmap import unmap
from vmalab.linux.mm.pagetable import move_page_tables
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.mm.vma import VMA

LOCKED_MASK = VM_LOCKED | VM_LOCKONFAULT


def move_vma(vrm: RemapRequest) -> int:
    """Move `old_len` bytes at `addr` to `new_addr`, where they become `new_len`; returns new_addr.

    Errors: ENOMEM (map count, commit charge, no memory for VMA or page tables).  The destination is empty already.
    """
    mm = vrm.mm
    _prep_move_vma(vrm)
    dontunmap = bool(vrm.flags & MREMAP_DONTUNMAP)
    vrm_charge(vrm, vrm.old_len if dontunmap else vrm.new_len - vrm.old_len)
    source, new_vma = _copy_vma_and_data(vrm)
    pages = vrm.new_len >> PAGE_SHIFT
    mm.vm_stat_account(source.flags, pages)
    if dontunmap:
        _dontunmap_complete(vrm, source, new_vma)
    else:
        if source.flags & VM_LOCKED:
            mm.locked_vm += pages
        if vrm.old_len:
            unmap(mm, vrm.addr, vrm.addr + vrm.old_len, why="unmap_source")
    if source.flags & VM_LOCKED:
        vrm.mlocked = True
        vrm.populate_from, vrm.populate_len = vrm.new_addr + vrm.old_len, vrm.new_len - vrm.old_len
    return vrm.new_addr


def vrm_charge(vrm: RemapRequest, length: int) -> None:
    """Charge `length` bytes of a VM_ACCOUNT VMA to the commit limit (vrm_calc_charge())."""
    if vrm.source.flags & VM_ACCOUNT and length > 0:
        vrm.mm.charge("vrm_calc_charge", length >> PAGE_SHIFT)


def _prep_move_vma(vrm: RemapRequest) -> None:
    """The map count must leave room for the copy and for cutting the source twice."""
    mm, limit = vrm.mm, vrm.mm.limits.map_count
    if mm.profile.headroom_of_7_1:
        locked = vrm.flags & MREMAP_DONTUNMAP and vrm.source.flags & VM_LOCKED
        needed = 2 + (1 if mm.profile.headroom_counts_dontunmap and locked else 0)
        short = mm.map_count + needed > limit
    else:
        needed = 4
        short = mm.map_count >= limit - 3
    if short:
        raise Refusal("ENOMEM", "prep_move_vma", "map_count_move", count=mm.map_count, limit=limit, needed=needed,
                      vma=vrm.source)  # fmt: skip
    if mm.profile.dontunmap_splits_locked and vrm.flags & MREMAP_DONTUNMAP and vrm.source.flags & VM_LOCKED:
        vma = vrm.source
        if vma.start < vrm.addr:
            _, vma = split_vma(mm, vma, vrm.addr)
        if vrm.addr + vrm.old_len < vma.end:
            vma, _ = split_vma(mm, vma, vrm.addr + vrm.old_len)
        vrm.vma = vma


def _copy_vma_and_data(vrm: RemapRequest) -> tuple[VMA, VMA]:
    """Copy the VMA and move its entries; returns the source (as merged) and the VMA at the destination."""
    mm = vrm.mm
    new_vma = copy_vma(vrm)
    # copy_vma() may have merged the source into the new VMA
    source = new_vma if new_vma.start <= vrm.addr < new_vma.end else vrm.source
    if source.id != vrm.source.id:
        mm.note("copy_vma", "source_swallowed", vma=source)
    vrm.vma = source
    try:
        move_page_tables(mm, source, vrm.addr, vrm.new_addr, vrm.old_len)
    except Refusal:
        # the kernel moves back what it moved and removes the copy
        mm.vm_stat_account(source.flags, vrm.new_len >> PAGE_SHIFT)
        mm.locked_vm += vrm.new_len >> PAGE_SHIFT if source.flags & VM_LOCKED else 0
        unmap(mm, vrm.new_addr, vrm.new_addr + vrm.new_len, why="undo_copy")
        raise
    if new_vma.flags & VM_UFFD:
        dropped = mm.current(new_vma).with_flags(new_vma.flags & ~VM_UFFD)
        mm.replace("mremap_userfaultfd_prep", "uffd_dropped", (mm.current(new_vma),), (dropped,), vma=dropped)
        new_vma = dropped
        if source.id == new_vma.id:
            vrm.vma = source = dropped
    return source, new_vma


def copy_vma(vrm: RemapRequest) -> VMA:
    """A VMA for the destination with the source's properties, merged with its neighbours there if it can be.

    Unfaulted anonymous memory takes the page offset of its new address; everything else keeps its own, which is why a
    region that was written while away does not merge when it comes back.  Source: copy_vma(), mm/vma.c.
    """
    mm, vma, start, end = vrm.mm, vrm.source, vrm.new_addr, vrm.new_addr + vrm.new_len
    mm.alloc("copy_vma")
    pgoff = vma.pgoff_at(vrm.addr)
    if vma.is_anonymous and vma.anon_vma is None:
        if pgoff != start >> PAGE_SHIFT:
            mm.note("copy_vma", "pgoff_reset", vma=vma, was=pgoff, now=start >> PAGE_SHIFT)
        pgoff = start >> PAGE_SHIFT
    else:
        mm.note("copy_vma", "pgoff_kept", vma=vma, pgoff=pgoff, natural=start >> PAGE_SHIFT)
    anon_pgoff = vma.anon_pgoff_at(vrm.addr)
    if anon_pgoff is not None and vma.anon_vma is None:
        anon_pgoff = start >> PAGE_SHIFT
    prev, after = mm.find_vma_prev(start), mm.find_vma(end)
    if vrm.flags & MREMAP_DONTUNMAP and mm.profile.dontunmap_stays_apart:
        prev = None if prev is not None and prev.id == vma.id else prev
        after = None if after is not None and after.id == vma.id else after
    request = MergeRequest(mm, start, end, pgoff, vma.flags, vma.file, vma.anon_vma, vma.chain, prev, after,
                           copied_from=vma, anon_pgoff=anon_pgoff)  # fmt: skip
    merged = vma_merge_new_range(request)
    if merged is not None:
        return merged
    copy = VMA(start, end, pgoff, vma.flags, vma.file, vma.anon_vma, vma.chain, mm.new_id(), anon_pgoff)
    mm.replace("copy_vma", "copied", (), (copy,), vma=copy, source=vma)
    return copy


def _dontunmap_complete(vrm: RemapRequest, source: VMA, new_vma: VMA) -> None:
    """What MREMAP_DONTUNMAP leaves behind: the same VMA, unlocked, without its pages (dontunmap_complete())."""
    mm = vrm.mm
    profile = mm.profile
    flags = source.flags & ~LOCKED_MASK
    if source.flags & VM_LOCKED:
        _count_locked(mm, source, vrm.new_len >> PAGE_SHIFT)
    if profile.dontunmap_loses_account:
        flags &= ~VM_ACCOUNT
    anon_vma, chain, pgoff, anon_pgoff = source.anon_vma, source.chain, source.pgoff, source.anon_pgoff
    if source.id != new_vma.id and (source.start, source.end) == (vrm.addr, vrm.addr + vrm.old_len):
        if profile.dontunmap_resets_pgoff and source.file is None:
            pgoff = source.start >> PAGE_SHIFT
        if anon_pgoff is not None:
            anon_pgoff = source.start >> PAGE_SHIFT
        anon_vma, chain = None, ()
    left = VMA(source.start, source.end, pgoff, flags, source.file, anon_vma, chain, source.id, anon_pgoff)
    mm.replace("dontunmap_complete", "left_behind", (source,), (left,), vma=left, was=source)


def _count_locked(mm: AddressSpace, source: VMA, moved: int) -> None:
    """Count locked pages as the release does, and remember what that leaves wrong."""
    before = mm.locked_vm
    if mm.profile.dontunmap_leaks_locked_vm:
        mm.locked_vm += moved
    elif mm.profile.dontunmap_splits_locked:
        mm.locked_vm += moved - source.pages
    mm.locked_vm_leak += (mm.locked_vm - before) - (moved - source.pages)
