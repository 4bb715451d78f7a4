"""mlock(2), munlock(2) and mseal(2): flags on ranges, and the pages that mlock brings in (mm/mlock.c, mm/mseal.c)."""

from __future__ import annotations

from vmalab.linux.addr import PAGE, PAGE_SHIFT, WORD, is_aligned, page_align
from vmalab.linux.flags import VM_DONTEXPAND, VM_LOCKED, VM_LOCKONFAULT, VM_SEALED
from vmalab.linux.mm.fault import populate
from vmalab.linux.mm.merge import split_vma, vma_modify
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal


def mlock(mm: AddressSpace, address: int, length: int) -> int:
    """Lock and fault in the pages that `length` bytes from `address` touch.

    Errors: EPERM (RLIMIT_MEMLOCK 0), ENOMEM (over RLIMIT_MEMLOCK; a gap, with the VMAs before it locked; pages that
    can't be faulted in, with the flag set all the same), EINVAL (wraps).  Source: do_mlock(), mm/mlock.c.
    """
    func = "do_mlock"
    if not mm.limits.memlock and not mm.privileged:
        raise Refusal("EPERM", func, "memlock_zero")
    start, end = _rounded(address, length)
    pages = (end - start) >> PAGE_SHIFT
    if not mm.privileged and mm.locked_vm + pages > mm.limits.memlock:
        inside = sum(
            (min(end, vma.end) - max(start, vma.start)) >> PAGE_SHIFT
            for vma in mm.intersecting(start, end)
            if vma.flags & VM_LOCKED
        )
        if mm.locked_vm + pages - inside > mm.limits.memlock:
            raise Refusal("ENOMEM", func, "rlimit_memlock", pages=pages - inside, total=mm.locked_vm,
                          limit=mm.limits.memlock)  # fmt: skip
    _apply_flags(mm, start, end, VM_LOCKED)
    if start < end and not populate(mm, start, end):
        raise Refusal("ENOMEM", "__mm_populate", "populate_failed", start=start, end=end)
    return 0


def munlock(mm: AddressSpace, address: int, length: int) -> int:
    """Unlock the pages that `length` bytes from `address` touch; ENOMEM at a gap, EINVAL if the range wraps."""
    start, end = _rounded(address, length)
    _apply_flags(mm, start, end, 0)
    return 0


def _rounded(address: int, length: int) -> tuple[int, int]:
    length = page_align(length + (address & (PAGE - 1)))
    start = address & -PAGE
    return start, start + length


def _apply_flags(mm: AddressSpace, start: int, end: int, locked: int) -> None:
    """apply_vma_lock_flags(): VMA by VMA, up to the first gap."""
    if end & WORD < start or end > WORD:
        raise Refusal("EINVAL", "apply_vma_lock_flags", "wraps", start=start, length=end - start)
    position = start
    while position < end:
        vma = mm.vma_lookup(position)
        if vma is None:
            raise Refusal("ENOMEM", "apply_vma_lock_flags", "gap", at=position)
        stop = min(end, vma.end)
        flags = (vma.flags & ~(VM_LOCKED | VM_LOCKONFAULT)) | locked
        if flags != vma.flags and not vma.flags & VM_DONTEXPAND:
            pages = (stop - position) >> PAGE_SHIFT
            was = vma.flags & VM_LOCKED
            vma_modify(mm, vma, position, stop, flags)
            if locked and not was:
                mm.locked_vm += pages
            elif was and not locked:
                mm.locked_vm -= pages
        position = stop


def mseal(mm: AddressSpace, address: int, length: int) -> int:
    """Seal `length` bytes from `address` for good.

    Errors: EINVAL (unaligned, wraps), ENOMEM (a gap: nothing is sealed; the map count), ENOSYS before 6.10.
    Source: do_mseal(), mm/mseal.c.
    """
    func = "do_mseal"
    if not mm.profile.mseal:
        raise Refusal("ENOSYS", func, "no_mseal")
    if not is_aligned(address):
        raise Refusal("EINVAL", func, "unaligned", what="addr", address=address)
    if length and not page_align(length):
        raise Refusal("EINVAL", func, "wraps", start=address, length=length)
    end = (address + page_align(length)) & WORD
    if end < address:
        raise Refusal("EINVAL", func, "wraps", start=address, length=length)
    position = address
    for vma in mm.intersecting(address, end):
        if vma.start > position:
            break
        position = vma.end
    if position < end:
        raise Refusal("ENOMEM", func, "gap", at=position)
    _seal(mm, address, end)
    return 0


def _seal(mm: AddressSpace, position: int, end: int) -> None:
    """mseal_apply(): VMA by VMA."""
    stale = False
    while position < end:
        vma = mm.vma_lookup(position)
        assert vma is not None
        stop = min(end, vma.end)
        if vma.flags & VM_SEALED:
            stale = False
        elif stale:
            # the walk still thinks of an older start, which neither merges nor splits in front
            if stop < vma.end:
                vma, _ = split_vma(mm, vma, stop)
            sealed = vma.with_flags(vma.flags | VM_SEALED)
            mm.replace("vma_modify", "new_flags", (vma,), (sealed,), vma=vma, was=vma.flags, now=sealed.flags)
            stale = False
        else:
            merged_end = vma_modify(mm, vma, position, stop, vma.flags | VM_SEALED).end
            stale = mm.profile.mseal_skips_after_merge and stop < min(merged_end, end)
            stop = min(merged_end, end) if stale else stop
        position = stop
