"""Calls that might work where one failed: what `vmalab.words.advice` tries out, rule by rule, the smallest change
first.

Nothing here knows whether an attempt succeeds; the model decides that.
"""

from __future__ import annotations

from collections.abc import Iterator

from vmalab.words.attempts import moving, others
from vmalab.words.attempts.base import Attempt, Maker, Problem

MAKERS: dict[str, tuple[Maker, ...]] = {
    "unaligned": (moving.page_start,),
    "unknown_flags": (moving.known_flags,),
    "needs_maymove": (moving.maymove,),
    "new_len_zero": (moving.at_least_a_page,),
    "zero_length": (moving.at_least_a_page,),
    "dontunmap_resizes": (moving.equal_lengths, moving.without_dontunmap),
    "overlap": (moving.two_hops, moving.other_target),
    "beyond_task_size": (moving.within_task_size,),
    "too_long": (moving.within_task_size,),
    "below_min_addr": (moving.above_min_addr, moving.other_target),
    "nothing_at_addr": (moving.start_mapped, others.map_first),
    "gap_at_start": (moving.start_mapped,),
    "nothing_mapped": (others.map_first,),
    "destination_took_source": (moving.other_target,),
    "crosses_vma_end": (moving.fixed, moving.each_alone, moving.to_vma_end),
    "first_not_allowed": (moving.each_alone, moving.without(moving.is_zero_or_uffd)),
    "later_not_allowed": (moving.each_alone, moving.without(moving.is_zero_or_uffd)),
    "first_not_allowed_late": (moving.each_alone, moving.without(moving.is_zero_or_uffd)),
    "sealed": (moving.without(moving.is_sealed), moving.without(moving.named), moving.other_target),
    "duplicate_private": (moving.equal_lengths,),
    "no_room_may_not_move": (moving.maymove, moving.room_behind),
    "rlimit_as": (others.more_allowed, others.within_limit),
    "rlimit_memlock": (others.unlock_first, others.more_allowed, others.within_limit),
    "memlock_zero": (others.more_allowed,),
    "map_count_early": (others.more_allowed,),
    "map_count_move": (others.more_allowed,),
    "map_count_split": (others.more_allowed,),
    "map_count_mmap": (others.more_allowed,),
    "noreplace": (moving.other_target,),
    "past_largest_file": (others.start_of_file,),
    "growsdown_file": (others.without_growsdown,),
    "gap": (others.mapped_parts, others.map_first),
    "gap_skipped": (others.mapped_parts, others.map_first),
    "locked": (others.unlock_first,),
    "populate_failed": (others.access_first,),
    "not_mapped": (others.make_accessible, others.map_first),
    "not_writable": (others.make_accessible, others.map_first),
    "not_readable": (others.make_accessible, others.map_first),
    "guard_gap": (others.up_to, others.map_first),
    "rlimit_stack": (others.up_to, others.map_first),
    "stack_pgoff": (others.map_first,),
    "guard_hit": (others.remove_guards, others.up_to),
    "uffd_hit": (others.up_to,),
    "past_file_end": (others.up_to,),
}
"""What to try when a rule (without its function and case) refused the call."""


def attempts(problem: Problem) -> Iterator[Attempt]:
    """What might work instead, in the order in which it is worth telling."""
    for maker in MAKERS.get(problem.rule, ()):
        yield from maker(problem)


__all__ = ["MAKERS", "Attempt", "Maker", "Problem", "attempts"]
