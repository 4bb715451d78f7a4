"""Rules as tables: which operations may span several VMAs, found by trying each; where releases differ."""

from __future__ import annotations

from attrs import fields_dict

from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Mmap, Mremap
from vmalab.linux.flags import MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE
from vmalab.linux.mm.mremap import remap_move
from vmalab.linux.mm.mremap_checks import RemapRequest
from vmalab.linux.profile import behaviours, profile
from vmalab.pictures.table import Table
from vmalab.teach.trials import tried

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
    caption, head = "A range over two VMAs and the gap between them", "range over two VMAs and a gap"
    return tried(caption, head, [(name, (*_TWO, call)) for name, call in OPERATIONS], series)


def all_rules() -> Table:
    """Every named behaviour of the model: what it means, where it holds, how to see it."""
    rows = [(one.name, one.meaning, one.releases + (" (a bug)" if one.bug else ""), one.see) for one in behaviours()]
    return Table("The rules that the model knows by name", ("rule", "what it means", "where", "how to see it"), rows)


def rules_that_differ(a: str, b: str, about: str = "") -> Table:
    """The named behaviours in which two releases differ, with which of the two has each, and how to see it.

    `about`: only those with this word in their name, such as `"dontunmap"`.
    """
    ours, theirs = profile(a), profile(b)
    rows = [
        (one.name, one.meaning, str(ours if getattr(ours, one.name) else theirs), one.see)
        for one in behaviours()
        if about in one.name and getattr(ours, one.name) != getattr(theirs, one.name)
    ]
    caption = f"Rules in which {ours} and {theirs} differ"
    return Table(caption, ("rule", "what it means", "held by", "how to see it"), rows)


def where_kept(name: str) -> dict[str, bool]:
    """Where the code of the model's multi-VMA move keeps `name`: as a local variable of `remap_move`, or as a field of
    the record that goes through all of mremap (`RemapRequest`, the kernel's `struct vma_remap_struct`)."""
    return {
        "a local variable of remap_move": name in remap_move.__code__.co_varnames,
        "a field of the record": name in fields_dict(RemapRequest),
    }
