"""Misconceptions about what a call is refused for: arguments, seals, limits, holes.  What a belief is: `beliefs.py`.

Most are found by making the call as the believer thinks it is meant, on a copy of the model.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from vmalab.linux.addr import PAGE, page_align
from vmalab.linux.call import Call, Mlock, Mprotect, Mremap, Mseal, Munmap
from vmalab.linux.flags import MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE
from vmalab.linux.mm.space import UNLIMITED
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.teach.misconceptions.case import Belief, Case, Expectation
from vmalab.teach.misconceptions.layouts import clip, put, refilled, shifted, without

_NAMED = MREMAP_FIXED | MREMAP_DONTUNMAP
"""With these mremap goes to an address that the caller names."""


def _gives(case: Case, told: Outcome) -> Expectation | None:
    """What a call did that was made in place of the real one; None where it failed too."""
    return case.gives(told.after.rows, told.value) if told.ok else None


def _instead(case: Case, call: Call) -> Expectation | None:
    """What `call` would do, made on the same process."""
    return _gives(case, case.model.copy().do(call))


def _refused_by(case: Case, *keys: str) -> Mremap | None:
    """The call, if it is an mremap that a rule with one of these keys refused."""
    rule = case.real.rule
    return case.call if isinstance(case.call, Mremap) and rule is not None and rule.key in keys else None


def fixed_is_enough(case: Case) -> Expectation | None:
    """It moves without MREMAP_MAYMOVE, since a place is named."""
    call = _refused_by(case, "needs_maymove")
    return None if call is None else _instead(case, evolve(call, flags=call.flags | MREMAP_MAYMOVE))


def moves_anyway(case: Case) -> Expectation | None:
    """What can't grow where it is goes elsewhere, without MREMAP_MAYMOVE."""
    call = _refused_by(case, "no_room_may_not_move")
    return None if call is None else _instead(case, evolve(call, flags=call.flags | MREMAP_MAYMOVE))


def grows_over_neighbours(case: Case) -> Expectation | None:
    """What grows in place takes the room of what lies behind it."""
    call = case.call
    if not isinstance(call, Mremap) or call.flags & _NAMED or call.new_len <= call.old_len or not call.old_len:
        return None
    source = clip(case.before, call.addr, call.addr + page_align(call.old_len))
    end = call.addr + page_align(call.new_len)
    if len(source) != 1 or (source[0].start, source[0].end) != (call.addr, call.addr + page_align(call.old_len)):
        return None
    if not clip(case.before, source[0].end, end):
        return None
    grown = evolve(next(row for row in case.before if row.start <= call.addr < row.end), end=end)
    return case.gives(put(without(case.before, source[0].end, end), (grown,)), call.addr)


def overlap_is_fine(case: Case) -> Expectation | None:
    """Source and destination may overlap."""
    call = _refused_by(case, "overlap")
    if call is None or page_align(call.old_len) != page_align(call.new_len):
        return None
    end = call.addr + page_align(call.old_len)
    taken = clip(case.before, call.addr, end)
    rest = case.before if call.flags & MREMAP_DONTUNMAP else without(case.before, call.addr, end)
    return case.gives(put(rest, shifted(taken, call.new_addr - call.addr)), call.new_addr) if taken else None


def addresses_are_rounded(case: Case) -> Expectation | None:
    """An address inside a page stands for the page."""
    call = _refused_by(case, "unaligned")
    if call is None:
        return None
    return _instead(case, evolve(call, addr=call.addr // PAGE * PAGE, new_addr=call.new_addr // PAGE * PAGE))


def dontunmap_resizes(case: Case) -> Expectation | None:
    """MREMAP_DONTUNMAP changes the size as well."""
    call = _refused_by(case, "dontunmap_resizes")
    if call is None:
        return None
    told = case.model.copy().do(evolve(call, flags=call.flags & ~MREMAP_DONTUNMAP))
    if not told.ok:
        return None
    source = clip(case.before, call.addr, call.addr + page_align(call.old_len))
    return case.gives(put(told.after.rows, refilled(source, call.addr, source[-1].end)), told.value)


def moves_know_no_limits(case: Case) -> Expectation | None:
    """RLIMIT_AS, RLIMIT_MEMLOCK and the map count are for mmap and mlock."""
    call = _refused_by(case, "map_count_early", "map_count_move", "rlimit_as", "rlimit_memlock", "map_count_split")
    if call is None:
        return None
    copy = case.model.copy()
    copy.mm.limits.address_space = copy.mm.limits.memlock = copy.mm.limits.map_count = UNLIMITED
    return _gives(case, copy.do(call))


def seals_bind_rights_only(case: Case) -> Expectation | None:
    """A seal forbids mprotect, and nothing else."""
    rule = case.real.rule
    if rule is None or rule.key != "sealed" or not isinstance(case.call, Mremap | Munmap):
        return None
    copy = Model(case.model.profile, privileged=case.model.privileged)
    for call in case.model.history:
        if not isinstance(call, Mseal):
            copy.do(call)
    return _gives(case, copy.do(case.call))


def holes_are_skipped(case: Case) -> Expectation | None:
    """mprotect, mlock and mseal work on what is mapped, and pass over the rest."""
    call, rule = case.call, case.real.rule
    if not isinstance(call, Mprotect | Mlock | Mseal) or rule is None or rule.key != "gap":
        return None
    copy = case.model.copy()
    for row in clip(case.before, call.addr, call.addr + page_align(call.length)):
        if not copy.do(evolve(call, addr=row.start, length=row.end - row.start)).ok:
            return None
    return case.gives(copy.snapshot().rows, 0)


ARGUMENTS: Mapping[str, Belief] = {
    "fixed-is-enough": fixed_is_enough,
    "moves-anyway": moves_anyway,
    "grows-over-neighbours": grows_over_neighbours,
    "overlap-is-fine": overlap_is_fine,
    "addresses-are-rounded": addresses_are_rounded,
    "dontunmap-resizes": dontunmap_resizes,
    "moves-know-no-limits": moves_know_no_limits,
    "seals-bind-rights-only": seals_bind_rights_only,
    "holes-are-skipped": holes_are_skipped,
}
"""Name → the machine of the belief."""
