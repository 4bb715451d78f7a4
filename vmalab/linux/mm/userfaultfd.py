"""UFFDIO_REGISTER by a userfaultfd without events, and what its handler does (fs/userfaultfd.c, mm/userfaultfd.c).

What becomes of write-protected pages is in `writeprotect.py`.
"""

from __future__ import annotations

from vmalab.linux.addr import PAGE_SHIFT, is_aligned
from vmalab.linux.call import UFFD_MODES
from vmalab.linux.flags import VM_MAYWRITE, VM_SHARED, VM_UFFD, VM_UFFD_MISSING, VM_UFFD_WP
from vmalab.linux.mm.fault import anon_vma_prepare, in_page_cache, install, pages_of_file
from vmalab.linux.mm.merge import vma_modify
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.mm.vma import VMA
from vmalab.linux.mm.writeprotect import protect_pages
from vmalab.linux.scope import left_out, refuse

MODES = {"missing": VM_UFFD_MISSING, "wp": VM_UFFD_WP, "missing wp": VM_UFFD}
"""`UFFD_MODES` as VM_* bits."""


def validate_range(mm: AddressSpace, func: str, address: int, length: int) -> None:
    """EINVAL for a range that is not of whole pages, empty, or not of a process (validate_range())."""
    if not is_aligned(address) or not is_aligned(length):
        raise Refusal("EINVAL", func, "unaligned", what="addr", address=address)
    if not length or address >= mm.arch.task_size or length > mm.arch.task_size - address:
        raise Refusal("EINVAL", func, "beyond_task_size", start=address, length=length)
    if address < mm.limits.mmap_min_addr:
        raise Refusal("EINVAL", func, "below_min_addr", address=address, least=mm.limits.mmap_min_addr)


def uffd_register(mm: AddressSpace, address: int, length: int, mode: str = "missing") -> int:
    """Register `length` bytes from `address` for missing-page faults, for write-protect faults, or for both.

    Errors: EINVAL (unaligned, length 0, beyond TASK_SIZE, nothing mapped in the range), ENOMEM (the map count), EPERM
    (a mapping that can't be made writable), EBUSY (registered for write-protect faults, which is to end so).  Raises
    NotModelled for write-protect faults of memory that is not anonymous.  Source: userfaultfd_register().
    """
    func = "userfaultfd_register"
    if mode not in MODES:
        raise refuse("mode", mode, UFFD_MODES)
    wanted = MODES[mode]
    validate_range(mm, func, address, length)
    end = address + length
    first = mm.find_vma(address)
    # a process has a stack above its mappings, so that the kernel always finds a later VMA (else it says ENOMEM)
    if first is None or first.start >= end:
        raise Refusal("EINVAL", func, "gap", at=address)
    for vma in mm.intersecting(address, end):
        if not vma.flags & VM_MAYWRITE:
            raise Refusal("EPERM", func, "not_writable", at=vma.start)
        if mm.profile.uffd_keeps_wp and vma.flags & VM_UFFD_WP & ~wanted:
            raise Refusal("EBUSY", func, "drops_wp", vma=vma)
        if wanted & VM_UFFD_WP and not vma.is_anonymous:
            raise left_out("userfaultfd write-protect mode of shared memory and files")
    _set_modes(mm, address, end, wanted)
    return 0


def uffd_unregister(mm: AddressSpace, address: int, length: int) -> int:
    """End the registration of `length` bytes from `address`; what was not registered stays so.

    Errors: as `uffd_register`, but EPERM.  Source: userfaultfd_unregister().
    """
    func = "userfaultfd_unregister"
    validate_range(mm, func, address, length)
    if not mm.intersecting(address, address + length):
        raise Refusal("EINVAL", func, "gap", at=address)
    _set_modes(mm, address, address + length, 0)
    return 0


def _set_modes(mm: AddressSpace, position: int, end: int, modes: int) -> None:
    """Give VMA after VMA just the bits `modes` of VM_UFFD; gaps are passed over, and what has all of them already.

    Where registration ends, so does write-protection (userfaultfd_clear_vma()).
    """
    while position < end and (found := mm.find_vma(position)) is not None and found.start < end:
        start, stop = max(found.start, position), min(found.end, end)
        has_all = modes and found.flags & modes == modes
        if not has_all and found.flags & VM_UFFD != modes:
            if not modes and found.flags & VM_UFFD_WP:
                protect_pages(mm, start, stop, False)
            pgoff = found.pgoff if mm.profile.uffd_compares_first_pgoff else None
            vma_modify(mm, found, start, stop, (found.flags & ~VM_UFFD) | modes, pgoff=pgoff)
        position = stop


def uffd_writeprotect(mm: AddressSpace, address: int, length: int, protect: bool) -> int:
    """Write-protect the present pages of `length` bytes from `address`, or let them be written again.

    Errors: EINVAL (unaligned, length 0, beyond TASK_SIZE), ENOENT (nothing mapped, or not registered for
    write-protect faults; what lies before that is done, since 6.3 also in several VMAs).  O(VMAs + runs).
    Source: mwriteprotect_range(), uffd_wp_range().
    """
    func = "mwriteprotect_range"
    validate_range(mm, func, address, length)
    end = address + length
    vmas = mm.intersecting(address, end)
    if not mm.profile.uffd_protects_many and not (vmas and vmas[0].start <= address and end <= vmas[0].end):
        raise Refusal("ENOENT", func, "not_one_vma", start=address, end=end)
    if not vmas:
        raise Refusal("ENOENT", func, "gap", at=address)
    for vma in vmas:
        if not vma.flags & VM_UFFD_WP:
            raise Refusal("ENOENT", func, "not_registered", vma=vma)
        protect_pages(mm, max(address, vma.start), min(end, vma.end), protect)
    return 0


def uffd_fill(mm: AddressSpace, address: int, length: int, value: int | None) -> int:
    """UFFDIO_COPY: fill pages from `address` with `value`, `value` + 1, …; `value` None: UFFDIO_ZEROPAGE.

    Errors: EINVAL (unaligned, length 0, beyond TASK_SIZE), ENOENT (not wholly in one VMA that is registered), EEXIST
    (the first page is there), EFAULT or ENOMEM (it lies past the end of the file; /dev/zero has none), EAGAIN (a later
    one, and those before it are filled).
    Source: mfill_atomic(), mm/userfaultfd.c.
    """
    func = "mfill_atomic"
    validate_range(mm, func, address, length)
    vma = mm.vma_lookup(address)
    private = vma is not None and not vma.flags & VM_SHARED
    if vma is not None and private and mm.profile.uffd_prepares_anon_vma_first:
        vma = anon_vma_prepare(mm, vma)
    if vma is None or address + length > vma.end:
        raise Refusal("ENOENT", func, "not_one_vma", start=address, end=address + length)
    if not vma.flags & VM_UFFD:
        raise Refusal("ENOENT", func, "not_registered", vma=vma)
    if private:
        vma = anon_vma_prepare(mm, vma)
    first, last = address >> PAGE_SHIFT, (address + length) >> PAGE_SHIFT
    stop, refused = _fillable(mm, vma, first, last, zero=value is None)
    if first < stop:
        install(mm, vma, first, stop, value)
    if refused is not None:
        step = refused.step
        raise Refusal(refused.errno if stop == first else "EAGAIN", step.func, step.key, **step.values)
    return 0


def _fillable(mm: AddressSpace, vma: VMA, first: int, last: int, *, zero: bool) -> tuple[int, Refusal | None]:
    """The page at which filling pages [first, last) ends, and what ends it."""
    func, stop, refused = "mfill_atomic", last, None
    measured = vma.file is not None and (not vma.is_anonymous or zero or mm.profile.uffd_asks_size_of_dev_zero)
    if measured and (beyond := first + pages_of_file(vma, first)) < stop:
        stop = max(first, beyond)
        errno = "ENOMEM" if vma.flags & VM_SHARED and mm.profile.uffd_past_shared_end_is_enomem else "EFAULT"
        refused = Refusal(errno, func, "past_file_end", at=stop << PAGE_SHIFT, vma=vma)
    # in shared memory zeros come as a page of the file, just as a copy does
    fills_guards = mm.profile.uffd_copy_replaces_guards and (not zero or bool(vma.flags & VM_SHARED))
    there = [run.start for run in mm.pagetable.within(first, stop) if not fills_guards or run.kind != "guard"]
    if vma.flags & VM_SHARED:
        there += in_page_cache(vma, first, stop)
    if there:
        stop = min(there)
        refused = Refusal("EEXIST", func, "already_there", at=stop << PAGE_SHIFT, vma=vma)
    return stop, refused
