"""fcntl(2) with F_ADD_SEALS: what may never be done to a memfd any more (memfd_add_seals(), mm/memfd.c).

What a seal then forbids stands where it is asked for: in `mmap.py` and in `truncate.py`.
"""

from __future__ import annotations

from vmalab.linux.flags import F_SEAL_SEAL, F_SEAL_WRITE, SEALS, VM_DONTCOPY, VM_MAYWRITE, VM_SHARED
from vmalab.linux.mm.mmap import memfd
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.mm.vma import VMA, Inode

KNOWN = sum(SEALS.values())


def add_seals(mm: AddressSpace, name: str, seals: int) -> int:
    """Add `seals` (F_SEAL_* bits) to those of the memfd `name`, which was made with MFD_ALLOW_SEALING.

    Errors: EINVAL (unknown bits), EPERM (F_SEAL_SEAL is there), EBUSY (F_SEAL_WRITE while a shared mapping may write
    to it, here or in another process).  O(VMAs).
    """
    func = "memfd_add_seals"
    inode = memfd(mm, name).inode
    if seals & ~KNOWN:
        raise Refusal("EINVAL", func, "unknown_seals", seals=seals & ~KNOWN)
    if inode.seals & F_SEAL_SEAL:
        raise Refusal("EPERM", func, "sealed_seals", file=name)
    if seals & F_SEAL_WRITE and not inode.seals & F_SEAL_WRITE:
        writer = next((vma for vma in mm.vmas() if may_write(vma, inode)), None)
        if writer is not None:
            raise Refusal("EBUSY", func, "mapped_writable", file=name, vma=writer)
        if inode.written_elsewhere:
            raise Refusal("EBUSY", func, "mapped_writable_elsewhere", file=name)
    inode.seals |= seals
    mm.note(func, "seals_added", file=name, seals=seals)
    return 0


def may_write(vma: VMA, inode: Inode) -> bool:
    """Whether `vma` counts as one by which the file may be written (vma_is_shared_maywrite())."""
    writable = vma.flags & (VM_SHARED | VM_MAYWRITE) == VM_SHARED | VM_MAYWRITE
    return writable and vma.file is not None and vma.file.inode is inode


def stay_mapped(mm: AddressSpace, *, all_of_them: bool) -> None:
    """Remember which files a process that goes to sleep has mapped so that they may be written: the parent's mappings,
    or (not `all_of_them`) those that a child gets.  O(VMAs)."""
    for vma in mm.vmas():
        kept = all_of_them or not vma.flags & VM_DONTCOPY
        if kept and vma.file is not None and may_write(vma, vma.file.inode):
            vma.file.inode.written_elsewhere = True
