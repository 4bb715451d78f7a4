"""Stack growth: what an access below a VM_GROWSDOWN mapping does (expand_downwards(), mm/vma.c)."""

from __future__ import annotations

from attrs import evolve

from vmalab.linux.addr import PAGE, PAGE_SHIFT
from vmalab.linux.flags import VM_ACCESS, VM_GROWSDOWN, VM_LOCKED
from vmalab.linux.mm.fault import anon_vma_prepare
from vmalab.linux.mm.space import STACK_GUARD_GAP, AddressSpace
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.mm.vma import VMA


def lock_mm_and_find_vma(mm: AddressSpace, address: int) -> VMA:
    """The VMA for an access to byte `address`: the one that holds it, or a stack above that grows down to it.

    Errors: SEGV (nothing there, and nothing above that may grow so far).  Source: lock_mm_and_find_vma() in
    mm/mmap_lock.c, in older releases mm/memory.c.
    """
    vma = mm.find_vma(address)
    if vma is not None and vma.start <= address:
        return vma
    if vma is None or not vma.flags & VM_GROWSDOWN:
        raise Refusal("SEGV", "lock_mm_and_find_vma", "not_mapped", at=address)
    mm.note("lock_mm_and_find_vma", "below_stack", vma=vma, at=address)
    return expand_downwards(mm, vma, address & -PAGE)


def expand_downwards(mm: AddressSpace, vma: VMA, address: int) -> VMA:
    """Let the stack `vma` start at `address`, below its start, and return it as it is then.

    It never merges with what lies under it.  It has an anon_vma afterwards, even where the growth was refused for its
    size.  Errors: SEGV (below mmap_min_addr, in the guard gap of a neighbour that may be accessed, `acct_stack_growth`,
    no memory).  O(log n).
    """
    func = "expand_downwards"
    if address < mm.limits.mmap_min_addr:
        raise Refusal("SEGV", func, "below_min_addr", address=address, least=mm.limits.mmap_min_addr)
    prev = mm.vma_prev(vma)
    near = prev is not None and address - prev.end < STACK_GUARD_GAP
    if prev is not None and near and prev.flags & VM_ACCESS and not prev.flags & VM_GROWSDOWN:
        raise Refusal("SEGV", func, "guard_gap", at=address, vma=vma, neighbour=prev, gap=STACK_GUARD_GAP)
    try:
        vma = anon_vma_prepare(mm, vma)
        grow = (vma.start - address) >> PAGE_SHIFT
        if grow > vma.pgoff:
            raise Refusal("SEGV", func, "stack_pgoff", at=address, vma=vma, pages=grow, pgoff=vma.pgoff)
        _acct_stack_growth(mm, vma, address, grow)
    except Refusal as refused:  # whatever it was: the access ends with a signal
        raise Refusal("SEGV", refused.step.func, refused.step.key, **refused.step.values) from None
    if vma.flags & VM_LOCKED:
        mm.locked_vm += grow
    mm.vm_stat_account(vma.flags, grow)
    grown = evolve(vma, start=address, pgoff=vma.pgoff - grow)
    mm.replace(func, "stack_grown", (vma,), (grown,), vma=grown, was=vma, pages=grow)
    return grown


def _acct_stack_growth(mm: AddressSpace, vma: VMA, address: int, grow: int) -> None:
    """Whether limits and memory allow `vma` to start at `address`, `grow` pages lower (acct_stack_growth())."""
    func, limits, size = "acct_stack_growth", mm.limits, (vma.end - address) >> PAGE_SHIFT
    if not mm.may_expand_vm(vma.flags, grow):
        raise Refusal("SEGV", func, "rlimit_as", pages=grow, total=mm.total_vm, limit=limits.address_space)
    if size > limits.stack:
        raise Refusal("SEGV", func, "rlimit_stack", at=address, vma=vma, pages=size, limit=limits.stack)
    if vma.flags & VM_LOCKED and not mm.privileged and mm.locked_vm + grow > limits.memlock:
        raise Refusal("SEGV", func, "rlimit_memlock", pages=grow, total=mm.locked_vm, limit=limits.memlock)
    mm.charge(func, grow)
    mm.note(func, "stack_may_grow", vma=vma, pages=grow, size=size, limit=limits.stack)
