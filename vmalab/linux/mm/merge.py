"""When two VMAs become one (mm/vma.c): the conditions, and the two kinds of merge.

`vma_merge_new_range` joins a range that is not mapped yet (mmap, the copy of a moving mremap, growth in place) with
its neighbours.  `vma_merge_existing_range` joins a range of an existing VMA whose attributes are about to change
(mprotect, madvise, mlock, mseal, userfaultfd).  `semantics`: only the record of a merge is mutable here.
"""

from __future__ import annotations

from attrs import define

from vmalab.linux.addr import PAGE_SHIFT
from vmalab.linux.flags import VM_ACCESS, VM_DONTEXPAND, VM_MAYBE_GUARD
from vmalab.linux.mm.huge import split_at
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.mm.vma import VMA, File

VM_SPECIAL = VM_DONTEXPAND
"""Flags that forbid every merge (VM_SPECIAL without those that no modelled mapping can have)."""


@define
class MergeRequest:
    """struct vma_merge_struct: the range [start, end) in bytes, and the attributes it will have.

    `prev`, `next`: the VMAs before and after, touching or not.  `middle`: the VMA that holds the range already, None
    for a new range.  `copied_from`: the source of a moving mremap.  `fresh`: mmap(2) makes it.
    """

    mm: AddressSpace
    start: int
    end: int
    pgoff: int
    flags: int
    file: File | None = None
    anon_vma: int | None = None
    chain: tuple[int, ...] = ()
    prev: VMA | None = None
    next: VMA | None = None
    middle: VMA | None = None
    copied_from: VMA | None = None
    anon_pgoff: int | None = None
    fresh: bool = False


def ignored_flags(mm: AddressSpace) -> int:
    """Flags that a merge does not compare (VM_IGNORE_MERGE)."""
    return VM_MAYBE_GUARD if mm.profile.guard_flag else 0


def _why_not_attributes(request: MergeRequest, neighbour: VMA) -> str | None:
    """is_mergeable_vma(): the first attribute that differs, as a catalogue word."""
    if request.flags & VM_SPECIAL:
        return "special"
    if (request.flags ^ neighbour.flags) & ~ignored_flags(request.mm):
        return "flags"
    if request.file is not neighbour.file:
        return "file"
    return None


def _why_not_anon_vma(request: MergeRequest, neighbour: VMA) -> str | None:
    """is_mergeable_anon_vma(): may `neighbour` absorb the range?  None, or why not."""
    ours, theirs = request.anon_vma, neighbour.anon_vma
    if theirs is not None and ours is None:
        return None if len(neighbour.chain) == 1 else "inherited"
    if theirs is None and ours is not None:
        return _why_not_faulted_into_unfaulted(request)
    return None if ours == theirs else "anon_vma"


def _why_not_faulted_into_unfaulted(request: MergeRequest) -> str | None:
    profile = request.mm.profile
    if not profile.faulted_joins_unfaulted:
        return "faulted"
    source = request.middle
    if request.copied_from is not None and not profile.copy_forgets_fork_child:
        source = request.copied_from
    return "inherited" if source is not None and source.is_fork_child else None


def _continues(neighbour: VMA, start: int, pgoff: int, anon_pgoff: int | None) -> bool:
    """Whether `neighbour`'s page offsets and those of a range at byte `start` are one sequence."""
    return neighbour.pgoff_at(start) == pgoff and neighbour.anon_pgoff_at(start) == anon_pgoff


def why_not_left(request: MergeRequest) -> str | None:
    """can_vma_merge_after(): None if the range can join `prev`, else the reason as a catalogue word."""
    prev = request.prev
    if prev is None or prev.end != request.start:
        return "apart"
    reason = _why_not_attributes(request, prev) or _why_not_anon_vma(request, prev)
    if reason is None and not _continues(prev, request.start, request.pgoff, request.anon_pgoff):
        reason = "pgoff"
    return reason


def why_not_right(request: MergeRequest) -> str | None:
    """can_vma_merge_before(): None if the range can join `next`, else the reason as a catalogue word."""
    after = request.next
    if after is None or after.start != request.end:
        return "apart"
    reason = _why_not_attributes(request, after) or _why_not_anon_vma(request, after)
    if reason is None and not _continues(after, request.start, request.pgoff, request.anon_pgoff):
        reason = "pgoff"
    return reason


def are_anon_vmas_compatible(left: VMA | None, right: VMA | None) -> bool:
    """Whether the outer two of a three-way merge agree with each other too."""
    assert left is not None and right is not None
    return left.anon_vma is None or right.anon_vma is None or left.anon_vma == right.anon_vma


def _note_apart(request: MergeRequest, func: str, left: str | None, right: str | None) -> None:
    """Tell why a touching neighbour did not merge."""
    for side, why, neighbour in (("left", left, request.prev), ("right", right, request.next)):
        if why not in (None, "apart"):
            request.mm.note(func, "no_merge", side=side, why=why, start=request.start, end=request.end,
                            neighbour=neighbour, flags=request.flags, pgoff=request.pgoff,
                            anon_vma=request.anon_vma)  # fmt: skip


def _flags_after(request: MergeRequest, base: int, *parts: VMA | None) -> int:
    """The flags of the merged VMA: `base`, and what a merge keeps of all participants (VM_STICKY)."""
    sticky = ignored_flags(request.mm)
    flags = base
    for part in parts:
        if part is not None:
            flags |= part.flags & sticky
    return flags


def vma_merge_new_range(request: MergeRequest) -> VMA | None:
    """Join the unmapped range with `prev`, `next` or both; return the VMA that holds it now, or None.

    Source: vma_merge_new_range() and vma_expand() in mm/vma.c; before 6.11 mmap_region() and vma_merge().
    """
    mm, prev, after = request.mm, request.prev, request.next
    if mm.profile.right_merge_first and request.fresh:
        left, right = _right_merge_first(request)
    else:
        left, right = why_not_left(request), why_not_right(request)
        if left is None and right is None and not are_anon_vmas_compatible(prev, after):
            right = "anon_vma"
    _note_apart(request, "vma_merge_new_range", left, right)
    if left is not None and right is not None:
        return None

    start, end, removed = request.start, request.end, []
    if right is None:
        assert after is not None
        target, end = after, after.end
        removed.append(after)
    if left is None:
        assert prev is not None
        target, start = prev, prev.start
        removed.insert(0, prev)
    anon_vma, chain = target.anon_vma, target.chain
    if anon_vma is None and len(removed) == 2 and after is not None:
        anon_vma, chain = after.anon_vma, after.chain
    if anon_vma is None and not (mm.profile.copy_forgets_anon_vma and request.copied_from is not None):
        anon_vma, chain = request.anon_vma, request.chain
    flags = _flags_after(request, request.flags if request.copied_from is None else target.flags, *removed)
    flags |= request.flags & ignored_flags(mm)
    merged = VMA(start, end, target.pgoff_at(start), flags, target.file, anon_vma, chain, target.id,
                 target.anon_pgoff_at(start))  # fmt: skip
    mm.replace("vma_merge_new_range", "merge_new", removed, (merged,), start=request.start, end=request.end,
               into=merged, sides=("left" if left is None else "") + ("right" if right is None else ""))  # fmt: skip
    return merged


def _right_merge_first(request: MergeRequest) -> tuple[str | None, str | None]:
    """mmap_region() of 6.1: the left side is judged with the anon_vma of the right one that already joined."""
    right = why_not_right(request)
    if right is None and request.next is not None:
        request.anon_vma, request.chain = request.next.anon_vma, request.next.chain
    left = why_not_left(request)
    request.anon_vma, request.chain = None, ()
    return left, right


def vma_merge_existing_range(request: MergeRequest) -> VMA | None:
    """Join [start, end) of `middle`, which gets new attributes, with `prev`, `next` or both; None if neither fits.

    A part of `middle` that joins a neighbour only moves the boundary between them; the whole of it disappears.
    Source: vma_merge_existing_range() in mm/vma.c.
    """
    mm, middle = request.mm, request.middle
    assert middle is not None
    at_left, at_right = request.start == middle.start, request.end == middle.end
    left = why_not_left(request) if at_left else "apart"
    right = why_not_right(request) if at_right else "apart"
    prev, after = request.prev, request.next
    whole = at_left and at_right
    if left is None and right is None and not are_anon_vmas_compatible(prev, after):
        right = "anon_vma"
    _note_apart(request, "vma_merge_existing_range", left, right)
    if left is not None and right is not None:
        return None

    removed = [middle]
    added = []
    if left is None and right is None:
        assert prev is not None and after is not None
        target, giver = prev, after if after.anon_vma is not None else middle
        start, end = prev.start, after.end
        removed = [prev, middle, after]
    elif left is None:
        assert prev is not None
        target, giver = prev, middle
        start, end = prev.start, request.end
        removed = [prev, middle]
        if not whole:
            added.append(middle.part(request.end, middle.end))
            split_at(mm, request.end >> PAGE_SHIFT, "edge")
    else:
        assert after is not None
        target, giver = after, middle
        start, end = request.start, after.end
        removed = [middle, after]
        if not whole:
            added.append(middle.part(middle.start, request.start))
            split_at(mm, request.start >> PAGE_SHIFT, "edge")
    anon_vma, chain = target.anon_vma, target.chain
    if anon_vma is None:
        anon_vma, chain = giver.anon_vma, giver.chain
    merged = VMA(start, end, target.pgoff_at(start), _flags_after(request, request.flags, *removed), target.file,
                 anon_vma, chain, target.id, target.anon_pgoff_at(start))  # fmt: skip
    mm.replace("vma_merge_existing_range", "merge_existing", removed, (*added, merged), start=request.start,
               end=request.end, into=merged,
               sides=("left" if left is None else "") + ("right" if right is None else ""))  # fmt: skip
    return merged


def split_vma(mm: AddressSpace, vma: VMA, address: int) -> tuple[VMA, VMA]:
    """Cut `vma` at byte `address`; both halves keep flags, file and anon_vma chain.  ENOMEM at the map-count limit."""
    if mm.map_count >= mm.limits.map_count:
        raise Refusal("ENOMEM", "split_vma", "map_count_split", vma=vma, at=address, count=mm.map_count,
                      limit=mm.limits.map_count)  # fmt: skip
    return force_split(mm, vma, address)


def force_split(mm: AddressSpace, vma: VMA, address: int) -> tuple[VMA, VMA]:
    """`split_vma` without the test of the map count, which munmap may exceed for a moment (__split_vma())."""
    mm.alloc("vm_area_dup")
    split_at(mm, address >> PAGE_SHIFT, "edge")
    low = vma.part(vma.start, address)
    high = vma.part(address, vma.end, mm.new_id())
    mm.replace("__split_vma", "split", (vma,), (low, high), vma=vma, at=address)
    return low, high


def vma_modify(mm: AddressSpace, vma: VMA, start: int, end: int, flags: int, *, pgoff: int | None = None) -> VMA:
    """Give [start, end) of `vma` other flags: merge if a neighbour fits, else split off and change.

    `pgoff`: what neighbours are held against, where that is not the page offset of the range.

    Returns the VMA that holds the range now.  Errors: ENOMEM when a split would exceed the map count; the first of two
    splits then stays.  Source: vma_modify() in mm/vma.c.
    """
    request = MergeRequest(mm, start, end, vma.pgoff_at(start) if pgoff is None else pgoff, flags, vma.file,
                           vma.anon_vma, vma.chain, mm.vma_prev(vma) if start == vma.start else vma,
                           mm.vma_next(vma), vma, anon_pgoff=vma.anon_pgoff_at(start))  # fmt: skip
    merged = vma_merge_existing_range(request)
    if merged is not None:
        return merged
    if vma.start < start:
        _, vma = split_vma(mm, vma, start)
    if vma.end > end:
        vma, _ = split_vma(mm, vma, end)
    changed = vma.with_flags(flags)
    mm.replace("vma_modify", "new_flags", (vma,), (changed,), vma=vma, was=vma.flags, now=flags)
    return changed


def find_mergeable_anon_vma(mm: AddressSpace, vma: VMA) -> tuple[int, VMA] | None:
    """A neighbour's anon_vma that the first write to `vma` can share, so that they can merge later.

    The next VMA is asked first.  Source: find_mergeable_anon_vma() and anon_vma_compatible() in mm/vma.c.
    """
    after, prev = mm.vma_next(vma), mm.vma_prev(vma)
    for neighbour, low, high in ((after, vma, after), (prev, prev, vma)):
        if neighbour is None or neighbour.anon_vma is None or len(neighbour.chain) != 1:
            continue
        assert low is not None and high is not None
        same = not (low.flags ^ high.flags) & ~(VM_ACCESS | ignored_flags(mm))
        follows = low.end == high.start and _continues(low, high.start, high.pgoff, high.anon_pgoff)
        if follows and same and low.file is high.file:
            return neighbour.anon_vma, neighbour
    return None
