"""UFFDIO_REGISTER in mode MISSING, by a userfaultfd without events (fs/userfaultfd.c)."""

from __future__ import annotations

from vmalab.linux.addr import TASK_SIZE, is_aligned
from vmalab.linux.flags import VM_MAYWRITE, VM_UFFD_MISSING
from vmalab.linux.mm.merge import vma_modify
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal


def uffd_register(mm: AddressSpace, address: int, length: int) -> int:
    """Register `length` bytes from `address` for missing-page faults.

    Errors: EINVAL (unaligned, length 0, beyond TASK_SIZE, nothing mapped in the range), ENOMEM (the map count), EPERM
    (a mapping that can't be made writable).  Source: userfaultfd_register().
    """
    func = "userfaultfd_register"
    if not is_aligned(address) or not is_aligned(length):
        raise Refusal("EINVAL", func, "unaligned", what="addr", address=address)
    if not length or address >= TASK_SIZE or length > TASK_SIZE - address:
        raise Refusal("EINVAL", func, "beyond_task_size", start=address, length=length)
    end = address + length
    first = mm.find_vma(address)
    # a process has a stack above its mappings, so that the kernel always finds a later VMA (else it says ENOMEM)
    if first is None or first.start >= end:
        raise Refusal("EINVAL", func, "gap", at=address)
    for vma in mm.intersecting(address, end):
        if not vma.flags & VM_MAYWRITE:
            raise Refusal("EPERM", func, "not_writable", at=vma.start)
    position = address
    while position < end and (found := mm.find_vma(position)) is not None and found.start < end:
        start, stop = max(found.start, position), min(found.end, end)
        if not found.flags & VM_UFFD_MISSING:
            vma_modify(mm, found, start, stop, found.flags | VM_UFFD_MISSING)
        position = stop
    return 0
