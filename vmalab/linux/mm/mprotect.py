"""mprotect(2): one VMA after the other, stopping at the first problem (mm/mprotect.c)."""

from __future__ import annotations

from vmalab.linux.addr import PAGE_SHIFT, WORD, is_aligned, page_align
from vmalab.linux.flags import VM_ACCESS, VM_ACCOUNT, VM_LOCKED, VM_NORESERVE, VM_SEALED, VM_SHARED, VM_WRITE
from vmalab.linux.mm.fault import populate_vma_page_range
from vmalab.linux.mm.merge import vma_modify
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.mm.vma import VMA
from vmalab.linux.mm.writeprotect import made_read_only


def mprotect(mm: AddressSpace, address: int, length: int, prot: int) -> int:
    """Set the access of `length` bytes from `address` to `prot` (PROT_* bits).

    Errors: EINVAL (unaligned, unknown bits), ENOMEM (a gap; the VMAs before it stay changed; the map count), EACCES
    (a right that the mapping can't have), EPERM (sealed).  Source: do_mprotect_pkey(), mprotect_fixup().
    """
    func = "do_mprotect_pkey"
    if not is_aligned(address):
        raise Refusal("EINVAL", func, "unaligned", what="addr", address=address)
    if length == 0:
        return 0
    end = (address + page_align(length)) & WORD
    if end <= address:
        raise Refusal("ENOMEM", func, "wraps", start=address, length=length)
    if prot & ~VM_ACCESS:
        raise Refusal("EINVAL", func, "unknown_prot", prot=prot)
    position = address
    while position < end:
        vma = mm.vma_lookup(position)
        if vma is None:
            raise Refusal("ENOMEM", func, "gap", at=position)
        stop = min(end, vma.end)
        flags = (vma.flags & ~VM_ACCESS) | prot
        if flags & ~(flags >> 4) & VM_ACCESS:
            raise Refusal("EACCES", func, "not_allowed", vma=vma, prot=prot)
        position = _mprotect_fixup(mm, vma, position, stop, flags).end
    return 0


def _mprotect_fixup(mm: AddressSpace, vma: VMA, start: int, end: int, flags: int) -> VMA:
    """Change [start, end) of one VMA; returns the VMA that holds it then (mprotect_fixup())."""
    func = "mprotect_fixup"
    if vma.flags & VM_SEALED:
        raise Refusal("EPERM", func, "sealed", vma=vma)
    if flags == vma.flags:
        mm.note(func, "same_flags", vma=vma)
        return vma
    pages = (end - start) >> PAGE_SHIFT
    old = vma.flags
    if flags & VM_WRITE:
        if not mm.may_expand_vm(flags, pages) and mm.may_expand_vm(old, pages):
            raise Refusal("ENOMEM", func, "rlimit_data", pages=pages, total=mm.data_vm, limit=mm.limits.data)
        if not old & (VM_ACCOUNT | VM_WRITE | VM_SHARED | VM_NORESERVE):
            mm.charge(func, pages)
            flags |= VM_ACCOUNT
    elif mm.profile.read_only_drops_account and old & VM_ACCOUNT and vma.is_anonymous and vma.anon_vma is None:
        flags &= ~VM_ACCOUNT
    changed = vma_modify(mm, vma, start, end, flags)
    if not flags & VM_WRITE:
        made_read_only(mm, start >> PAGE_SHIFT, end >> PAGE_SHIFT)
    mm.vm_stat_account(old, -pages)
    mm.vm_stat_account(flags, pages)
    if old & (VM_WRITE | VM_SHARED | VM_LOCKED) == VM_LOCKED and flags & VM_WRITE:
        populate_vma_page_range(mm, changed, start, end)
        changed = mm.current(changed)
    return changed
