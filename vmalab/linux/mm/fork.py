"""fork(2): what a child gets of its parent's address space (kernel/fork.c dup_mmap(), mm/rmap.c anon_vma_fork())."""

from __future__ import annotations

from attrs import evolve

from vmalab.linux.addr import PAGE_SHIFT
from vmalab.linux.flags import (
    VM_DONTCOPY,
    VM_LOCKED,
    VM_LOCKONFAULT,
    VM_MAYBE_GUARD,
    VM_UFFD,
    VM_WIPEONFORK,
)
from vmalab.linux.mm.huge import down, share, up
from vmalab.linux.mm.runs import Run
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Step
from vmalab.linux.mm.writeprotect import made_read_only


def fork(mm: AddressSpace) -> AddressSpace:
    """The child's address space; of the parent's, private pages are write-protected.  O(VMAs + runs).

    Each inherited VMA that was written to gets a new anon_vma behind its parent's chain; locks and userfaultfd
    registrations end; DONTFORK areas are left out and WIPEONFORK areas come empty.  Shared pages and the page cache
    are the same objects for both; page tables of file mappings without private pages are filled again by faults.
    """
    child = AddressSpace(mm.profile, privileged=mm.privileged, trace=False, arch=mm.arch)
    child.share_numbers(mm)
    child.faults_to_inject, child.faults_that_last = mm.faults_to_inject, mm.faults_that_last
    child.has_huge = mm.has_huge
    child.limits, child.files = evolve(mm.limits), mm.files
    child.mmap_base, child.start_brk, child.brk = mm.mmap_base, mm.start_brk, mm.brk
    left_out = ~(VM_LOCKED | VM_LOCKONFAULT | VM_UFFD)
    copies = []
    for vma in mm.vmas():
        if vma.flags & VM_DONTCOPY:
            continue
        wiped = bool(vma.flags & VM_WIPEONFORK)
        anon_vma, chain = None, vma.chain
        if wiped or vma.anon_vma is None:
            chain = ()
        else:
            anon_vma = child.new_anon_vma()
            chain = (*chain, anon_vma)
        copy = evolve(vma, flags=vma.flags & left_out, anon_vma=anon_vma, chain=chain)
        copies.append(copy)
        child.vm_stat_account(copy.flags, copy.pages)
        if not wiped and (vma.anon_vma is not None or vma.flags & VM_MAYBE_GUARD):
            first, last = vma.start >> PAGE_SHIFT, vma.end >> PAGE_SHIFT
            if mm.has_huge:
                share(mm, first, last)
            made_read_only(mm, first, last)
            for run in mm.pagetable.within(first, last):
                child.pagetable.put(run)
                if run.kind == "anon" and not run.huge:
                    mm.common.put(Run(run.start, run.end, "common"))
                    child.common.put(Run(run.start, run.end, "common"))
            for run in mm.empty_tables.within(first, last):
                child.empty_tables.put(Run(down(mm, run.start), up(mm, run.end), "table"))
    values = {"count": len(copies)}
    child.replace("dup_mmap", "forked", (), copies, **values)
    child.trace = mm.trace
    if child.trace:
        everything = (0, 1 << 52, tuple(child.resolved(0, 1 << 52)))
        child.steps.append(Step("dup_mmap", "forked", values, None, tuple(mm.vmas()), tuple(copies), (everything,)))
    return child
