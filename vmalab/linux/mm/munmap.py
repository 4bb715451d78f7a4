"""munmap(2), and the unmapping that mmap and mremap do first (mm/vma.c: vms_gather_munmap_vmas and what follows)."""

from __future__ import annotations

from vmalab.linux.addr import is_aligned, page_align
from vmalab.linux.flags import VM_LOCKED, VM_SEALED
from vmalab.linux.mm.huge import free_tables
from vmalab.linux.mm.merge import force_split
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.mm.vma import VMA


def munmap(mm: AddressSpace, address: int, length: int) -> int:
    """Remove every mapping in `length` bytes from `address`; gaps are fine.

    Errors: EINVAL (unaligned, length 0, beyond TASK_SIZE), ENOMEM (a hole strictly inside one VMA at the map-count
    limit), EPERM (a sealed VMA: nothing is removed, but the first VMA stays cut where the range starts).
    Source: do_vmi_munmap(), mm/vma.c.
    """
    if not is_aligned(address):
        raise Refusal("EINVAL", "do_vmi_munmap", "unaligned", what="addr", address=address)
    do_munmap(mm, address, length)
    return 0


def do_munmap(mm: AddressSpace, address: int, length: int, *, why: str = "unmap") -> None:
    """`munmap` behind the look at the alignment: what mremap calls to shrink, and for the same errors."""
    if address > mm.arch.task_size or length > mm.arch.task_size - address:
        raise Refusal("EINVAL", "do_vmi_munmap", "beyond_task_size", start=address, length=length)
    length = page_align(length)
    if length == 0:
        raise Refusal("EINVAL", "do_vmi_munmap", "zero_length")
    unmap(mm, address, address + length, why=why)


def unmap(mm: AddressSpace, start: int, end: int, *, why: str = "unmap") -> list[VMA]:
    """Remove bytes [start, end) from the address space; returns the VMAs (or parts of VMAs) that were there."""
    gone = gather(mm, start, end)
    complete(mm, gone, start, end, why=why)
    return gone


def gather(mm: AddressSpace, start: int, end: int) -> list[VMA]:
    """Cut the VMAs at the edges of [start, end) and return those inside, still mapped.

    Errors as `munmap`; a cut that was made before the error stays (vms_gather_munmap_vmas(), mm/vma.c).
    """
    vmas = mm.intersecting(start, end)
    if not vmas:
        return []
    func = "vms_gather_munmap_vmas"
    first = vmas[0]
    if first.start < start:
        if end < first.end and mm.map_count >= mm.limits.map_count:
            raise Refusal("ENOMEM", func, "map_count_split", vma=first, at=start, count=mm.map_count,
                          limit=mm.limits.map_count)  # fmt: skip
        _refuse_sealed(first, func)
        _, vmas[0] = force_split(mm, first, start)
    for vma in vmas:
        _refuse_sealed(vma, func)
    if vmas[-1].end > end:
        vmas[-1], _ = force_split(mm, vmas[-1], end)
    return vmas


def _refuse_sealed(vma: VMA, func: str) -> None:
    if vma.flags & VM_SEALED:
        raise Refusal("EPERM", func, "sealed", vma=vma)


def complete(
    mm: AddressSpace,
    gone: list[VMA],
    start: int,
    end: int,
    *,
    why: str = "unmap",
    func: str = "vms_complete_munmap_vmas",
) -> None:
    """Drop what `gather` returned: the VMAs, their pages and their share of the counters.

    `func`: the function that does it; since 6.12 mmap clears the pages long before it forgets the VMAs, whose place the
    new one has taken by then.
    """
    if not gone:
        return
    runs = mm.clear_pages("vms_clear_ptes", "zap", start, end)
    mm.replace(func, why, gone, (), start=start, end=end)
    free_tables(mm, runs, start, end)
    for vma in gone:
        mm.vm_stat_account(vma.flags, -vma.pages)
        if vma.flags & VM_LOCKED:
            mm.locked_vm -= vma.pages
