"""Where each release does what a step of the model names: the functions to look for in a kernel's own trace.

A step names the function of Linux 6.17 that it belongs to.  Another release may call it otherwise, have that code in
the system call itself, or its compiler may have put a static function into the one that calls it: then the trace has
no such function, and its caller stands for it.  Which functions a kernel can trace is in its recording
(`data/traces/`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from attrs import frozen


@frozen
class Place:
    """A function that stands for another one in a trace, and what the source says about that."""

    name: str
    source: str


_MREMAP = "__x64_sys_mremap"
_SYSCALL = Place(_MREMAP, "mm/mremap.c, before 6.17: the body of SYSCALL_DEFINE5(mremap)")
_DO_MREMAP = Place("do_mremap", "mm/mremap.c: static, called by do_mremap() alone")
_MOVE_VMA = Place("move_vma", "mm/mremap.c: static, called by move_vma() alone")
_MADVISE = (
    Place("madvise_vma_behavior", "mm/madvise.c: static, called by madvise_vma_behavior() alone"),
    Place("madvise_do_behavior", "mm/madvise.c: static, handed to madvise_walk_vmas(), whose one caller this is"),
    Place("do_madvise", "mm/madvise.c, before 6.15: static, behind madvise_walk_vmas() in do_madvise()"),
)
_FAULT = Place("do_fault", "mm/memory.c: static, called by do_fault() alone")

PLACES: Mapping[str, tuple[Place, ...]] = {
    "check_mremap_params": (_DO_MREMAP, _SYSCALL),
    "check_prep_vma": (
        Place("resize_is_valid", "mm/mremap.c, 6.15 and 6.16: what checks the VMA's size"),
        Place("vma_to_resize", "mm/mremap.c, before 6.15: what checks the VMA's size"),
    ),
    "check_prep_vma.nothing_at_addr": (
        Place("vma_to_resize", "mm/mremap.c, before 6.15: looks the VMA up again when the destination is unmapped"),
        _SYSCALL,
    ),
    "check_prep_vma.sealed": (_SYSCALL,),
    "remap_move": (_DO_MREMAP,),
    "mremap_to": (_SYSCALL,),
    "mremap_at": (_DO_MREMAP, _SYSCALL),
    "expand_vma": (_DO_MREMAP, _SYSCALL),
    "expand_vma_in_place": (_DO_MREMAP, _SYSCALL),
    "prep_move_vma": (_MOVE_VMA,),
    "vrm_set_new_addr": (_SYSCALL,),
    "vrm_calc_charge": (_MOVE_VMA, _SYSCALL),
    "dontunmap_complete": (_MOVE_VMA,),
    "get_unmapped_area": (
        Place("__get_unmapped_area", "include/linux/mm.h, since 6.10: get_unmapped_area() is static inline around it"),
    ),
    "file_mmap_ok": (Place("do_mmap", "mm/mmap.c: static inline"),),
    "mmap_region": (Place("__mmap_region", "mm/vma.c, since 6.12: mmap_region() is a check around it"),),
    "do_vmi_munmap": (Place("do_mas_munmap", "mm/mmap.c, before 6.4: its name"),),
    "vms_gather_munmap_vmas": (Place("do_mas_align_munmap", "mm/mmap.c, before 6.12: a loop of it"),),
    "vms_complete_munmap_vmas": (Place("do_mas_align_munmap", "mm/mmap.c, before 6.12: the end of it"),),
    "vms_clear_ptes": (Place("unmap_vmas", "mm/vma.c, static; before 6.12 unmap_region(): what it calls first"),),
    "split_vma": (Place("vma_modify", "mm/vma.c: static, in vma_modify()"),),
    "vma_merge_new_range": (
        Place("vma_merge", "mm/mmap.c, before 6.11: both kinds of merge"),
        Place("mmap_region", "mm/mmap.c, before 6.11: mmap looks at its neighbours itself"),
        _SYSCALL,
    ),
    "vma_merge_existing_range": (
        Place("vma_modify", "mm/vma.c: static, called by vma_modify() alone"),
        Place("vma_merge", "mm/mmap.c, before 6.11: both kinds of merge"),
    ),
    "vma_modify": (
        Place("mprotect_fixup", "mm/mprotect.c, before 6.7: sets the flags itself"),
        Place("mlock_fixup", "mm/mlock.c, before 6.7: sets the flags itself"),
        Place("userfaultfd_ioctl", "fs/userfaultfd.c, before 6.7: sets the flags itself"),
        Place("do_madvise", "mm/madvise.c, before 6.7: madvise_update_vma(), static, sets the flags itself"),
    ),
    "anon_vma_prepare": (Place("__anon_vma_prepare", "include/linux/rmap.h: static inline around it"),),
    "madvise_walk_vmas": _MADVISE[1:],
    "madvise_vma_behavior": _MADVISE[1:],
    "madvise_dontneed_free": _MADVISE,
    "madvise_guard_install": _MADVISE,
    "madvise_willneed": _MADVISE,
    "madvise_cold": _MADVISE,
    "madvise_free_single_vma": _MADVISE,
    "madvise_populate": _MADVISE[1:],
    "brk": (Place("__x64_sys_brk", "mm/mmap.c: SYSCALL_DEFINE1(brk)"),),
    "mlockall": (Place("__x64_sys_mlockall", "mm/mlock.c: SYSCALL_DEFINE1(mlockall)"),),
    "munlockall": (Place("apply_mlockall_flags", "mm/mlock.c: what SYSCALL_DEFINE0(munlockall) calls"),),
    "zap_page_range_single": (
        Place("zap_page_range_single_batched", "mm/memory.c, 6.16 to 7.2: what madvise calls of it"),
        Place("zap_vma_range_batched", "mm/memory.c, since 7.3: its name"),
    ),
    "__split_huge_pmd": (
        Place("split_huge_pmd_locked", "mm/huge_memory.c, since 6.12: what MADV_FREE calls, which has the lock"),
    ),
    "do_mseal": (Place("__x64_sys_mseal", "mm/mseal.c: static, called by SYSCALL_DEFINE3(mseal) alone"),),
    "userfaultfd_register": (
        Place("userfaultfd_ioctl", "fs/userfaultfd.c: static, called by userfaultfd_ioctl() alone"),
    ),
    "userfaultfd_unregister": (
        Place("userfaultfd_ioctl", "fs/userfaultfd.c: static, called by userfaultfd_ioctl() for UFFDIO_UNREGISTER"),
    ),
    "mfill_atomic": (
        Place("userfaultfd_ioctl", "mm/userfaultfd.c: behind UFFDIO_COPY and UFFDIO_ZEROPAGE, in userfaultfd_ioctl()"),
    ),
    "mwriteprotect_range": (
        Place("userfaultfd_ioctl", "mm/userfaultfd.c: behind UFFDIO_WRITEPROTECT, in userfaultfd_ioctl()"),
    ),
    "memfd_add_seals": (Place("__x64_sys_fcntl", "mm/memfd.c: static, in memfd_fcntl(), which fcntl calls"),),
    "memfd_check_seals_mmap": (Place("do_mmap", "mm/memfd.c, since 6.12: called by do_mmap() alone"),),
    "shmem_mmap": (Place("mmap_region", "mm/shmem.c, behind file->f_op->mmap, which mmap_region() calls"),),
    "shmem_setattr": (Place("__x64_sys_ftruncate", "mm/shmem.c, behind setattr, to which ftruncate comes"),),
    "prctl": (Place("__x64_sys_prctl", "kernel/sys.c: SYSCALL_DEFINE5(prctl)"),),
    "ftruncate": (Place("__x64_sys_ftruncate", "fs/open.c: SYSCALL_DEFINE2(ftruncate)"),),
    "unmap_mapping_range": (Place("__x64_sys_ftruncate", "mm/shmem.c: shmem_setattr(), which ftruncate comes to"),),
    "access_error": (Place("bad_area_access_error", "arch/x86/mm/fault.c: static inline; calls it where it refuses"),),
    "acct_stack_growth": (Place("expand_downwards", "mm/vma.c: static, called by expand_downwards()"),),
    "handle_pte_marker": (Place("do_swap_page", "mm/memory.c: static, called by do_swap_page() alone"),),
    "do_anonymous_page": (
        Place("__handle_mm_fault", "mm/memory.c, 6.1: static, in handle_pte_fault(), static, in __handle_mm_fault()"),
    ),
    "do_cow_fault": (_FAULT,),
    "do_shared_fault": (_FAULT,),
    "do_read_fault": (_FAULT,),
    "do_fault_around": (Place("filemap_map_pages", "mm/memory.c: static; calls vm_ops->map_pages, which is this"),),
    "do_huge_zero_wp_pmd": (
        Place("do_huge_pmd_wp_page", "mm/huge_memory.c: static, called by do_huge_pmd_wp_page() alone"),
    ),
    "dup_mmap": (Place("copy_process", "kernel/fork.c: static, in dup_mm(), static, in copy_mm(), static"),),
}  # fmt: skip
"""The function of a step, or `func.key` where one step of it lies elsewhere → what stands for it, best first."""

FIRST = frozenset({"get_unmapped_area", "mmap_region", "zap_page_range_single"})
"""Functions before which what stands for them is looked for, where a release has both."""

NOT_THE_KERNELS: Mapping[str, str] = {
    "store": "the processor writes, and the kernel is not asked",
    "limit": "setrlimit(2) or a sysctl, which changes no address space",
    "take_back": "what a refused call had begun and takes back: in the kernel it had not been stored yet",
    "do_mseal.no_mseal": "the system call does not exist before 6.10",
}
"""Steps that no trace can have → why."""


PARTLY = frozenset(
    """
    __split_huge_pmd split_vma vma_merge vma_to_resize mprotect_fixup mlock_fixup userfaultfd_ioctl madvise_vma_behavior
    """.split()
)
"""What a release can trace and yet has inlined into some of its callers, or does not call on every way to a step."""


def places(func: str, key: str, traceable: Collection[str]) -> tuple[str, ...]:
    """The names that a step may have in the trace of a kernel which can trace `traceable`, best first; empty: none.

    The first one decides, unless it is one of `PARTLY`.
    """
    if func in NOT_THE_KERNELS or f"{func}.{key}" in NOT_THE_KERNELS:
        return ()
    others = [place.name for place in PLACES.get(f"{func}.{key}", PLACES.get(func, ()))]
    found = []
    for name in [*others, func] if func in FIRST else [func, *others]:
        if name in traceable:
            found.append(name)
            if name not in PARTLY:
                break
    return tuple(found)
