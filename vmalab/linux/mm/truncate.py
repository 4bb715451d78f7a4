"""ftruncate(2) of a memfd: what becomes of mappings of a file that gets shorter (shmem_setattr(), mm/shmem.c)."""

from __future__ import annotations

from vmalab.errors import UsageError
from vmalab.linux.addr import PAGE_SHIFT, is_aligned
from vmalab.linux.flags import F_SEAL_GROW, F_SEAL_SHRINK
from vmalab.linux.mm.mmap import memfd
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal


def ftruncate(mm: AddressSpace, name: str, length: int) -> int:
    """Let the memfd `name` have `length` bytes.  VMAs stay as they are, whatever of them lies past its end.

    Of a file that gets shorter all pages behind the end go, from every mapping of it, private copies too; guard markers
    stay.  One that gets longer has zeros there.  O(VMAs + runs).  Errors: EPERM (sealed against that).
    Source: shmem_setattr(), mm/shmem.c; unmap_mapping_range(), mm/memory.c.
    """
    if length < 0 or not is_aligned(length):
        raise UsageError(f"ftruncate: a file of the model has whole pages, and so not {length} bytes")
    file, size = memfd(mm, name), length >> PAGE_SHIFT
    was = file.size
    if file.inode.seals & (F_SEAL_SHRINK if size < was else F_SEAL_GROW if size > was else 0):
        raise Refusal("EPERM", "shmem_setattr", "file_sealed_shrink" if size < was else "file_sealed_grow", file=name,
                      was=was, pages=size)  # fmt: skip
    file.inode.size = size
    mm.note("ftruncate", "file_cut" if size < was else "file_grown", file=name, was=was, pages=size)
    if size >= was:
        return 0
    for vma in mm.vmas():
        if vma.file is not None and vma.file.inode is file.inode and vma.pgoff + vma.pages > size:
            start = vma.start + (max(size - vma.pgoff, 0) << PAGE_SHIFT)
            for run in mm.pagetable.within(start >> PAGE_SHIFT, vma.end >> PAGE_SHIFT):
                if run.kind != "guard":
                    mm.clear_pages("unmap_mapping_range", "cut_off", run.start << PAGE_SHIFT, run.end << PAGE_SHIFT)
    file.cache.clear(size, 1 << 52)
    return 0
