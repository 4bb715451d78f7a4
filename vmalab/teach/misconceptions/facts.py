"""When the sentence that answers a belief is true of a case: `FACTS`, a condition beside each sentence.

A belief is offered as the reason of a wrong answer only where what is said against it can be seen on the very call: who
reads "what stood before it has moved" looks for it.  The conditions ask the model's outcome, not the belief.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

from vmalab.linux.addr import page_align
from vmalab.linux.call import Mlock, Mprotect, Mremap, Munmap
from vmalab.linux.flags import MREMAP_MAYMOVE
from vmalab.machines.outcome import Row
from vmalab.teach.misconceptions.case import Case
from vmalab.teach.misconceptions.costs import present_pages_cost, really_moved, tables_always_move
from vmalab.teach.misconceptions.layouts import Rows, clip, shape
from vmalab.teach.misconceptions.moving import Moving, moved_many, moving, worked_on

Fact = Callable[[Case], bool]


# --- moves ---------------------------------------------------------------------------------------------------


def _arrived(case: Case, move: Moving, pieces: Rows) -> bool:
    """Whether all of `pieces` are mapped at the destination, each as far on as the range."""
    return all(
        sum(part.end - part.start for part in clip(case.after, row.start + move.distance, row.end + move.distance))
        == row.end - row.start
        for row in pieces
    )


def distances_are_kept(case: Case) -> bool:
    """Several VMAs with a gap between them have arrived, and so has the gap."""
    move = moved_many(case)
    return move is not None and any(end < move.end for _, end in move.gaps) and _arrived(case, move, move.pieces)


def something_under_a_gap_is_untouched(case: Case) -> bool:
    """What lay under a moved gap lies there still."""
    move = moved_many(case)
    if move is None:
        return False
    under = [(start + move.distance, end + move.distance) for start, end in move.gaps]
    before, after = ([clip(rows, *place) for place in under] for rows in (case.before, case.after))
    return any(before) and [shape(rows) for rows in before] == [shape(rows) for rows in after]


def several_have_moved(case: Case) -> bool:
    """The call has moved more than one VMA, or a gap beside one."""
    move = moved_many(case)
    return move is not None and bool(move.pieces[1:] or move.gaps) and _arrived(case, move, move.pieces)


def it_went_on_behind_a_gap(case: Case) -> bool:
    """A VMA behind a gap has arrived too."""
    move = moved_many(case)
    if move is None or not move.gaps:
        return False
    behind = tuple(row for row in move.pieces if row.start >= move.gaps[0][1])
    return bool(behind) and _arrived(case, move, behind)


def growth_over_several_is_refused(case: Case) -> bool:
    """A range of several VMAs was to grow, and that was EFAULT."""
    move, call = moving(case), case.call
    return (
        move is not None
        and isinstance(call, Mremap)
        and len(move.pieces) > 1
        and call.new_len > call.old_len
        and case.real.errno == "EFAULT"
    )


def something_was_done(case: Case) -> bool:
    """The call failed and has changed something."""
    return bool(case.real.errno) and case.before != case.after


def what_stood_before_it_has_moved(case: Case) -> bool:
    """The call ended with EFAULT at a VMA of its range, and what stood before that one, if anything, has moved."""
    move, rule = moving(case), case.real.rule
    if move is None or rule is None or case.real.errno != "EFAULT" or "vma" not in rule.values:
        return False
    return _arrived(case, move, tuple(row for row in move.pieces if row.end <= rule.values["vma"].start))


def something_was_replaced(case: Case) -> bool:
    """The call succeeded although something was mapped at its place."""
    return case.real.errno is None


def source_is_unmapped(case: Case) -> bool:
    """Nothing of what was moved is at the source any more."""
    move = moving(case)
    return move is not None and not case.real.errno and not clip(case.after, move.start, move.end)


def contents_arrived(case: Case) -> bool:
    """What was in the pages of the source is in those of the destination."""
    move, call = moving(case), case.call
    if move is None or case.real.errno or not isinstance(call, Mremap):
        return False
    size = min(page_align(call.new_len), move.end - move.start)
    held = _contents(case.before, move.start, move.start + size)
    return bool(held) and held == _contents(case.after, move.target, move.target + size)


def _contents(rows: Rows, start: int, end: int) -> list[tuple[int, int]]:
    """What pages in [start, end) hold: offset in bytes and value."""
    return [(row.start - start, value) for row in clip(rows, start, end) for value in row.contents().values()]


def source_reads_as_fresh(case: Case) -> bool:
    """Private anonymous memory was left behind by MREMAP_DONTUNMAP, and no page of it is present."""
    edges = worked_on(case.call)
    left = () if edges is None else clip(case.after, *edges)
    return bool(left) and not any(row.runs or row.backing for row in left)


# --- any call ------------------------------------------------------------------------------------------------


def _took(case: Case, *keys: str) -> bool:
    """Whether the kernel took a step with one of these keys."""
    return any(step.key in keys for step in case.real.steps)


def part_of_a_vma(case: Case) -> bool:
    """The call succeeded on a range that begins or ends inside a VMA."""
    edges = worked_on(case.call)
    if edges is None or case.real.errno:
        return False
    return any(row.start < edge < row.end for row in case.before for edge in edges)


def something_keeps_them_apart(case: Case) -> bool:
    """All neighbours that look alike differ in flags, vm_pgoff or anon_vma."""
    pairs = [(low, high) for low, high in pairwise(case.after) if low.end == high.start and _alike(low, high)]
    return bool(pairs) and all(
        low.flags != high.flags
        or (low.vm_pgoff or 0) + low.pages != high.vm_pgoff
        or low.anon_vma != high.anon_vma
        for low, high in pairs
    )  # fmt: skip


def _alike(low: Row, high: Row) -> bool:
    return (low.perms, low.backing) == (high.perms, high.backing)


def has_merged(case: Case) -> bool:
    """The kernel merged."""
    return not case.real.errno and _took(case, "merge_new", "merge_existing")


def holes_were_passed_over(case: Case) -> bool:
    """munmap, or a move, has succeeded on a range with holes."""
    return not case.real.errno and isinstance(case.call, Munmap | Mremap)


def growth_left_the_neighbour(case: Case) -> bool:
    """With MREMAP_MAYMOVE the mapping went elsewhere; without it the call was ENOMEM."""
    call = case.call
    if not isinstance(call, Mremap):
        return False
    return case.real.errno == (None if call.flags & MREMAP_MAYMOVE else "ENOMEM")


def ended_with(errno: str) -> Fact:
    """The call failed with `errno`."""
    return lambda case: case.real.errno == errno


def has_failed(case: Case) -> bool:
    """The call failed."""
    return bool(case.real.errno)


def stopped_at_a_hole(case: Case) -> bool:
    """Mprotect or mlock has ended with ENOMEM at a hole; mseal looks for holes before it does anything."""
    return isinstance(case.call, Mprotect | Mlock) and case.real.errno == "ENOMEM"


# --- what a move costs ---------------------------------------------------------------------------------------


def some_page_is_absent(case: Case) -> bool:
    """A page of the range that is mapped has no entry."""
    present, edges = present_pages_cost(case), worked_on(case.call)
    if present is None or edges is None:
        return False
    return present.pte < sum(row.pages for row in clip(case.before, *edges))


def a_table_moved_whole(case: Case) -> bool:
    """An entry above the PTEs was moved."""
    moved = really_moved(case.real)
    return bool(moved.pmd or moved.pud)


def ptes_moved_alone(case: Case) -> bool:
    """Fewer tables moved whole than lie in the range: the destination does not lie alike, or not everywhere."""
    whole = tables_always_move(case)
    return whole is not None and really_moved(case.real).pmd < whole.pmd


def entries_moved(case: Case) -> bool:
    """Some entry was moved, or there was none to move."""
    return not case.real.errno


FACTS: Mapping[str, Fact] = {
    "gaps-close-up": distances_are_kept,
    "gap-unmaps": something_under_a_gap_is_untouched,
    "one-vma-per-call": several_have_moved,
    "stops-at-a-gap": it_went_on_behind_a_gap,
    "growth-spans-too": growth_over_several_is_refused,
    "failure-changes-nothing": something_was_done,
    "ineligible-is-skipped": what_stood_before_it_has_moved,
    "occupied-is-refused": something_was_replaced,
    "contents-are-copied": source_is_unmapped,
    "contents-are-lost": contents_arrived,
    "source-is-kept": source_reads_as_fresh,
    "edges-must-fit": part_of_a_vma,
    "neighbours-always-merge": something_keeps_them_apart,
    "neighbours-never-merge": has_merged,
    "whole-vma": part_of_a_vma,
    "holes-are-refused": holes_were_passed_over,
    "old-address-on-failure": has_failed,
    "order-is-free": has_failed,
    "fixed-is-enough": ended_with("EINVAL"),
    "moves-anyway": ended_with("ENOMEM"),
    "grows-over-neighbours": growth_left_the_neighbour,
    "overlap-is-fine": ended_with("EINVAL"),
    "addresses-are-rounded": ended_with("EINVAL"),
    "dontunmap-resizes": ended_with("EINVAL"),
    "moves-know-no-limits": has_failed,
    "seals-bind-rights-only": ended_with("EPERM"),
    "holes-are-skipped": stopped_at_a_hole,
    "every-page-costs": some_page_is_absent,
    "present-pages-cost": a_table_moved_whole,
    "tables-always-move": ptes_moved_alone,
    "size-decides": entries_moved,
    "only-the-vma-moves": entries_moved,
}
"""Name of a belief → what must be so where it is answered."""
