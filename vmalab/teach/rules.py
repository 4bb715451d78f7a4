"""Rules as tables: which operations may span several VMAs, found by trying each; and in which rules releases differ."""

from __future__ import annotations

from vmalab.addr import PAGE, page
from vmalab.call import Mmap, Mremap
from vmalab.flags import MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE
from vmalab.profile import behaviours, profile
from vmalab.program import scenario_of
from vmalab.teach.table import Table
from vmalab.teach.tried import Tried

_FIXED = MREMAP_MAYMOVE | MREMAP_FIXED
_KEEP = MREMAP_DONTUNMAP
_TWO = (Mmap(page(0), 2 * PAGE), Mmap(page(3), 2 * PAGE, 1))  # [rw] gap [r]
OPERATIONS = (
    ("same size, no FIXED (nothing to do)", Mremap(page(0), 5 * PAGE, 5 * PAGE, MREMAP_MAYMOVE)),
    ("shrink in place", Mremap(page(0), 5 * PAGE, PAGE)),
    ("grow", Mremap(page(0), 5 * PAGE, 6 * PAGE, MREMAP_MAYMOVE)),
    ("FIXED, grow", Mremap(page(0), 5 * PAGE, 6 * PAGE, _FIXED, page(64))),
    ("FIXED, shrink to more than the first VMA", Mremap(page(0), 5 * PAGE, 4 * PAGE, _FIXED, page(64))),
    ("FIXED, shrink into the first VMA", Mremap(page(0), 5 * PAGE, PAGE, _FIXED, page(64))),
    ("FIXED, same size (a move)", Mremap(page(0), 5 * PAGE, 5 * PAGE, _FIXED, page(64))),
    ("FIXED | DONTUNMAP, same size", Mremap(page(0), 5 * PAGE, 5 * PAGE, _FIXED | _KEEP, page(64))),
    ("DONTUNMAP without FIXED", Mremap(page(0), 5 * PAGE, 5 * PAGE, MREMAP_MAYMOVE | _KEEP)),
)
"""What mremap can be asked for, each over two VMAs and the gap between them."""


def range_rules(*series: str) -> Table:
    """Which operations may span several VMAs: each tried out on the model of each release, and held against kernels."""
    tried, rows = Tried(), []
    for name, call in OPERATIONS:
        scenario = scenario_of((*_TWO, call))
        errnos = [tried.on(release, scenario).errno for release in series]
        rows.append((name, *("✓ works" if errno is None else f"✕ {errno}" for errno in errnos)))
    caption = "A range over two VMAs and the gap between them"
    heads = ("range over two VMAs and a gap", *(str(profile(release)) for release in series))
    return Table(caption, heads, rows, tried.verdict)


def rules_that_differ(a: str, b: str) -> Table:
    """The named behaviours in which two releases differ, with which of the two has each, and how to see it."""
    ours, theirs = profile(a), profile(b)
    rows = [
        (one.name, one.meaning, str(ours if getattr(ours, one.name) else theirs), one.see)
        for one in behaviours()
        if getattr(ours, one.name) != getattr(theirs, one.name)
    ]
    caption = f"Rules in which {ours} and {theirs} differ"
    return Table(caption, ("rule", "what it means", "held by", "how to see it"), rows)
