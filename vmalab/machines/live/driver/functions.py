"""Which functions of the kernel a trace is folded to: those that decide about an address space, and that change it.

Names of all releases together; each kernel traces those that it has and did not inline.  What locks, walks or
accounts is left out: it is most of what the kernel does, and says nothing about a step.
"""

from __future__ import annotations

_CALLS = """
    brk clone fcntl ftruncate ioctl madvise mlock mlock2 mlockall mmap mprotect mremap mseal munlock munlockall munmap
    prctl shmat shmdt
"""

ENTRY = "__x64_sys_"
ENTRIES = frozenset(ENTRY + name for name in _CALLS.split())
"""Where a system call enters the kernel."""

FAULTS = {
    "handle_mm_fault": "%si", "lock_mm_and_find_vma": "%si", "bad_area": "%dx", "bad_area_nosemaphore": "%dx",
    "bad_area_access_error": "%dx",
}  # fmt: skip
"""Where an access of the program does, and the register that then holds its address."""

RETURNING = frozenset(
    """
    __do_munmap __get_unmapped_area __mm_populate __mmap_region __split_vma __vm_enough_memory __vm_munmap
    __x64_sys_brk __x64_sys_madvise __x64_sys_mlock __x64_sys_mmap __x64_sys_mprotect __x64_sys_mremap __x64_sys_mseal
    __x64_sys_munlock __x64_sys_munmap apply_vma_lock_flags check_prep_vma copy_vma_and_data do_brk_flags do_madvise
    do_mas_align_munmap do_mas_munmap do_mlock do_mmap do_mprotect_pkey do_mremap do_mseal do_munmap
    do_vmi_align_munmap do_vmi_munmap expand_downwards expand_stack expand_stack_locked get_unmapped_area
    madvise_do_behavior madvise_guard_install madvise_guard_remove madvise_update_vma madvise_vma_behavior mlock_fixup
    mmap_region move_vma mprotect_fixup mremap_to populate_vma_page_range prep_move_vma resize_is_valid split_vma
    userfaultfd_ioctl userfaultfd_register userfaultfd_register_range vm_mmap_pgoff vma_expand vma_merge_extend
    vma_modify vma_modify_flags vma_modify_flags_uffd vma_to_resize vms_gather_munmap_vmas vrm_set_new_addr
    """.split()
)
"""Those that return an errno: a refusal is theirs."""

FUNCTIONS = ENTRIES | FAULTS.keys() | RETURNING | frozenset(
    """
    __anon_vma_prepare __do_fault __handle_mm_fault __mseal_range __split_huge_pmd __split_huge_pmd_locked
    __unmap_hugepage_range __vma_adjust __vmf_anon_prepare __zap_vma_range anon_vma_clone anon_vma_fork
    apply_mlockall_flags arch_get_unmapped_area_topdown change_huge_pmd change_protection commit_merge copy_huge_pmd
    copy_page_range copy_process copy_vma do_anonymous_page do_fault do_huge_pmd_anonymous_page do_huge_pmd_wp_page
    do_swap_page do_wp_page dup_mmap filemap_map_pages find_mergeable_anon_vma finish_fault free_pgtables
    get_unmapped_area_zero guard_install_pte_entry guard_install_set_pte guard_remove_pmd_entry
    guard_remove_pte_entry handle_userfault hugepage_madvise hugetlb_fault kernel_clone ksys_mmap_pgoff madvise_cold
    madvise_collapse madvise_dontneed_free_valid_vma madvise_free_single_vma madvise_pageout may_expand_vm
    mfill_atomic_copy mfill_atomic_zeropage mfill_zeropage mlock_pte_range mm_get_unmapped_area
    mm_get_unmapped_area_vmaflags mm_get_unmapped_area_vmflags move_huge_pmd move_hugetlb_page_tables
    move_page_tables mremap_userfaultfd_complete mremap_userfaultfd_prep mseal_range remove_vma
    security_vm_enough_memory_mm set_pte_range shmem_fault shmem_get_folio_gfp shmem_get_unmapped_area shrink_vma
    split_huge_pmd_address split_huge_pmd_locked thp_get_unmapped_area thp_get_unmapped_area_vmaflags
    thp_get_unmapped_area_vmflags unlink_anon_vmas unmap_page_range unmap_region unmap_single_vma unmap_source_vma
    unmap_vmas userfaultfd_clear_vma userfaultfd_reset_ctx userfaultfd_set_ctx userfaultfd_unregister vm_area_dup
    vm_area_free vm_unmapped_area vma_adjust_trans_huge vma_complete vma_link vma_merge vma_merge_new_range
    vma_modify_flags_name vma_modify_name vma_prepare vma_shrink vms_clean_up_area vms_complete_munmap_vmas
    vrm_calc_charge walk_page_range_mm walk_page_range_mm_unsafe wp_page_copy zap_huge_pmd zap_page_range
    zap_page_range_single zap_page_range_single_batched zap_vma_range zap_vma_range_batched
    """.split()
)  # fmt: skip
"""All of them."""
