"""What a call is about, as far as its arguments and the VMAs before it tell: the range, and a fixed move of it."""

from __future__ import annotations

from itertools import pairwise

from attrs import frozen

from vmalab.linux.addr import page_align
from vmalab.linux.call import Call, Madvise, Mlock, Mprotect, Mremap, Munlock, Munmap
from vmalab.linux.flags import MREMAP_DONTUNMAP, MREMAP_FIXED
from vmalab.teach.misconceptions.case import Case
from vmalab.teach.misconceptions.layouts import Rows, clip


def worked_on(call: Call) -> tuple[int, int] | None:
    """The bytes [start, end) that a call works on."""
    if isinstance(call, Mremap):
        return call.addr, call.addr + page_align(call.old_len)
    if isinstance(call, Munmap | Mprotect | Madvise | Mlock | Munlock):
        return call.addr, call.addr + page_align(call.length)
    return None


@frozen
class Moving:
    """A fixed move of a range, as far as the arguments tell it: bytes; the rows and gaps of the source."""

    start: int
    end: int
    target: int
    pieces: Rows
    keeps_size: bool
    dontunmap: bool

    @property
    def distance(self) -> int:
        """Bytes from the source to the destination."""
        return self.target - self.start

    @property
    def gaps(self) -> list[tuple[int, int]]:
        """The holes between the pieces and behind the last one."""
        edges = [*((row.start, row.end) for row in self.pieces), (self.end, self.end)]
        return [(low[1], high[0]) for low, high in pairwise(edges) if low[1] < high[0]]


def moving(case: Case) -> Moving | None:
    """The fixed move of a mapped range that the call asks for; None where it is none."""
    call = case.call
    if not isinstance(call, Mremap) or not call.flags & MREMAP_FIXED or not call.old_len:
        return None
    end = call.addr + page_align(call.old_len)
    pieces = clip(case.before, call.addr, end)
    if not pieces:
        return None
    same = page_align(call.old_len) == page_align(call.new_len)
    return Moving(call.addr, end, call.new_addr, pieces, same, bool(call.flags & MREMAP_DONTUNMAP))


def moved_many(case: Case) -> Moving | None:
    """A move that was made and may span several VMAs: one that keeps the size.

    Of one that shrinks, what lies behind the new size does not move.
    """
    move = moving(case)
    return None if move is None or case.real.errno or not move.keeps_size else move
