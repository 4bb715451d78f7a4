"""UFFDIO_REGISTER in mode MISSING, by a userfaultfd without events, and what its handler does (fs/userfaultfd.c)."""

from __future__ import annotations

from vmalab.linux.addr import PAGE_SHIFT, TASK_SIZE, is_aligned
from vmalab.linux.flags import VM_MAYWRITE, VM_SHARED, VM_UFFD_MISSING
from vmalab.linux.mm.fault import anon_vma_prepare, in_page_cache, install, pages_of_file
from vmalab.linux.mm.merge import vma_modify
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.mm.vma import VMA


def _validate_range(mm: AddressSpace, func: str, address: int, length: int) -> None:
    """EINVAL for a range that is not of whole pages, empty, or not of a process (validate_range())."""
    if not is_aligned(address) or not is_aligned(length):
        raise Refusal("EINVAL", func, "unaligned", what="addr", address=address)
    if not length or address >= TASK_SIZE or length > TASK_SIZE - address:
        raise Refusal("EINVAL", func, "beyond_task_size", start=address, length=length)
    if address < mm.limits.mmap_min_addr:
        raise Refusal("EINVAL", func, "below_min_addr", address=address, least=mm.limits.mmap_min_addr)


def uffd_register(mm: AddressSpace, address: int, length: int) -> int:
    """Register `length` bytes from `address` for missing-page faults.

    Errors: EINVAL (unaligned, length 0, beyond TASK_SIZE, nothing mapped in the range), ENOMEM (the map count), EPERM
    (a mapping that can't be made writable).  Source: userfaultfd_register().
    """
    func = "userfaultfd_register"
    _validate_range(mm, func, address, length)
    end = address + length
    first = mm.find_vma(address)
    # a process has a stack above its mappings, so that the kernel always finds a later VMA (else it says ENOMEM)
    if first is None or first.start >= end:
        raise Refusal("EINVAL", func, "gap", at=address)
    for vma in mm.intersecting(address, end):
        if not vma.flags & VM_MAYWRITE:
            raise Refusal("EPERM", func, "not_writable", at=vma.start)
    _set_missing(mm, address, end, VM_UFFD_MISSING)
    return 0


def uffd_unregister(mm: AddressSpace, address: int, length: int) -> int:
    """End the registration of `length` bytes from `address`; what was not registered stays so.

    Errors: as `uffd_register`, but EPERM.  Source: userfaultfd_unregister().
    """
    func = "userfaultfd_unregister"
    _validate_range(mm, func, address, length)
    if not mm.intersecting(address, address + length):
        raise Refusal("EINVAL", func, "gap", at=address)
    _set_missing(mm, address, address + length, 0)
    return 0


def _set_missing(mm: AddressSpace, position: int, end: int, missing: int) -> None:
    """Give VMA after VMA the bit VM_UFFD_MISSING or take it away; gaps are passed over."""
    while position < end and (found := mm.find_vma(position)) is not None and found.start < end:
        start, stop = max(found.start, position), min(found.end, end)
        if found.flags & VM_UFFD_MISSING != missing:
            vma_modify(mm, found, start, stop, found.flags ^ VM_UFFD_MISSING)
        position = stop


def uffd_fill(mm: AddressSpace, address: int, length: int, value: int | None) -> int:
    """UFFDIO_COPY: fill pages from `address` with `value`, `value` + 1, …; `value` None: UFFDIO_ZEROPAGE.

    Errors: EINVAL (unaligned, length 0, beyond TASK_SIZE), ENOENT (not wholly in one VMA that is registered), EEXIST
    (the first page is there), EFAULT or ENOMEM (it lies past the end of the file; /dev/zero has none), EAGAIN (a later
    one, and those before it are filled).
    Source: mfill_atomic(), mm/userfaultfd.c.
    """
    func = "mfill_atomic"
    _validate_range(mm, func, address, length)
    vma = mm.vma_lookup(address)
    private = vma is not None and not vma.flags & VM_SHARED
    if vma is not None and private and mm.profile.uffd_prepares_anon_vma_first:
        vma = anon_vma_prepare(mm, vma)
    if vma is None or address + length > vma.end:
        raise Refusal("ENOENT", func, "not_one_vma", start=address, end=address + length)
    if not vma.flags & VM_UFFD_MISSING:
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
