"""mlock(2) and its kin, and mseal(2): flags on ranges, and the pages that mlock brings in (mm/mlock.c, mm/mseal.c)."""

from __future__ import annotations

from contextlib import suppress

from vmalab.linux.addr import PAGE, PAGE_SHIFT, WORD, is_aligned, page_align
from vmalab.linux.flags import (
    MCL_CURRENT,
    MCL_FUTURE,
    MCL_ONFAULT,
    VM_DONTEXPAND,
    VM_LOCKED,
    VM_LOCKONFAULT,
    VM_SEALED,
)
from vmalab.linux.mm.fault import populate
from vmalab.linux.mm.merge import split_vma, vma_modify
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.mm.vma import VMA


def can_do_mlock(mm: AddressSpace, func: str) -> None:
    """EPERM for a process that may lock nothing at all."""
    if not mm.limits.memlock and not mm.privileged:
        raise Refusal("EPERM", func, "memlock_zero")


def mlock_future_ok(mm: AddressSpace, flags: int, pages: int, func: str) -> None:
    """EAGAIN where RLIMIT_MEMLOCK has no room for `pages` more, if memory with `flags` is locked."""
    if flags & VM_LOCKED and not mm.privileged and mm.locked_vm + pages > mm.limits.memlock:
        raise Refusal("EAGAIN", func, "rlimit_memlock", pages=pages, total=mm.locked_vm, limit=mm.limits.memlock)


def mlock(mm: AddressSpace, address: int, length: int, *, onfault: bool = False) -> int:
    """Lock and fault in the pages that `length` bytes from `address` touch; `onfault` (mlock2): lock those that come.

    Errors: EPERM (RLIMIT_MEMLOCK 0), ENOMEM (over RLIMIT_MEMLOCK; a gap, with the VMAs before it locked; pages that
    can't be faulted in, with the flag set all the same), EINVAL (wraps).  Source: do_mlock(), mm/mlock.c.
    """
    func = "do_mlock"
    can_do_mlock(mm, func)
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
    _apply_flags(mm, start, end, VM_LOCKED | VM_LOCKONFAULT if onfault else VM_LOCKED)
    if start < end and not populate(mm, start, end):
        raise Refusal("ENOMEM", func, "populate_failed", start=start, end=end)
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
        _mlock_fixup(mm, vma, position, stop, locked)
        position = stop


def _mlock_fixup(mm: AddressSpace, vma: VMA, start: int, end: int, locked: int) -> None:
    """Give [start, end) of `vma` the bits `locked` of VM_LOCKED and VM_LOCKONFAULT, and count (mlock_fixup())."""
    flags = (vma.flags & ~(VM_LOCKED | VM_LOCKONFAULT)) | locked
    if flags == vma.flags or vma.flags & VM_DONTEXPAND:
        return
    vma_modify(mm, vma, start, end, flags)
    mm.locked_vm += (bool(locked) - bool(vma.flags & VM_LOCKED)) * ((end - start) >> PAGE_SHIFT)


def mlockall(mm: AddressSpace, flags: int) -> int:
    """Lock all that is mapped (MCL_CURRENT), all that will be (MCL_FUTURE), or both; with MCL_ONFAULT as it comes.

    Errors: EINVAL (unknown flags, none, MCL_ONFAULT alone), EPERM (RLIMIT_MEMLOCK 0), ENOMEM (MCL_CURRENT with more
    mapped, locked or not, than RLIMIT_MEMLOCK).  Pages that can't be brought in are no error.  O(VMAs + runs).
    """
    func = "mlockall"
    if not flags or flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) or flags == MCL_ONFAULT:
        raise Refusal("EINVAL", func, "bad_mcl_flags", flags=flags)
    can_do_mlock(mm, func)
    if flags & MCL_CURRENT and not mm.privileged and mm.total_vm > mm.limits.memlock:
        raise Refusal("ENOMEM", func, "all_over_memlock", total=mm.total_vm, limit=mm.limits.memlock)
    locked = VM_LOCKED | VM_LOCKONFAULT if flags & MCL_ONFAULT else VM_LOCKED
    mm.def_flags = locked if flags & MCL_FUTURE else 0
    if flags & MCL_FUTURE:
        mm.note(func, "future_locked")
    if flags & MCL_CURRENT:
        _fixup_all(mm, locked)
        populate(mm, 0, mm.arch.task_size, whatever=True)
    return 0


def munlockall(mm: AddressSpace) -> int:
    """Unlock everything; what is mapped from now on is not locked.  O(VMAs)."""
    if mm.def_flags:
        mm.note("munlockall", "future_unlocked")
    mm.def_flags = 0
    _fixup_all(mm, 0)
    return 0


def _fixup_all(mm: AddressSpace, locked: int) -> None:
    """apply_mlockall_flags(): VMA by VMA; one that can't be merged or changed stays as it is."""
    position = 0
    while (vma := mm.find_vma(position)) is not None:
        position = vma.end
        with suppress(Refusal):
            _mlock_fixup(mm, vma, vma.start, vma.end, locked)


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
