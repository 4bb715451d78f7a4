"""Misconceptions about what a move costs: how many page-table entries somebody expects to be moved.

A belief here takes a case and gives the entries at each level, or None where it has nothing to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import frozen

from vmalab.linux.addr import PAGE_SHIFT, PMD_SIZE, page_align
from vmalab.linux.call import Mremap
from vmalab.machines.outcome import Outcome
from vmalab.teach.misconceptions.case import Case
from vmalab.teach.misconceptions.layouts import clip

BLOCK = PMD_SIZE >> PAGE_SHIFT
"""Pages that one page of PTEs maps."""


@frozen
class Moved:
    """Entries that a move takes along: PTEs, PMD entries (2 MiB each), PUD entries (1 GiB each)."""

    pte: int = 0
    pmd: int = 0
    pud: int = 0


def really_moved(outcome: Outcome) -> Moved:
    """What the model counted."""
    steps = [step.values for step in outcome.steps if step.key == "pages_moved"]
    return Moved(*(sum(values[level] for values in steps) for level in ("pte", "pmd", "pud")))


def _source(case: Case) -> tuple[int, int] | None:
    """The pages [first, last) that a call moves."""
    call = case.call
    if not isinstance(call, Mremap) or case.real.errno or not case.real.moves:
        return None
    return call.addr >> PAGE_SHIFT, (call.addr + page_align(call.old_len)) >> PAGE_SHIFT


def _present(case: Case, first: int, last: int) -> list[tuple[int, int]]:
    """The present pages in [first, last), as stretches."""
    rows = clip(case.before, first << PAGE_SHIFT, last << PAGE_SHIFT)
    return [(run.start, run.end) for row in rows for run in row.runs]


def every_page_costs(case: Case) -> Moved | None:
    """A PTE for each page that is mapped."""
    if (source := _source(case)) is None:
        return None
    rows = clip(case.before, source[0] << PAGE_SHIFT, source[1] << PAGE_SHIFT)
    return Moved(sum(row.pages for row in rows))


def present_pages_cost(case: Case) -> Moved | None:
    """A PTE for each page that is present."""
    if (source := _source(case)) is None:
        return None
    return Moved(sum(end - start for start, end in _present(case, *source)))


def tables_always_move(case: Case) -> Moved | None:
    """Whole 2 MiB move as one, wherever they go."""
    if (source := _source(case)) is None:
        return None
    first, last = -(-source[0] // BLOCK), source[1] // BLOCK
    stretches = _present(case, *source)
    whole = {block for start, end in stretches for block in range(start // BLOCK, -(-end // BLOCK))
             if first <= block < last}  # fmt: skip
    singles = sum(end - start for start, end in stretches)
    singles -= sum(max(0, min(end, (block + 1) * BLOCK) - max(start, block * BLOCK))
                   for start, end in stretches for block in sorted(whole))  # fmt: skip
    return Moved(singles, len(whole))


def size_decides(case: Case) -> Moved | None:
    """So many times 2 MiB as the length has, and single pages for the rest."""
    if (source := _source(case)) is None:
        return None
    whole, rest = divmod(source[1] - source[0], BLOCK)
    return Moved(rest, whole)


def only_the_vma_moves(case: Case) -> Moved | None:
    """Nothing but the VMA."""
    return None if _source(case) is None else Moved()


COSTS: Mapping[str, Callable[[Case], Moved | None]] = {
    "every-page-costs": every_page_costs,
    "present-pages-cost": present_pages_cost,
    "tables-always-move": tables_always_move,
    "size-decides": size_decides,
    "only-the-vma-moves": only_the_vma_moves,
}
"""Name → how many entries somebody who believes it expects."""
