"""When neighbours become one VMA, as tables: pairs that do and don't, what an anon_vma allows, and who comes back.

The rules themselves are in `vmalab.linux.mm.merge`; here they are tried out.  `neighbours` looks at one address space.
"""

from __future__ import annotations

from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Fork, ForkChild, Madvise, Mlock, Mmap, Mprotect, Mremap, Munmap, Touch
from vmalab.linux.flags import MREMAP_FIXED, MREMAP_MAYMOVE, PROT_READ, PROT_WRITE, smaps_codes
from vmalab.linux.mm.merge import MergeRequest, ignored_flags, why_not_left
from vmalab.linux.mm.vma import VMA
from vmalab.machines.lineage import names_of
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.pictures.table import Table
from vmalab.programs.calltext import vma_text
from vmalab.teach.trials import Case, tried


def _map(first: int, pages: int, prot: int = PROT_READ | PROT_WRITE) -> Mmap:
    return Mmap(page(first), pages * PAGE, prot)


def _file(first: int, name: str, pgoff: int) -> Mmap:
    return Mmap(page(first), 2 * PAGE, kind="sharedfile", file=name, pgoff=pgoff)


def _move(first: int, pages: int, target: int) -> Mremap:
    return Mremap(page(first), pages * PAGE, pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page(target))


def _write(first: int, pages: int = 1) -> Touch:
    return Touch(page(first), pages * PAGE)


SHARED = (Mmap(page(0), 2 * PAGE, kind="shared"), Mmap(page(2), 2 * PAGE, kind="shared"))
PAIRS: tuple[Case, ...] = (
    ("anonymous, alike in everything", (_map(0, 2), _map(2, 2))),
    ("rw beside r", (_map(0, 2), _map(2, 2, PROT_READ))),
    ("one of them locked", (_map(0, 2), Mlock(page(0), 2 * PAGE), _map(2, 2))),
    ("one of them not for children (MADV_DONTFORK)", (_map(0, 4), Madvise(page(0), 2 * PAGE, "dontfork"))),
    ("one of them mapped with MAP_NORESERVE", (_map(0, 2), Mmap(page(2), 2 * PAGE, noreserve=True))),
    ("shared anonymous, two calls", SHARED),
    ("one file, and the offset continues", (_file(0, "log", 0), _file(2, "log", 2))),
    ("one file, and the offset does not continue", (_file(0, "log", 0), _file(2, "log", 5))),
    ("two files", (_file(0, "log", 0), _file(2, "data", 2))),
    ("rw made r, beside r", (_map(0, 2), Mprotect(page(0), 2 * PAGE, PROT_READ), _map(2, 2, PROT_READ))),
    ("rw written and made r, beside r",
     (_map(0, 2), _write(0), Mprotect(page(0), 2 * PAGE, PROT_READ), _map(2, 2, PROT_READ))),
)  # fmt: skip
"""Two mappings side by side: do they become one?"""

WRITTEN: tuple[Case, ...] = (
    ("unwritten arrives beside unwritten", (_map(0, 2), _map(100, 2), _move(100, 2, 2))),
    ("unwritten arrives beside written", (_map(0, 2), _write(0), _map(100, 2), _move(100, 2, 2))),
    ("written elsewhere arrives beside unwritten", (_map(0, 2), _map(100, 2), _write(100), _move(100, 2, 2))),
    ("written comes home beside unwritten",
     (_map(2, 2), _write(2), _move(2, 2, 100), _map(0, 2), _move(100, 2, 2))),
    ("two halves of a written VMA meet again", (_map(0, 4), _write(0, 4), _move(0, 2, 100), _move(2, 2, 102))),
    ("two that were written apart, and the hole is filled",
     (_map(0, 2), _write(0), _map(3, 2), _write(3), _map(2, 1))),
    ("after fork, the parent maps beside written memory", (_map(0, 2), _write(0), Fork(), _map(2, 2))),
    ("after fork, the child maps beside written memory", (_map(0, 2), _write(0), ForkChild(), _map(2, 2))),
    ("the child moves written memory, home, beside unwritten",
     (_map(2, 2), _write(2), _move(2, 2, 100), ForkChild(), _map(0, 2), _move(100, 2, 2))),
)  # fmt: skip
"""What an anon_vma allows: memory that arrives, or is mapped, beside other memory."""

_AWAY, _BACK = _move(3, 3, 100), _move(100, 3, 3)
RETURNS: tuple[Case, ...] = (
    ("nothing is written", (_map(0, 9), _AWAY, _BACK)),
    ("all was written before", (_map(0, 9), _write(0, 9), _AWAY, _BACK)),
    ("page 4, which moves, was written before", (_map(0, 9), _write(4), _AWAY, _BACK)),
    ("page 0 was written before, page 100 while away", (_map(0, 9), _write(0), _AWAY, _write(100), _BACK)),
    ("page 100 is written while away", (_map(0, 9), _AWAY, _write(100), _BACK)),
    ("page 0 is written meanwhile", (_map(0, 9), _AWAY, _write(0), _BACK)),
    ("pages 0 and 8 are written meanwhile", (_map(0, 9), _AWAY, _write(0), _write(8), _BACK)),
    ("all was written before, and both sides are mapped afresh",
     (_map(0, 9), _write(0, 9), _AWAY, Munmap(page(0), 3 * PAGE), Munmap(page(6), 3 * PAGE), _map(0, 3), _map(6, 3),
      _BACK)),
)  # fmt: skip
"""Nine pages are mapped; pages 3 to 5 move to page 100, and come back."""


def _count(last: Outcome) -> str:
    return "one VMA" if len(last.after) == 1 else f"{len(last.after)} VMAs"


def _ranges(last: Outcome) -> str:
    return " ".join(vma_text(row.start, row.end) for row in last.after)


def merge_rules(*series: str) -> Table:
    """Which two mappings side by side become one VMA, release by release; held against kernels."""
    return tried("Two mappings side by side: do they become one?", "side by side", PAIRS, series, _count)


def anon_rules(*series: str) -> Table:
    """What an anon_vma, or none, lets merge, release by release; held against kernels."""
    return tried("Memory meets other memory: does it become one VMA with it?", "what meets", WRITTEN, series, _count)


def return_rules(*series: str) -> Table:
    """Three pages of nine go away and come back: which VMAs are there then; held against kernels."""
    return tried(
        "Three pages of nine go away and come back", "pages 3 to 5 go to page 100 and back", RETURNS, series, _ranges
    )


# --- one address space ---------------------------------------------------------------------------------------


def neighbours(vm: Model) -> Table:
    """For each two VMAs that touch: what is alike, what is not, and whether they could be one.  O(VMAs).

    Letters are those of the picture.  The last column is what the kernel would say to a call that tries to join them.
    """
    vmas = list(vm.mm.vmas())
    names = names_of(vm.snapshot())
    pairs = zip(zip(names, vmas, strict=True), zip(names[1:], vmas[1:], strict=True), strict=False)
    rows = [
        (f"{a}, {b}", *_compared(vm, low, high)) for (a, low), (b, high) in pairs if low.end == high.start
    ]  # fmt: skip
    heads = ("neighbours", "vm_flags", "file", "vm_pgoff", "anon_vma", "can they be one?")
    return Table("VMAs that touch", heads, rows, "" if rows else "No two VMAs touch.")


def _compared(vm: Model, low: VMA, high: VMA) -> tuple[str, ...]:
    differ = smaps_codes((low.flags ^ high.flags) & ~ignored_flags(vm.mm))
    expected = low.pgoff_at(high.start)
    why = why_not_left(
        MergeRequest(vm.mm, high.start, high.end, high.pgoff, high.flags, high.file, high.anon_vma, high.chain,
                     prev=low, middle=high, anon_pgoff=high.anon_pgoff)
    )  # fmt: skip
    return (
        f"differ: {' '.join(differ)}" if differ else "alike",
        "another" if low.file is not high.file else "none" if low.file is None else "the same",
        "continues" if expected == high.pgoff else f"{expected:#x} would continue, {high.pgoff:#x} is there",
        f"{_anon(low)}, {_anon(high)}",
        "yes" if why is None else f"no: {why}",
    )


def _anon(vma: VMA) -> str:
    if vma.anon_vma is None:
        return "none"
    return f"{vma.anon_vma} (inherited)" if vma.is_fork_child else str(vma.anon_vma)
