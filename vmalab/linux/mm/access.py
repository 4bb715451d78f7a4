"""The two accesses of a scenario, `touch` and `read`: stores and loads of a user program, a page at a time.

The access itself decides how it ends (do_user_addr_fault() in arch/x86/mm/fault.c, handle_mm_fault() in mm/memory.c);
what a fault brings in is in `fault.py`, what lets a stack grow in `expand.py`.
"""

from __future__ import annotations

from vmalab.errors import UsageError
from vmalab.linux.addr import PAGE, PAGE_SHIFT, page_align
from vmalab.linux.flags import VM_READ, VM_SHARED, VM_UFFD_MISSING, VM_WRITE
from vmalab.linux.mm.expand import lock_mm_and_find_vma
from vmalab.linux.mm.fault import anon_vma_prepare, first_missing, pages_of_file, read_fault, write_fault
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.mm.vma import VMA
from vmalab.linux.mm.writeprotect import first_protected

MOST_READ = 1 << 16
"""Pages of one read."""


def touch(mm: AddressSpace, address: int, length: int, value: int) -> int:
    """The `touch` of a scenario: write `value * 1000 + p` to page p of [address, address + length), in order.

    Ends at the first page that can't be written: SEGV (nothing mapped, not writable, a guard), UFFD (registered with
    userfaultfd and not present: the program would wait for a handler), BUS (past the end of the file).  The pages
    before it are written.  O(VMAs log n + runs), not O(pages).
    """
    first, last = address >> PAGE_SHIFT, (address + page_align(length)) >> PAGE_SHIFT
    page = first
    while page < last:
        vma = lock_mm_and_find_vma(mm, page << PAGE_SHIFT)
        if not vma.flags & VM_WRITE:
            raise Refusal("SEGV", "access_error", "not_writable", vma=vma, at=page << PAGE_SHIFT)
        end = min(last, vma.end >> PAGE_SHIFT)
        stop, refused = _writable(mm, vma, page, end)
        if page < stop:
            vma = write_fault(mm, vma, page, stop, value * 1000 + page - first)
        if refused is not None:
            if refused.errno != "SEGV" and refused.step.key != "uffd_wp_hit" and not vma.flags & VM_SHARED:
                anon_vma_prepare(mm, vma)  # before the fault asks userfaultfd or the file
            raise refused
        page = end
    return 0


def _writable(mm: AddressSpace, vma: VMA, start: int, end: int) -> tuple[int, Refusal | None]:
    """The page at which writing to pages [start, end) of `vma` ends, and what ends it."""
    stop, refused = end, None
    if vma.file is not None and not vma.is_anonymous and (beyond := start + pages_of_file(vma, start)) < stop:
        stop = max(start, beyond)
        refused = Refusal("BUS", "shmem_fault", "past_file_end", at=stop << PAGE_SHIFT, vma=vma)
    # a marker is met before the file is asked, behind its end too
    guard = next((run.start for run in mm.pagetable.within(start, min(stop + 1, end)) if run.kind == "guard"), None)
    if guard is not None:
        stop, refused = guard, Refusal("SEGV", "handle_pte_marker", "guard_hit", at=guard << PAGE_SHIFT)
    if vma.flags & VM_UFFD_MISSING and (missing := first_missing(mm, vma, start, stop)) is not None:
        stop, refused = missing, Refusal("UFFD", "handle_userfault", "uffd_hit", at=missing << PAGE_SHIFT)
    if (protected := first_protected(mm, vma, start, stop)) is not None:
        stop, refused = protected, Refusal("UFFD", "handle_userfault", "uffd_wp_hit", at=protected << PAGE_SHIFT)
    return stop, refused


def read(mm: AddressSpace, address: int, length: int) -> tuple[list[int | None], str | None]:
    """The `read` of a scenario: the first 64 bits of each page, None where it can't be read, and the first fault.

    It goes on behind a page that can't be read; the step of the first such page tells why.  O(pages).
    Raises UsageError for more than `MOST_READ` pages.
    """
    if page_align(length) > MOST_READ * PAGE:
        raise UsageError(f"a read answers with a value for each page, of at most {MOST_READ:,} pages; "
                         f"this one is of {page_align(length) // PAGE:,}")  # fmt: skip
    values: list[int | None] = []
    problem = None
    for page in range(address >> PAGE_SHIFT, (address + page_align(length)) >> PAGE_SHIFT):
        try:
            _read_page(mm, page)
        except Refusal as refused:
            values.append(None)
            if problem is None:
                problem = refused.errno
                if mm.trace:
                    mm.steps.append(refused.step)
        else:
            values += [run.at(page) for run in mm.resolved(page, page + 1)]
    return values, problem


def _read_page(mm: AddressSpace, page: int) -> None:
    """Fault page number `page` in."""
    at = page << PAGE_SHIFT
    vma = lock_mm_and_find_vma(mm, at)
    # on x86 what may be written can be read
    if not vma.flags & (VM_READ | VM_WRITE):
        raise Refusal("SEGV", "access_error", "not_readable", vma=vma, at=at)
    present = mm.pagetable.at(page)
    if present is None:
        read_fault(mm, vma, page)
    elif present.kind == "guard":
        raise Refusal("SEGV", "handle_pte_marker", "guard_hit", at=at)
