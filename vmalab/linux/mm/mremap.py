"""mremap(2), in the order of the kernel's mm/mremap.c: read the two side by side.

    mremap                      do_mremap()
    ├── check_mremap_params     arguments alone (`mremap_checks.py`)
    ├── remap_move              a fixed move of the same size: VMA after VMA, since 6.17
    │   └── check_prep_vma, mremap_to                  for each
    └── check_prep_vma          the VMA at addr
        ├── mremap_to           MREMAP_FIXED or MREMAP_DONTUNMAP: clear the destination, then move_vma
        └── mremap_at           resize where it is: no-op, shrink, expand in place, or move_vma
            └── move_vma        copy_vma, move_page_tables, unmap the source or leave it (MREMAP_DONTUNMAP)

Before 6.17 the destination was unmapped before check_prep_vma() ran (there called vma_to_resize()).
"""

from __future__ import annotations

from vmalab.linux.addr import PAGE, PAGE_SHIFT, page_align
from vmalab.linux.flags import (
    MREMAP_DONTUNMAP,
    MREMAP_FIXED,
    MREMAP_MAYMOVE,
    VM_LOCKED,
    VM_UFFD,
)
from vmalab.linux.mm.fault import populate
from vmalab.linux.mm.merge import MergeRequest, vma_merge_new_range
from vmalab.linux.mm.mmap import fixed_area, get_unmapped_area, thp_offset
from vmalab.linux.mm.mremap_checks import RemapRequest, check_after_lookup, check_mremap_params, check_prep_vma
from vmalab.linux.mm.mremap_move import move_vma, vrm_charge
from vmalab.linux.mm.munmap import do_munmap, unmap
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.mm.vma import VMA


def mremap(mm: AddressSpace, address: int, old_len: int, new_len: int, flags: int = 0, new_addr: int = 0) -> int:
    """Resize or move the mapping at byte `address`; returns its new address.  All lengths in bytes.

    Errors: EINVAL (arguments), EFAULT (nothing mapped at `address`, a range that crosses a VMA's end where it may
    not, a VMA that may not take part in a multi-VMA move), EPERM (sealed), ENOMEM (no room, map count, RLIMIT_AS),
    EAGAIN (RLIMIT_MEMLOCK).  A failed call may have changed something: see the steps.
    Source: mremap(2); do_mremap() in mm/mremap.c.
    """
    vrm = RemapRequest(mm, address, old_len, new_len, flags, new_addr)
    check_mremap_params(vrm)
    vrm.old_len, vrm.new_len = page_align(old_len), page_align(new_len)
    if mm.profile.multi_vma_move and flags & MREMAP_FIXED and vrm.old_len == vrm.new_len:
        result = remap_move(vrm)
    else:
        vrm.vma = mm.vma_lookup(address)
        check_after_lookup(vrm)
        if mm.profile.checks_before_unmap:
            check_prep_vma(vrm)
        result = mremap_to(vrm) if vrm.implies_new_addr else mremap_at(vrm)
    if vrm.mlocked and vrm.populate_len:
        populate(mm, vrm.populate_from, vrm.populate_from + vrm.populate_len)
    return result


def remap_move(vrm: RemapRequest) -> int:
    """Move every VMA in the old range to the same distance from new_addr; gaps move along, what lies there stays.

    No gap at the start.  An error ends the call with the VMAs before it moved.  Source: remap_move(), since 6.17.
    """
    mm, start, end = vrm.mm, vrm.addr, vrm.addr + vrm.old_len
    new_addr = target = vrm.new_addr
    position, last_end = start, 0
    seen_vma, allowed = False, True
    while position < end and (vma := mm.find_vma(position)) is not None and vma.start < end:
        if not allowed and mm.profile.eligibility_checked_late:
            raise Refusal("EFAULT", "remap_move", "first_not_allowed_late", vma=vma)
        if not seen_vma and start < vma.start:
            raise Refusal("EFAULT", "remap_move", "gap_at_start", start=start, vma=vma)
        piece = max(vma.start, start)
        length = min(vma.end, end) - piece
        gap = vma.start - last_end if seen_vma else 0
        if gap:
            mm.note("remap_move", "gap_kept", start=last_end, end=vma.start, target=target)
        position = last_end = vma.end
        vrm.vma, vrm.addr, vrm.new_addr = vma, piece, target + gap
        vrm.old_len = vrm.new_len = length
        mm.note("remap_move", "piece", vma=vma, start=piece, end=piece + length, target=vrm.new_addr)
        allowed = vma_multi_allowed(mm, vma)
        if not allowed:
            if seen_vma:
                raise Refusal("EFAULT", "remap_move", "later_not_allowed", vma=vma, why=_why_not_allowed(vma))
            if vma.end < end and not mm.profile.eligibility_checked_late:
                raise Refusal("EFAULT", "remap_move", "first_not_allowed", vma=vma, end=end, why=_why_not_allowed(vma))
            mm.note("remap_move", "alone_allowed", vma=vma, end=end, why=_why_not_allowed(vma))
        check_prep_vma(vrm)
        target = mremap_to(vrm) + length
        seen_vma = True
    if not seen_vma:
        raise Refusal("EFAULT", "remap_move", "nothing_mapped", start=start, end=end)
    if position < end:
        mm.note("remap_move", "gap_at_end", start=position, end=end)
    return new_addr


def vma_multi_allowed(mm: AddressSpace, vma: VMA) -> bool:
    """Whether `vma` may take part in a move of several VMAs (vma_multi_allowed()).

    Not with a userfaultfd registered; not if its driver has its own get_unmapped_area, unless it is shmem.
    """
    return _why_not_allowed(vma) is None


def _why_not_allowed(vma: VMA) -> str | None:
    if vma.flags & VM_UFFD:
        return "uffd"
    if vma.file is not None and not vma.file.is_shmem and vma.file.has_get_unmapped_area:
        return "get_unmapped_area"
    return None


def mremap_to(vrm: RemapRequest) -> int:
    """Move to an address that the caller names (MREMAP_FIXED) or hints at (MREMAP_DONTUNMAP)."""
    mm = vrm.mm
    if vrm.flags & MREMAP_FIXED:
        if unmap(mm, vrm.new_addr, vrm.new_addr + vrm.new_len, why="unmap_destination"):
            vrm.vma = mm.vma_lookup(vrm.addr)
        if vrm.vma is None and mm.profile.checks_before_unmap:
            raise Refusal("EFAULT", "mremap_to", "destination_took_source", start=vrm.addr)
    if vrm.old_len > vrm.new_len:
        do_munmap(mm, vrm.addr + vrm.new_len, vrm.old_len - vrm.new_len, why="unmap_tail")
        vrm.old_len = vrm.new_len
        vrm.vma = mm.vma_lookup(vrm.addr)
    if not mm.profile.checks_before_unmap:
        check_prep_vma(vrm)
    vma = vrm.source
    if vrm.flags & MREMAP_DONTUNMAP and not mm.may_expand_vm(vma.flags, vrm.old_len >> PAGE_SHIFT):
        raise Refusal("ENOMEM", "mremap_to", "rlimit_as", pages=vrm.old_len >> PAGE_SHIFT, total=mm.total_vm,
                      limit=mm.limits.address_space)  # fmt: skip
    if vrm.flags & MREMAP_FIXED:
        fixed_area(mm, vrm.new_addr, vrm.new_len, "vrm_set_new_addr")
    else:
        vrm.new_addr = get_unmapped_area(mm, vrm.new_addr, vrm.new_len, thp=_thp(vrm, vrm.new_addr))
    return move_vma(vrm)


def _thp(vrm: RemapRequest, hint: int) -> int | None:
    """To which offset a new place for the source is aligned, for huge pages; see `thp_offset`."""
    vma = vrm.source
    if not vma.is_anonymous:
        return None
    return thp_offset(vrm.mm, vma.pgoff_at(vrm.addr), hint & -PAGE, vrm.new_len, anonymous=vma.file is None)


def mremap_at(vrm: RemapRequest) -> int:
    """Resize without a new address: nothing to do, shrink, expand in place, or move to where there is room."""
    mm = vrm.mm
    if vrm.old_len == vrm.new_len:
        mm.note("mremap_at", "no_op", start=vrm.addr, length=vrm.old_len)
        return vrm.addr
    if vrm.new_len < vrm.old_len:
        do_munmap(mm, vrm.addr + vrm.new_len, vrm.old_len - vrm.new_len, why="unmap_tail")
        return vrm.addr
    if not mm.profile.checks_before_unmap:
        check_prep_vma(vrm)
    return _expand_vma(vrm)


def _expand_vma(vrm: RemapRequest) -> int:
    """expand_vma(): in place if the old range ends where the VMA does and the room behind it is free, else move."""
    mm, vma = vrm.mm, vrm.source
    delta = vrm.new_len - vrm.old_len
    reason = _why_not_in_place(vrm, vma, delta)
    if reason is None:
        vrm_charge(vrm, delta)
        _vma_merge_extend(mm, vma, delta)
        mm.vm_stat_account(vma.flags, delta >> PAGE_SHIFT)
        if vma.flags & VM_LOCKED:
            mm.locked_vm += delta >> PAGE_SHIFT
            vrm.mlocked, vrm.populate_from, vrm.populate_len = True, vrm.addr + vrm.old_len, delta
        return vrm.addr
    if not vrm.flags & MREMAP_MAYMOVE:
        raise Refusal("ENOMEM", "expand_vma", "no_room_may_not_move", vma=vma, why=reason, delta=delta,
                      next=mm.vma_next(vma))  # fmt: skip
    mm.note("expand_vma", "must_move", vma=vma, why=reason, delta=delta, next=mm.vma_next(vma))
    vrm.new_addr = get_unmapped_area(mm, 0, vrm.new_len, thp=_thp(vrm, 0))
    return move_vma(vrm)


def _why_not_in_place(vrm: RemapRequest, vma: VMA, delta: int) -> str | None:
    """vrm_can_expand_in_place() and vma_expandable(): None, or what is in the way."""
    if vrm.old_len != vma.end - vrm.addr:
        return "stops_short"
    if vma.end + delta > vrm.mm.arch.task_size:
        return "task_size"
    return "occupied" if vrm.mm.intersecting(vma.end, vma.end + delta) else None


def _vma_merge_extend(mm: AddressSpace, vma: VMA, delta: int) -> VMA:
    """Add `delta` bytes to the end of `vma`, and swallow the next VMA if that fits (vma_merge_extend())."""
    request = MergeRequest(mm, vma.end, vma.end + delta, vma.pgoff_at(vma.end), vma.flags, vma.file, vma.anon_vma,
                           vma.chain, vma, mm.vma_next(vma), anon_pgoff=vma.anon_pgoff_at(vma.end))  # fmt: skip
    merged = vma_merge_new_range(request)
    if merged is None:
        raise Refusal("ENOMEM", "expand_vma_in_place", "cannot_extend", vma=vma)
    return merged
