"""mmap(2): where a mapping goes, what it replaces and what it merges with (mm/mmap.c, mm/vma.c)."""

from __future__ import annotations

from vmalab.linux.addr import PAGE, PAGE_SHIFT, WORD, is_aligned, page_align
from vmalab.linux.call import KINDS, Mmap
from vmalab.linux.flags import (
    SEALED_AGAINST_WRITING,
    VM_ACCOUNT,
    VM_GROWSDOWN,
    VM_LOCKED,
    VM_MAYEXEC,
    VM_MAYREAD,
    VM_MAYSHARE,
    VM_MAYWRITE,
    VM_NORESERVE,
    VM_SHARED,
    VM_WRITE,
)
from vmalab.linux.mm.fault import populate
from vmalab.linux.mm.merge import MergeRequest, vma_merge_new_range
from vmalab.linux.mm.mlock import can_do_mlock, mlock_future_ok
from vmalab.linux.mm.munmap import complete, gather
from vmalab.linux.mm.space import STACK_GUARD_GAP, AddressSpace
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.mm.vma import VMA, File
from vmalab.linux.scope import refuse

LARGEST_OFFSET = {"file": (1 << 63) - 1, "sharedfile": (1 << 63) - 1, "zero": (1 << 64) - 1}
"""The last byte that a mapping of each kind of file may have (file_mmap_size_max(), mm/mmap.c)."""

MEMFD_PAGES = 4096
"""Size of a scenario's memfd, in pages (contract)."""


def mmap(mm: AddressSpace, call: Mmap) -> int:
    """Map `call.length` bytes and return the address.

    Errors: EINVAL (unaligned MAP_FIXED address, length 0, MAP_GROWSDOWN of a file), ENOMEM (too large, no room, map
    count above its limit, RLIMIT_AS, RLIMIT_DATA), EEXIST (MAP_FIXED_NOREPLACE), EAGAIN (locked, over RLIMIT_MEMLOCK),
    EOVERFLOW (an offset past the largest file), EACCES (to be written, of a descriptor for reading), EPERM (below
    mmap_min_addr, over a sealed VMA, of a file sealed against it, or MAP_LOCKED where nothing may be locked).  Pages
    that MAP_POPULATE or MAP_LOCKED can't bring in are no error.
    Source: do_mmap() in mm/mmap.c, mmap_region() in mm/vma.c.
    """
    if call.kind not in KINDS:
        raise refuse("kind", call.kind, KINDS)
    if call.length == 0:
        raise Refusal("EINVAL", "do_mmap", "zero_length")
    length = page_align(call.length)
    if length == 0:
        raise Refusal("ENOMEM", "do_mmap", "too_long", length=call.length)
    if mm.map_count > mm.limits.map_count:
        raise Refusal("ENOMEM", "do_mmap", "map_count_mmap", count=mm.map_count, limit=mm.limits.map_count)
    start = _choose_address(mm, call, length)
    shared = call.kind in ("shared", "sharedfile")
    flags = _vm_flags(call, shared) | mm.def_flags
    if call.locked:
        can_do_mlock(mm, "do_mmap")
    mlock_future_ok(mm, flags, length >> PAGE_SHIFT, "do_mmap")
    if call.growsdown and call.kind != "anon":
        raise Refusal("EINVAL", "do_mmap", "growsdown_file", kind=call.kind)
    largest = LARGEST_OFFSET.get(call.kind)
    if largest is not None and call.pgoff > (largest - length) >> PAGE_SHIFT:
        raise Refusal("EOVERFLOW", "file_mmap_ok", "past_largest_file", pgoff=call.pgoff, length=length)
    if call.kind == "sharedfile":
        flags = _shared_of_file(mm, _opened(mm, call), flags)
    _mmap_region(mm, call, start, length, flags)
    if call.populate or flags & VM_LOCKED:
        populate(mm, start, start + length, whatever=True)
    return start


def _vm_flags(call: Mmap, shared: bool) -> int:
    """The VM_* bits of a new mapping (calc_vm_prot_bits(), accountable_mapping())."""
    flags = call.prot | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC
    if shared:
        flags |= VM_SHARED | VM_MAYSHARE
    if call.growsdown:
        flags |= VM_GROWSDOWN
    if call.locked:
        flags |= VM_LOCKED
    if call.noreserve:
        flags |= VM_NORESERVE
    elif flags & (VM_WRITE | VM_SHARED) == VM_WRITE:
        flags |= VM_ACCOUNT
    return flags


def _shared_of_file(mm: AddressSpace, file: File, flags: int) -> int:
    """The VM_* bits of a shared mapping of `file`: what its descriptor, and its seals, allow.

    Errors: EACCES (to be written, by a descriptor for reading), EPERM (to be written, and sealed against that).
    Source: do_mmap(), memfd_check_seals_mmap().
    """
    if not file.writable:
        if flags & VM_WRITE:
            raise Refusal("EACCES", "do_mmap", "opened_for_reading", file=file.name)
        flags &= ~(VM_MAYWRITE | VM_SHARED)
    elif file.inode.seals & SEALED_AGAINST_WRITING:
        if not flags & VM_WRITE:
            flags &= ~VM_MAYWRITE
        elif not mm.profile.seals_checked_late:
            raise Refusal("EPERM", "memfd_check_seals_mmap", "sealed_file", file=file.name)
    return flags


def _file_of(mm: AddressSpace, call: Mmap, length: int) -> File | None:
    if call.kind == "anon":
        return None
    if call.kind == "shared":
        return File("shmem", "shmem", length >> PAGE_SHIFT)
    if call.kind == "zero":
        return mm.files.setdefault("/dev/zero", File("/dev/zero", "zero", 0))
    return _opened(mm, call)


def _opened(mm: AddressSpace, call: Mmap) -> File:
    """The descriptor by which an mmap maps its memfd."""
    file = memfd(mm, call.file)
    return mm.files.setdefault(f"{call.file}\0", File(file.name, file.kind, reopened=file)) if call.readonly else file


def memfd(mm: AddressSpace, name: str) -> File:
    """The file of that name; each is made once."""
    if name not in mm.files:
        mm.files[name] = File(name, "memfd", MEMFD_PAGES)
    return mm.files[name]


def _choose_address(mm: AddressSpace, call: Mmap, length: int) -> int:
    if call.addr is not None and (call.fixed or call.noreplace):
        start = fixed_area(mm, call.addr, length, "do_mmap")
        if call.noreplace and (there := mm.intersecting(start, start + length)):
            raise Refusal("EEXIST", "do_mmap", "noreplace", vma=there[0], start=start, end=start + length)
        return start
    hint = (call.addr or 0) & -PAGE
    if call.kind == "zero":
        thp = thp_offset(mm, call.pgoff, hint, length, anonymous=False)
    elif call.kind in ("file", "sharedfile") and (mapped := mm.files.get(call.file)) and mapped.kind == "disk":
        thp = call.pgoff << PAGE_SHIFT  # thp_get_unmapped_area() of ext4, xfs, btrfs
    else:
        thp = thp_offset(mm, 0, hint, length) if call.kind == "anon" else None
    return get_unmapped_area(mm, hint, length, thp=thp)


def thp_offset(mm: AddressSpace, pgoff: int, hint: int, length: int, *, anonymous: bool = True) -> int | None:
    """The offset (bytes) to which a place for private memory lies alike within 2 MiB, for huge pages; None: anywhere.

    `anonymous`: without a file, where the offset is 0; else of /dev/zero.  `pgoff`: pages.  Source:
    __get_unmapped_area(), get_unmapped_area_zero().
    """
    profile = mm.profile
    if not anonymous:
        return pgoff << PAGE_SHIFT if profile.thp_aligned_dev_zero else None
    if profile.thp_aligned_mmap and (profile.thp_aligns_odd_lengths or (not hint and length % mm.arch.pmd_size == 0)):
        return 0
    return None


def fixed_area(mm: AddressSpace, address: int, length: int, func: str) -> int:
    """Check an address that the caller insists on (get_unmapped_area() with MAP_FIXED)."""
    if length > mm.arch.task_size:
        raise Refusal("ENOMEM", func, "too_long", length=length)
    if address > mm.arch.task_size - length:
        raise Refusal("ENOMEM", func, "beyond_task_size", start=address, length=length)
    if not is_aligned(address):
        raise Refusal("EINVAL", func, "unaligned", what="addr", address=address)
    if address < mm.limits.mmap_min_addr and not mm.privileged:
        raise Refusal("EPERM", func, "below_min_addr", address=address, least=mm.limits.mmap_min_addr)
    return address


def get_unmapped_area(mm: AddressSpace, hint: int, length: int, *, thp: int | None = None) -> int:
    """The address the kernel chooses for `length` bytes: the hint if it is free, else the highest hole below
    mmap_base that fits.  ENOMEM if there is none.  O(n).

    `thp`: what `thp_offset` gave.  Source: arch_get_unmapped_area_topdown(), thp_get_unmapped_area().
    """
    if length > mm.arch.task_size:
        raise Refusal("ENOMEM", "get_unmapped_area", "too_long", length=length)
    if (given := mm.given) is not None:
        mm.given = None
        if mm.seeks_own_choice:
            try:
                mm.own_choice = get_unmapped_area(mm, hint, length, thp=thp)
            except Refusal:
                mm.own_choice = None
        mm.note("get_unmapped_area", "placed", address=given, length=length, how="plain")
        return given
    hint &= -PAGE
    if hint:
        hint = max(hint, mm.limits.mmap_min_addr)
    if thp is not None and (found := _alike(mm, hint, length, thp)) is not None:
        return found
    if hint and _is_free(mm, hint, length):
        mm.note("get_unmapped_area", "hint_taken", address=hint, length=length)
        return hint
    found = _highest_hole(mm, length)
    if found is None:
        raise Refusal("ENOMEM", "get_unmapped_area", "no_room", length=length)
    mm.note("get_unmapped_area", "placed", address=found, length=length, how="plain")
    return found


def _alike(mm: AddressSpace, hint: int, length: int, offset: int) -> int | None:
    """A place that lies to 2 MiB as byte `offset` of the file does; None where no huge page would fit, or no room is.

    Room is sought for 2 MiB more than `length`, and a hint is only taken where it has that.
    """
    huge = mm.arch.pmd_size
    if offset + length - ((offset + huge - 1) & -huge) < huge or offset + length + huge > WORD:
        return None
    if hint and _is_free(mm, hint, length + huge):
        mm.note("get_unmapped_area", "hint_taken", address=hint, length=length)
        return hint
    padded = _highest_hole(mm, length + huge)
    if padded is None:
        return None
    address = padded + ((offset - padded) % huge or huge)
    how = "alike" if offset % huge else "aligned"
    mm.note("get_unmapped_area", "placed", address=address, length=length, how=how)
    return address


def _is_free(mm: AddressSpace, start: int, length: int) -> bool:
    """Whether `length` bytes from `start` can be had, with the gap that a stack needs below it."""
    after = mm.find_vma(start)
    return start <= mm.arch.task_size - length and (after is None or start + length <= start_gap(after))


def start_gap(vma: VMA) -> int:
    """vm_start_gap(): where the room kept below a VMA begins."""
    return max(0, vma.start - STACK_GUARD_GAP) if vma.flags & VM_GROWSDOWN else vma.start


def _highest_hole(mm: AddressSpace, length: int) -> int | None:
    """The start of the topmost `length` free bytes below mmap_base, or above it where nothing fits below."""
    top = mm.mmap_base
    for vma in mm.downwards():
        if vma.end <= top and top - vma.end >= length:
            return top - length
        top = min(top, start_gap(vma))
    if top - mm.limits.mmap_min_addr >= length:
        return top - length
    last = mm.find_vma_prev(mm.arch.task_size)
    bottom = max(mm.mmap_base, last.end if last else 0)
    return bottom if mm.arch.task_size - bottom >= length else None


def _room_for(mm: AddressSpace, flags: int, pages: int) -> None:
    """RLIMIT_AS and RLIMIT_DATA, which count only pages that are not mapped there already."""
    if not mm.may_expand_vm(flags, pages):
        raise Refusal("ENOMEM", "mmap_region", "rlimit_as", pages=pages, total=mm.total_vm,
                      limit=mm.limits.address_space)  # fmt: skip


def _mmap_region(mm: AddressSpace, call: Mmap, start: int, length: int, flags: int) -> None:
    end = start + length
    pages = length >> PAGE_SHIFT
    gone: list[VMA] = []
    if mm.profile.mmap_cuts_first:
        gone = gather(mm, start, end)
        _room_for(mm, flags, pages - sum(vma.pages for vma in gone))
    else:
        mapped = (min(end, vma.end) - max(start, vma.start) for vma in mm.intersecting(start, end))
        _room_for(mm, flags, pages - (sum(mapped) >> PAGE_SHIFT))
        gone = gather(mm, start, end)
    if flags & VM_ACCOUNT:
        mm.charge("mmap_region", pages)
    if mm.profile.mmap_cuts_first:
        complete(mm, gone, start, end, why="unmap_destination", func="vms_clear_ptes")
    else:
        complete(mm, gone, start, end, why="unmap_destination")
    file = _file_of(mm, call, length)
    if file is None:
        pgoff = start >> PAGE_SHIFT
    else:
        pgoff = 0 if call.kind == "shared" else call.pgoff
    has_two = mm.profile.private_files_have_anon_pgoff and call.kind == "file"
    anon_pgoff = start >> PAGE_SHIFT if has_two else None
    request = MergeRequest(mm, start, end, pgoff, flags, file, prev=mm.find_vma_prev(start), next=mm.find_vma(end),
                           fresh=True, anon_pgoff=anon_pgoff)  # fmt: skip
    if vma_merge_new_range(request) is None:
        sealed = file is not None and file.inode.seals & SEALED_AGAINST_WRITING
        if sealed and flags & VM_WRITE and flags & VM_SHARED:
            raise Refusal("EPERM", "shmem_mmap", "sealed_file", file=call.file)
        vma = VMA(start, end, pgoff, flags, file, id=mm.new_id(), anon_pgoff=anon_pgoff)
        mm.replace("mmap_region", "new_vma", (), (vma,), vma=vma)
    mm.vm_stat_account(flags, pages)
    if flags & VM_LOCKED:
        mm.locked_vm += pages
