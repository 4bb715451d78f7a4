"""Each misconception as a machine: what somebody who believes it expects of a call.

A function takes the model, the call and what the model really does, and gives the expectation; None where the belief
has nothing to say, or says what is right.  The sentences are in `vmalab.words.catalogue.misconceptions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from vmalab.linux.addr import page_align
from vmalab.linux.call import Call, Mmap, Mprotect, Mremap
from vmalab.linux.flags import MREMAP_DONTUNMAP, MREMAP_FIXED
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Row, Snapshot
from vmalab.teach.misconceptions.arguments import ARGUMENTS
from vmalab.teach.misconceptions.case import Belief, Case, Expectation
from vmalab.teach.misconceptions.layouts import Rows, clip, cut, joined, put, refilled, shifted, without
from vmalab.teach.misconceptions.moving import Moving, moved_many, moving, worked_on

# --- moves ---------------------------------------------------------------------------------------------------


def _moved(case: Case, move: Moving, pieces: Rows | None = None) -> Rows:
    """The pieces lifted from the source and put down at the destination."""
    taken = move.pieces if pieces is None else pieces
    rest = case.before if move.dontunmap else without(case.before, move.start, move.end)
    return put(rest, shifted(taken, move.distance))


def gaps_close_up(case: Case) -> Expectation | None:
    """The pieces arrive back to back."""
    move = moved_many(case)
    if move is None or len(move.pieces) < 2:
        return None
    at = move.target
    arrived: list[Row] = []
    for row in move.pieces:
        arrived += shifted((row,), at - row.start)
        at += row.end - row.start
    rest = case.before if move.dontunmap else without(case.before, move.start, move.end)
    return case.gives(joined(put(rest, arrived)))


def gap_unmaps(case: Case) -> Expectation | None:
    """What lies under a moved gap is gone."""
    move = moved_many(case)
    if move is None:
        return None
    rows = case.after
    for start, end in move.gaps:
        rows = without(rows, start + move.distance, end + move.distance)
    return case.gives(rows)


def one_vma_per_call(case: Case) -> Expectation | None:
    """More than one VMA is EFAULT."""
    move = moved_many(case)
    if move is None or (len(move.pieces) < 2 and not move.gaps):
        return None
    return case.refused("EFAULT")


def stops_at_a_gap(case: Case) -> Expectation | None:
    """Only what stands before the first gap moves."""
    move = moved_many(case)
    if move is None or not move.gaps:
        return None
    edge = move.gaps[0][0]
    kept = clip(case.before, edge, move.end)
    taken = clip(case.before, move.start, edge)
    rows = put(without(case.before, move.start, edge), shifted(taken, move.distance))
    return case.gives(rows) if kept else None


def growth_spans_too(case: Case) -> Expectation | None:
    """A growing range takes all its VMAs along, and the last one grows."""
    move = moving(case)
    call = case.call
    if move is None or move.keeps_size or not isinstance(call, Mremap) or case.real.errno != "EFAULT":
        return None
    if len(move.pieces) < 2 or call.new_len < call.old_len:
        return None
    last = move.pieces[-1]
    grown = evolve(last, end=last.end + page_align(call.new_len) - page_align(call.old_len))
    return case.gives(_moved(case, move, (*move.pieces[:-1], grown)), call.new_addr)


def ineligible_is_skipped(case: Case) -> Expectation | None:
    """The VMA that made the call fail stays, and all the others move."""
    move, rule = moving(case), case.real.rule
    if move is None or rule is None or rule.func != "remap_move" or "vma" not in rule.values:
        return None
    bad = rule.values["vma"]
    taken = tuple(row for row in move.pieces if not bad.start <= row.start < bad.end)
    rest = put(without(case.before, move.start, move.end), clip(case.before, bad.start, bad.end))
    return case.gives(put(rest, shifted(taken, move.distance)), move.target) if taken else None


def occupied_is_refused(case: Case) -> Expectation | None:
    """Where something is mapped at a fixed place, the call fails with EEXIST."""
    call = case.call
    if case.real.errno:
        return None
    if isinstance(call, Mmap) and call.fixed and not call.noreplace and call.addr is not None:
        start, end = call.addr, call.addr + page_align(call.length)
    elif isinstance(call, Mremap) and call.flags & MREMAP_FIXED:
        start, end = call.new_addr, call.new_addr + page_align(call.new_len)
    else:
        return None
    return case.refused("EEXIST") if clip(case.before, start, end) else None


def contents_are_copied(case: Case) -> Expectation | None:
    """The destination has the pieces, and so has the source still."""
    move = moving(case)
    if move is None or case.real.errno or move.dontunmap:
        return None
    return case.gives(put(case.before, shifted(move.pieces, move.distance)))


def contents_are_lost(case: Case) -> Expectation | None:
    """The pieces arrive without any page."""
    move = moving(case)
    if move is None or case.real.errno:
        return None
    return case.gives(refilled(case.after, move.target, move.end + move.distance))


def source_is_kept(case: Case) -> Expectation | None:
    """MREMAP_DONTUNMAP leaves the pages at the source too."""
    call = case.call
    if not isinstance(call, Mremap) or not call.flags & MREMAP_DONTUNMAP or case.real.errno:
        return None
    end = call.addr + page_align(call.old_len)
    return case.gives(refilled(case.after, call.addr, end, case.before))


# --- any call ------------------------------------------------------------------------------------------------


def failure_changes_nothing(case: Case) -> Expectation | None:
    """It fails as it does, and all is as before."""
    return case.refused(case.real.errno) if case.real.errno else None


def edges_must_fit(case: Case) -> Expectation | None:
    """A range that cuts a VMA is EINVAL."""
    edges = worked_on(case.call)
    if edges is None or case.real.errno:
        return None
    inside = [edge for edge in edges if any(row.start < edge < row.end for row in case.before)]
    return case.refused("EINVAL") if inside else None


def neighbours_always_merge(case: Case) -> Expectation | None:
    """Whatever touches and looks alike afterwards is one."""
    return None if case.real.errno else case.gives(joined(case.after))


def neighbours_never_merge(case: Case) -> Expectation | None:
    """All edges that the call makes stay edges."""
    if case.real.errno:
        return None
    move, call = moving(case), case.call
    if move is not None:
        edges = [edge for row in shifted(move.pieces, move.distance) for edge in (row.start, row.end)]
    elif isinstance(call, Mmap) and case.real.value is not None:
        edges = [case.real.value, case.real.value + page_align(call.length)]
    elif isinstance(call, Mprotect):
        edges = [call.addr, call.addr + page_align(call.length)]
    else:
        return None
    old = [edge for row in case.before for edge in (row.start, row.end) if not min(edges) <= edge <= max(edges)]
    return case.gives(cut(case.after, *edges, *old))


def whole_vma(case: Case) -> Expectation | None:
    """The call reaches to the edges of the VMAs that its range touches."""
    edges = worked_on(case.call)
    if edges is None or case.real.errno:
        return None
    touched = [row for row in case.before if row.start < edges[1] and edges[0] < row.end]
    if not touched:
        return None
    start, end = min(edges[0], touched[0].start), max(edges[1], touched[-1].end)
    call = case.call
    if isinstance(call, Mremap):
        if page_align(call.old_len) != page_align(call.new_len) or not call.flags & MREMAP_FIXED:
            return None
        wider: Call = evolve(call, addr=start, old_len=end - start, new_len=end - start)
    else:
        wider = evolve(call, addr=start, length=end - start)  # type: ignore[call-arg]
    told = _other(case.model, wider)
    return case.gives(told.after.rows) if told.ok else None


def holes_are_refused(case: Case) -> Expectation | None:
    """A range with a hole is ENOMEM."""
    edges = worked_on(case.call)
    if edges is None or case.real.errno:
        return None
    mapped = sum(row.end - row.start for row in clip(case.before, *edges))
    return case.refused("ENOMEM") if mapped < edges[1] - edges[0] else None


def old_address_on_failure(case: Case) -> Expectation | None:
    """A failed mremap returns the address that it was given."""
    if not case.real.errno or not isinstance(case.call, Mremap):
        return None
    return Expectation(None, case.call.addr, Snapshot(case.before))


def order_is_free(case: Case) -> Expectation | None:
    """The errno that another order of the same checks gives."""
    if not case.real.errno or not isinstance(case.call, Mremap):
        return None
    for old, new in ((False, False), (True, False), (False, True)):
        told = _other(case.model, case.call, order_of_6_15=old, order_of_6_17=new, checks_before_unmap=new)
        if told.errno and told.errno != case.real.errno:
            return Expectation(told.errno, None, case.real.after)
    return None


def _other(model: Model, call: Call, **changed: Any) -> Outcome:
    """What `call` would do on a copy of the model, under a profile with some behaviours changed."""
    copy = model.copy()
    copy.mm.profile = evolve(model.profile, **changed)
    return copy.do(call)


BELIEFS: Mapping[str, Belief] = {
    "gaps-close-up": gaps_close_up,
    "gap-unmaps": gap_unmaps,
    "one-vma-per-call": one_vma_per_call,
    "stops-at-a-gap": stops_at_a_gap,
    "growth-spans-too": growth_spans_too,
    "failure-changes-nothing": failure_changes_nothing,
    "ineligible-is-skipped": ineligible_is_skipped,
    "occupied-is-refused": occupied_is_refused,
    "contents-are-copied": contents_are_copied,
    "contents-are-lost": contents_are_lost,
    "source-is-kept": source_is_kept,
    "edges-must-fit": edges_must_fit,
    "neighbours-always-merge": neighbours_always_merge,
    "neighbours-never-merge": neighbours_never_merge,
    "whole-vma": whole_vma,
    "holes-are-refused": holes_are_refused,
    "old-address-on-failure": old_address_on_failure,
    "order-is-free": order_is_free,
    **ARGUMENTS,
}
"""Name → the machine of the belief."""

__all__ = ["BELIEFS", "Belief", "Case", "Expectation"]
