"""What mremap(2) checks before it changes anything, and in which order, release by release.

The order decides which errno wins when several things are wrong; the tables below are that order.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define

from vmalab.linux.addr import PAGE_SHIFT, WORD, is_aligned, page_align
from vmalab.linux.flags import (
    MREMAP_DONTUNMAP,
    MREMAP_FIXED,
    MREMAP_MAYMOVE,
    VM_DONTEXPAND,
    VM_LOCKED,
    VM_MAYSHARE,
    VM_SEALED,
    VM_SHARED,
)
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.mm.vma import VMA

KNOWN_FLAGS = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP
PARAMS = "check_mremap_params"


@define
class RemapRequest:
    """struct vma_remap_struct: one mremap call on its way.  Addresses and lengths in bytes."""

    mm: AddressSpace
    addr: int
    old_len: int
    new_len: int
    flags: int
    new_addr: int
    vma: VMA | None = None
    mlocked: bool = False
    populate_from: int = 0
    populate_len: int = 0

    @property
    def implies_new_addr(self) -> bool:
        """Whether new_addr means anything (vrm_implies_new_addr())."""
        return bool(self.flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))

    @property
    def source(self) -> VMA:
        """The VMA at addr, once it was looked up."""
        assert self.vma is not None
        return self.vma


def _unknown_flags(vrm: RemapRequest) -> None:
    if vrm.flags & ~KNOWN_FLAGS:
        raise Refusal("EINVAL", PARAMS, "unknown_flags", flags=vrm.flags & ~KNOWN_FLAGS)


def _addr_aligned(vrm: RemapRequest) -> None:
    if not is_aligned(vrm.addr):
        raise Refusal("EINVAL", PARAMS, "unaligned", what="addr", address=vrm.addr)


def _new_addr_aligned(vrm: RemapRequest) -> None:
    if vrm.implies_new_addr and not is_aligned(vrm.new_addr):
        raise Refusal("EINVAL", PARAMS, "unaligned", what="new_addr", address=vrm.new_addr)


def _new_len_not_zero(vrm: RemapRequest) -> None:
    if not page_align(vrm.new_len):
        raise Refusal("EINVAL", PARAMS, "new_len_zero", length=vrm.new_len)


def _new_len_fits(vrm: RemapRequest) -> None:
    if page_align(vrm.new_len) > vrm.mm.arch.task_size:
        raise Refusal("EINVAL", PARAMS, "too_long", length=vrm.new_len)


def _target_fits(vrm: RemapRequest) -> None:
    length = page_align(vrm.new_len)
    if vrm.implies_new_addr and (length > vrm.mm.arch.task_size or vrm.new_addr > vrm.mm.arch.task_size - length):
        raise Refusal("EINVAL", PARAMS, "beyond_task_size", start=vrm.new_addr, length=length)


def _target_fits_always(vrm: RemapRequest) -> None:
    if vrm.mm.profile.target_range_always_checked and vrm.new_addr > vrm.mm.arch.task_size - page_align(vrm.new_len):
        raise Refusal("EINVAL", PARAMS, "beyond_task_size", start=vrm.new_addr, length=page_align(vrm.new_len))


def _maymove_given(vrm: RemapRequest) -> None:
    if vrm.implies_new_addr and not vrm.flags & MREMAP_MAYMOVE:
        raise Refusal("EINVAL", PARAMS, "needs_maymove", flags=vrm.flags)


def _fixed_has_maymove(vrm: RemapRequest) -> None:
    if vrm.flags & MREMAP_FIXED:
        _maymove_given(vrm)


def _dontunmap_has_maymove(vrm: RemapRequest) -> None:
    if vrm.flags & MREMAP_DONTUNMAP:
        _maymove_given(vrm)


def _dontunmap_raw_lengths(vrm: RemapRequest) -> None:
    if vrm.flags & MREMAP_DONTUNMAP and vrm.old_len != vrm.new_len:
        raise Refusal("EINVAL", PARAMS, "dontunmap_resizes", old=vrm.old_len, new=vrm.new_len)


def _dontunmap_lengths(vrm: RemapRequest) -> None:
    if vrm.flags & MREMAP_DONTUNMAP and page_align(vrm.old_len) != page_align(vrm.new_len):
        raise Refusal("EINVAL", PARAMS, "dontunmap_resizes", old=vrm.old_len, new=vrm.new_len)


def _no_overlap(vrm: RemapRequest) -> None:
    if not vrm.implies_new_addr:
        return
    old, new = page_align(vrm.old_len), page_align(vrm.new_len)
    if (vrm.addr + old) & WORD > vrm.new_addr and (vrm.new_addr + new) & WORD > vrm.addr:
        raise Refusal("EINVAL", PARAMS, "overlap", start=vrm.addr, end=vrm.addr + old, target=vrm.new_addr,
                      target_end=vrm.new_addr + new)  # fmt: skip


def _map_count_early(vrm: RemapRequest) -> None:
    """Room for the splits that a move may need, up to 7.0 only for calls that name a target."""
    mm = vrm.mm
    profile, limit = mm.profile, mm.limits.map_count
    if profile.headroom_of_7_1:
        needed = 4 + (1 if profile.headroom_counts_dontunmap and vrm.flags & MREMAP_DONTUNMAP else 0)
        short = mm.map_count + needed > limit
    else:
        needed = 6
        short = vrm.implies_new_addr and mm.map_count + 2 >= limit - 3
    if short:
        raise Refusal("ENOMEM", PARAMS, "map_count_early", count=mm.map_count, limit=limit, needed=needed)


def _vma_found(vrm: RemapRequest) -> None:
    if vrm.vma is None:
        raise Refusal("EFAULT", "check_prep_vma", "nothing_at_addr", start=vrm.addr)


def _not_sealed(vrm: RemapRequest) -> None:
    if vrm.source.flags & VM_SEALED:
        raise Refusal("EPERM", "check_prep_vma", "sealed", vma=vrm.source)


Check = Callable[[RemapRequest], None]

BEFORE_LOOKUP: dict[str, tuple[Check, ...]] = {
    "6.1 to 6.14": (
        _unknown_flags, _fixed_has_maymove, _dontunmap_has_maymove, _dontunmap_raw_lengths, _addr_aligned,
        _new_len_not_zero,
    ),
    "6.15 and 6.16": (
        _unknown_flags, _addr_aligned, _new_len_not_zero, _new_addr_aligned, _maymove_given, _dontunmap_raw_lengths,
        _map_count_early,
    ),
    "6.17 and later": (
        _unknown_flags, _addr_aligned, _new_len_not_zero, _new_len_fits, _target_fits_always, _target_fits,
        _new_addr_aligned, _maymove_given, _dontunmap_lengths, _no_overlap, _map_count_early,
    ),
}  # fmt: skip
"""What is checked before the VMA at addr is looked up; the first that fails decides."""

AFTER_LOOKUP: dict[str, tuple[Check, ...]] = {
    "6.1 to 6.14": (_vma_found, _not_sealed, _new_addr_aligned, _target_fits, _no_overlap, _map_count_early),
    "6.15 and 6.16": (_vma_found, _not_sealed, _target_fits, _no_overlap),
    "6.17 and later": (),
}
"""What is checked once it was looked up, before anything is unmapped; since 6.17 all of that is in check_prep_vma."""


def argument_order(mm: AddressSpace) -> str:
    """Which column of the two tables holds under this profile."""
    if mm.profile.order_of_6_17:
        return "6.17 and later"
    return "6.15 and 6.16" if mm.profile.order_of_6_15 else "6.1 to 6.14"


def check_mremap_params(vrm: RemapRequest) -> None:
    """Check the arguments alone.  Errors: EINVAL, and ENOMEM for the map count (check_mremap_params())."""
    for check in BEFORE_LOOKUP[argument_order(vrm.mm)]:
        check(vrm)
    vrm.mm.note(PARAMS, "arguments_fine")


def check_after_lookup(vrm: RemapRequest) -> None:
    """Before 6.17: the checks between the look-up and the unmapping of the destination."""
    for check in AFTER_LOOKUP[argument_order(vrm.mm)]:
        check(vrm)


def check_prep_vma(vrm: RemapRequest) -> None:
    """Check the source VMA against this step's lengths (check_prep_vma(); before 6.17 vma_to_resize()).

    Errors, first failure first: EFAULT (no VMA), EPERM (sealed), EINVAL (duplicating private memory; DONTUNMAP of
    special memory), EFAULT (crosses the VMA's end; growth of special memory), EAGAIN (RLIMIT_MEMLOCK), ENOMEM
    (RLIMIT_AS, RLIMIT_DATA).
    """
    mm, func = vrm.mm, "check_prep_vma"
    _vma_found(vrm)
    _not_sealed(vrm)
    vma = vrm.source
    if not vrm.implies_new_addr and vrm.new_len <= vrm.old_len:
        return
    if not vrm.old_len and not vma.flags & (VM_SHARED | VM_MAYSHARE):
        raise Refusal("EINVAL", func, "duplicate_private", vma=vma)
    if vrm.flags & MREMAP_DONTUNMAP and vma.flags & VM_DONTEXPAND:
        raise Refusal("EINVAL", func, "dontunmap_special", vma=vma)
    old_len = min(vrm.old_len, vrm.new_len)
    if vrm.addr + old_len > vma.end:
        raise Refusal("EFAULT", func, "crosses_vma_end", vma=vma, start=vrm.addr, end=vrm.addr + old_len,
                      past=vrm.addr + old_len - vma.end, next=mm.vma_next(vma), flags=vrm.flags,
                      growth=vrm.new_len - vrm.old_len, many=mm.profile.multi_vma_move)  # fmt: skip
    if vrm.new_len == old_len:
        mm.note(func, "source_fine", vma=vma, start=vrm.addr, end=vrm.addr + old_len)
        return
    growth = vrm.new_len - old_len
    if vma.flags & VM_DONTEXPAND:
        raise Refusal("EFAULT", func, "may_not_expand", vma=vma)
    pages = growth >> PAGE_SHIFT
    if vma.flags & VM_LOCKED and not mm.privileged and mm.locked_vm + pages > mm.limits.memlock:
        raise Refusal("EAGAIN", func, "rlimit_memlock", pages=pages, total=mm.locked_vm, limit=mm.limits.memlock)
    if not mm.may_expand_vm(vma.flags, pages):
        raise Refusal("ENOMEM", func, "rlimit_as", pages=pages, total=mm.total_vm, limit=mm.limits.address_space)
    mm.note(func, "may_grow", vma=vma, pages=pages)
