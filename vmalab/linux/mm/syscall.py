"""The door to the model: run one call record on an address space and get result, errno and steps.

`perform` is the only function that catches a `Refusal`; everything behind it may end a call at any point and leave
what it changed, as in the kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from vmalab.errors import NotModelled
from vmalab.linux.addr import WORD
from vmalab.linux.call import (
    RESOURCES,
    AddSeals,
    Brk,
    Call,
    Fork,
    ForkChild,
    Ftruncate,
    Limit,
    Madvise,
    Mlock,
    Mlock2,
    Mlockall,
    Mmap,
    Mprotect,
    Mremap,
    Mseal,
    Munlock,
    Munlockall,
    Munmap,
    PrctlSetVma,
    Read,
    Touch,
    Uffd,
    UffdCopy,
    UffdUnregister,
    UffdWriteprotect,
    UffdZeropage,
)
from vmalab.linux.collector import CollectorWaits
from vmalab.linux.mm.access import read, touch
from vmalab.linux.mm.anon_name import prctl_set_vma
from vmalab.linux.mm.brk import brk
from vmalab.linux.mm.fork import fork
from vmalab.linux.mm.madvise import madvise
from vmalab.linux.mm.mlock import mlock, mlockall, mseal, munlock, munlockall
from vmalab.linux.mm.mmap import mmap
from vmalab.linux.mm.mprotect import mprotect
from vmalab.linux.mm.mremap import mremap
from vmalab.linux.mm.munmap import munmap
from vmalab.linux.mm.seals import add_seals, stay_mapped
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal, Step
from vmalab.linux.mm.truncate import ftruncate
from vmalab.linux.mm.userfaultfd import uffd_fill, uffd_register, uffd_unregister, uffd_writeprotect
from vmalab.linux.scope import refuse


@frozen
class Result:
    """What a call gave: `value` (0 or a byte address, None on failure), `errno`, `values` of a read, `steps`, and the
    address space that goes on (another one only after fork_child)."""

    value: int | None
    errno: str | None
    steps: list[Step]
    mm: AddressSpace
    values: tuple[int | None, ...] | None = None


def _limit(mm: AddressSpace, call: Limit) -> int:
    """Set a limit to what is in use plus the headroom."""
    if call.resource == "as":
        mm.limits.address_space = mm.total_vm + call.headroom
    elif call.resource == "memlock":
        mm.limits.memlock = mm.locked_vm + call.headroom
    elif call.resource == "data":
        mm.limits.data = mm.data_vm + call.headroom
    elif call.resource == "map_count":
        mm.limits.map_count = mm.map_count + call.headroom
    else:
        raise refuse("resource", call.resource, RESOURCES)
    mm.note("limit", "limit_set", resource=call.resource, headroom=call.headroom)
    return 0


def _at(mm: AddressSpace, address: int) -> int:
    """An address that may have a tag, where the architecture has them: of memory that is mapped already."""
    return mm.arch.untagged(_word(address))


def _word(number: int) -> int:
    """An argument as the kernel gets it: an unsigned long."""
    return number & WORD


_CALLS: dict[type[Call], Callable[[AddressSpace, Any], int]] = {
    Mmap: mmap,
    Brk: lambda mm, call: brk(mm, _word(call.addr)),
    Munmap: lambda mm, call: munmap(mm, _at(mm, call.addr), _word(call.length)),
    Mprotect: lambda mm, call: mprotect(mm, _at(mm, call.addr), _word(call.length), call.prot),
    Madvise: lambda mm, call: madvise(mm, _at(mm, call.addr), _word(call.length), call.advice),
    Mlock: lambda mm, call: mlock(mm, _at(mm, call.addr), _word(call.length)),
    Mlock2: lambda mm, call: mlock(mm, _at(mm, call.addr), _word(call.length), onfault=call.onfault),
    Munlock: lambda mm, call: munlock(mm, _at(mm, call.addr), _word(call.length)),
    Mlockall: lambda mm, call: mlockall(mm, call.flags),
    Munlockall: lambda mm, call: munlockall(mm),
    Mseal: lambda mm, call: mseal(mm, _at(mm, call.addr), _word(call.length)),
    Mremap: lambda mm, call: mremap(mm, _at(mm, call.addr), _word(call.old_len), _word(call.new_len), call.flags,
                                    _word(call.new_addr)),
    Uffd: lambda mm, call: uffd_register(mm, _word(call.addr), _word(call.length), call.mode),
    UffdUnregister: lambda mm, call: uffd_unregister(mm, _word(call.addr), _word(call.length)),
    UffdZeropage: lambda mm, call: uffd_fill(mm, _word(call.addr), _word(call.length), None),
    UffdWriteprotect: lambda mm, call: uffd_writeprotect(mm, _word(call.addr), _word(call.length), call.protect),
    Ftruncate: lambda mm, call: ftruncate(mm, call.file, call.length),
    AddSeals: lambda mm, call: add_seals(mm, call.file, call.seals),
    PrctlSetVma: lambda mm, call: prctl_set_vma(mm, _word(call.addr), _word(call.length), call.label),
    Limit: _limit,
}  # fmt: skip


def perform(mm: AddressSpace, call: Call, number: int = 1) -> Result:
    """Run `call` on `mm`.  `number`: the step's number in its program, the default value of a touch.

    Raises NotModelled for a call that the model does not know; a call that fails is a result with an errno.
    """
    with CollectorWaits():
        return _perform(mm, call, number)


def _perform(mm: AddressSpace, call: Call, number: int) -> Result:
    steps: list[Step] = []
    mm.steps = steps
    values: tuple[int | None, ...] | None = None
    try:
        if isinstance(call, Touch):
            value = touch(mm, mm.arch.untagged(call.addr), call.length, number if call.value is None else call.value)
        elif isinstance(call, UffdCopy):
            word = number if call.value is None else call.value
            value = uffd_fill(mm, _word(call.addr), _word(call.length), word * 1000)
        elif isinstance(call, Read):
            seen, errno = read(mm, mm.arch.untagged(call.addr), call.length)
            return Result(None if errno else 0, errno, steps, mm, tuple(seen))
        elif isinstance(call, (Fork, ForkChild)):
            child = fork(mm)
            stay_mapped(mm, all_of_them=isinstance(call, ForkChild))
            if isinstance(call, ForkChild):
                return Result(0, None, child.steps, child)
            mm.note("dup_mmap", "fork_parent", count=len(child))
            value = 0
        else:
            run = _CALLS.get(type(call))
            if run is None:
                raise NotModelled(f"the model does not know the call {call.name!r}")
            value = run(mm, call)
    except Refusal as refusal:
        if mm.trace:
            steps.append(refusal.step)
        return Result(None, refusal.errno, steps, mm, values)
    return Result(value, None, steps, mm, values)
