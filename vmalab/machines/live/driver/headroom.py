"""How many VMAs below its limit a process may still call mremap: found out by filling a process with VMAs.

vm.max_map_count is not written: this process, which is thrown away, gets as many VMAs as it may have.  What the answers
mean is known to `vmalab/system/doctor/behaviours.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import kernel
from .kernel import PAGE, call
from .proc import Proc, TooMuch
from .program import BASE

MOST = 1 << 17
"""VMAs that are made at most: they cost the kernel some 300 bytes each."""

SLACK = 16
"""VMAs that are made one by one."""

FLAGS = kernel.MAP_PRIVATE | kernel.MAP_ANONYMOUS | kernel.MAP_NORESERVE | kernel.MAP_FIXED
MOVED, SINGLES = BASE - (1 << 30), BASE - (1 << 29)
"""Where the page lies that is moved, and where VMAs of one page that are counted out."""


def run(limit: int, send: Callable[[dict[str, Any]], None]) -> None:
    """Fill up to 3 and to 4 VMAs below `limit`; tell the errno of a mremap that does nothing and of a DONTUNMAP there.

    Raises TooMuch where that can't be.  O(limit), well under a second.
    """
    if limit > MOST:
        raise TooMuch(f"vm.max_map_count is {limit}: so many VMAs are not made to see what happens there")
    _map(MOVED, 1)
    proc = Proc()
    _fill(proc, limit - 3)
    nothing = call(kernel.SYS_MREMAP, MOVED, PAGE, PAGE, 0, 0)[1]
    call(kernel.SYS_MUNMAP, SINGLES, PAGE)
    flags = kernel.MREMAP["maymove"] | kernel.MREMAP["dontunmap"]
    dontunmap = call(kernel.SYS_MREMAP, MOVED, PAGE, PAGE, flags, 0)[1]
    send({"moment": "headroom", "numbers": {"nothing": nothing, "dontunmap": dontunmap}, "vmas": []})


def _map(address: int, pages: int) -> None:
    _, refused = call(kernel.SYS_MMAP, address, pages * PAGE, 0, FLAGS, kernel.WORD, 0)
    if refused:
        raise TooMuch(f"this system refuses mmap while there is room ({refused})")


def _fill(proc: Proc, count: int) -> None:
    """Make VMAs until there are `count`: most by cutting one, the last ones as single pages.

    This interpreter maps memory for itself as it goes on, so the count is looked at after each.
    """
    pairs = (count - proc.count() - SLACK) // 2
    if pairs > 0:
        _map(BASE, 2 * pairs + 1)
        for number in range(pairs):
            call(kernel.SYS_MPROTECT, BASE + (2 * number + 1) * PAGE, PAGE, kernel.PROT["r"])
    singles = 0
    for _ in range(10 * SLACK):
        missing = count - proc.count()
        if missing == 0 and singles:
            return
        if missing > 0:
            _map(SINGLES + 2 * singles * PAGE, 1)
            singles += 1
        elif singles > 1:  # the first one is taken away later
            singles -= 1
            call(kernel.SYS_MUNMAP, SINGLES + 2 * singles * PAGE, PAGE)
    raise TooMuch("this process could not be filled with VMAs to a number")
