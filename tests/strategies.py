"""Hypothesis strategies that several tests share: releases, page numbers, calls."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.tiny_language import RELEASES, at, size
from vmalab.linux.addr import HEAP
from vmalab.linux.call import (
    ADVICES,
    KINDS,
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

releases = st.sampled_from([*RELEASES, "6.13", "6.15", "v3"])
prots = st.sampled_from([3, 3, 3, 1, 0, 5])

PLACES = st.one_of(st.integers(0, 24), st.sampled_from([64, 66, 68, 70, 72]))
"""Page numbers close enough together that VMAs meet."""


def calls(draw: st.DrawFn, edges: list[int]) -> Call:
    """Any call, with addresses at or beside one of `edges` (page numbers) half of the time."""

    def place() -> int:
        if edges and draw(st.booleans()):
            return max(0, draw(st.sampled_from(edges)) + draw(st.sampled_from([0, 0, 0, 1, -1, -2])))
        return draw(PLACES)

    def span() -> tuple[int, int]:
        start, other = place(), place()
        length = other - start if start < other and draw(st.booleans()) else draw(st.integers(1, 6))
        return at(start), size(length)

    def flags() -> int:
        return draw(st.sampled_from([3, 3, 3, 7, 5, 1, 0]))

    name = draw(st.sampled_from(WEIGHTED))
    start, length = span()
    if name == "mmap":
        kind = draw(st.sampled_from(["anon", "anon", "anon", *KINDS]))
        pgoff = draw(st.sampled_from([0, 0, (start - at(0)) // size(1) % 4000, 4094]))
        return Mmap(start, length, draw(prots), kind, draw(st.sampled_from(["f0", "f1"])), pgoff,
                    noreserve=draw(st.integers(0, 9)) == 0, growsdown=kind == "anon" and draw(st.integers(0, 9)) == 0,
                    noreplace=draw(st.integers(0, 9)) == 0, populate=draw(st.integers(0, 9)) == 0,
                    locked=draw(st.integers(0, 9)) == 0)  # fmt: skip
    if name == "mremap":
        return Mremap(start, length, length, flags(), at(place()))
    if name == "resize":
        new = size(draw(st.integers(1, 8)))
        old = draw(st.sampled_from([length, length, length, 0]))
        return Mremap(start, old, new, flags(), at(place()))
    if name == "mprotect":
        return Mprotect(start, length, draw(prots))
    if name == "madvise":
        return Madvise(start, length, draw(st.sampled_from(ADVICES)))
    if name == "limit":
        return Limit(draw(st.sampled_from(RESOURCES)), draw(st.integers(0, 12)))
    if name == "brk":
        return Brk(HEAP + size(draw(st.integers(-1, 9))) - draw(st.sampled_from([0, 0, 100])))
    if name == "ftruncate":
        return Ftruncate(draw(st.sampled_from(["f0", "f1"])), size(draw(st.sampled_from([0, 1, 2, 4, 4096]))))
    if name == "add_seals":
        return AddSeals(draw(st.sampled_from(["f0", "f1"])), draw(st.sampled_from([1, 2, 4, 8, 16, 24, 6])))
    if name == "uffd":
        return Uffd(start, length, draw(st.sampled_from(["missing", "missing", "wp", "missing wp"])))
    if name == "uffd_writeprotect":
        return UffdWriteprotect(start, length, draw(st.booleans()))
    if name == "prctl_set_vma":
        return PrctlSetVma(start, length, draw(st.sampled_from(["heap", "", None])))
    if name == "lockall":
        return draw(st.one_of(st.builds(Mlockall, st.integers(0, 8)), st.builds(Munlockall)))
    if name == "mlock2":
        return Mlock2(start, length, draw(st.booleans()))
    return PLAIN[name](start, length) if name in PLAIN else draw(st.sampled_from([Fork(), ForkChild()]))


PLAIN = {
    "munmap": Munmap, "mlock": Mlock, "munlock": Munlock, "mseal": Mseal, "touch": Touch, "read": Read,
    "uffd_copy": UffdCopy, "uffd_zeropage": UffdZeropage, "uffd_unregister": UffdUnregister,
}  # fmt: skip
WEIGHTED = [
    *["mmap"] * 5, *["mremap"] * 6, *["touch"] * 4, *["resize"] * 3, *["mprotect"] * 2, *["madvise"] * 2,
    "read", "munmap", "mlock", "munlock", "mseal", "uffd", "fork", "limit", "brk", "lockall", "mlock2",
    "uffd", "uffd_copy", "uffd_zeropage", "uffd_unregister", "ftruncate",
    "uffd_writeprotect", "add_seals", "prctl_set_vma",
]  # fmt: skip
