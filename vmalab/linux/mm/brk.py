"""brk(2): the heap, anonymous memory whose end the program moves (mm/mmap.c, and do_brk_flags() in mm/vma.c)."""

from __future__ import annotations

from vmalab.linux.addr import PAGE, PAGE_SHIFT, WORD, page_align
from vmalab.linux.flags import VM_ACCOUNT, VM_LOCKED, VM_MAYEXEC, VM_MAYREAD, VM_MAYWRITE, VM_READ, VM_WRITE
from vmalab.linux.mm.fault import populate
from vmalab.linux.mm.merge import MergeRequest, vma_merge_new_range
from vmalab.linux.mm.mlock import mlock_future_ok
from vmalab.linux.mm.mmap import fixed_area, start_gap
from vmalab.linux.mm.munmap import unmap
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.mm.vma import VMA

HEAP_FLAGS = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_ACCOUNT


def brk(mm: AddressSpace, address: int) -> int:
    """Move the program break to byte `address`; whole pages are mapped or unmapped.

    Errors: ENOMEM for whatever is in the way (below the start of the heap, RLIMIT_DATA, RLIMIT_AS, RLIMIT_MEMLOCK, a
    mapping within a page of the new end, the map count, a sealed VMA): the system call itself only returns the break
    that there is, and the C library makes this errno of it.
    """
    try:
        _brk(mm, address)
    except Refusal as refused:
        raise Refusal("ENOMEM", refused.step.func, refused.step.key, **refused.step.values) from None
    return 0


def _brk(mm: AddressSpace, address: int) -> None:
    func = "brk"
    if address < mm.start_brk:
        raise Refusal("ENOMEM", func, "below_heap", address=address, start=mm.start_brk)
    if address - mm.start_brk > mm.limits.data << PAGE_SHIFT:
        raise Refusal("ENOMEM", func, "heap_rlimit_data", length=address - mm.start_brk, limit=mm.limits.data)
    new, old = page_align(address), page_align(mm.brk)
    if new == old:
        mm.note(func, "same_pages", start=mm.brk, target=address)
    elif address < mm.brk:
        _shrink(mm, new, old)
    else:
        _grow(mm, old, new)
    mm.brk = address


def _shrink(mm: AddressSpace, new: int, old: int) -> None:
    there = mm.find_vma(new)
    if there is None or there.start >= old:
        raise Refusal("ENOMEM", "brk", "heap_not_mapped", start=new, end=old)
    unmap(mm, new, old, why="unmap")


def _grow(mm: AddressSpace, old: int, new: int) -> None:
    func, length = "brk", (new - old) & WORD
    fixed_area(mm, old, length, func)
    mlock_future_ok(mm, mm.def_flags, length >> PAGE_SHIFT, func)
    after = mm.find_vma(old)
    if after is not None and new + PAGE > start_gap(after):
        raise Refusal("ENOMEM", func, "heap_in_the_way", vma=after, start=old, end=new)
    heap = mm.find_vma_prev(old)
    _do_brk_flags(mm, heap if heap is not None and heap.end > mm.start_brk else None, old, new)
    if mm.def_flags & VM_LOCKED:
        populate(mm, old, new, whatever=True)


def _do_brk_flags(mm: AddressSpace, heap: VMA | None, start: int, end: int) -> None:
    """Map bytes [start, end), in the VMA `heap` if it ends there and is like it, else in one of their own."""
    func, pages, flags = "do_brk_flags", (end - start) >> PAGE_SHIFT, HEAP_FLAGS | mm.def_flags
    if not mm.may_expand_vm(flags, pages):
        raise Refusal("ENOMEM", func, "rlimit_as", pages=pages, total=mm.total_vm, limit=mm.limits.address_space)
    if mm.map_count > mm.limits.map_count:
        raise Refusal("ENOMEM", func, "map_count_mmap", count=mm.map_count, limit=mm.limits.map_count)
    mm.charge(func, pages)
    request = MergeRequest(mm, start, end, start >> PAGE_SHIFT, flags, prev=heap, fresh=True)
    if vma_merge_new_range(request) is None:
        vma = VMA(start, end, start >> PAGE_SHIFT, flags, id=mm.new_id())
        mm.replace(func, "new_vma", (), (vma,), vma=vma)
    mm.vm_stat_account(flags, pages)
    if flags & VM_LOCKED:
        mm.locked_vm += pages
