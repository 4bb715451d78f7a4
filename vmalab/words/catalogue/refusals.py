"""Why a call was refused: one clause a rule, which follows the errno ("EFAULT: the range …") and ends without a stop.

Keys as in `steps.py`.
"""

from __future__ import annotations

REFUSALS: dict[str, str] = {
    # --- arguments, of any call ---
    "unaligned": "{what:text}, {address:place}, is not at the start of a page",
    "userfaultfd_register.unaligned": (
        "userfaultfd wants both the address, {address:place}, and the length in whole pages"
    ),
    "zero_length": "the length is 0, and a mapping has at least one page",
    "do_vmi_munmap.zero_length": "the length is 0, so there is nothing that it could unmap",
    "wraps": "a length of {length:size} from {start:place} runs past the end of all addresses",
    "too_long": "a length of {length:size} is more than the address space of a process holds (TASK_SIZE)",
    "beyond_task_size/zero": "the length is 0, and there must be something to register",
    "beyond_task_size/high": (
        "{length:size} from {start:place} would end above TASK_SIZE, where the addresses of a process end"
    ),
    # --- mremap: arguments ---
    "unknown_flags": "flags has bits that mremap does not know, {flags:hex}",
    "needs_maymove": "{flags:remap_flags} needs MREMAP_MAYMOVE with it, since it always moves",
    "new_len_zero": (
        "the new length is 0, and mremap leaves at least one page (munmap is the call that removes a mapping)"
    ),
    "dontunmap_resizes": "MREMAP_DONTUNMAP can't resize: the old length is {old:size} and the new one {new:size}",
    "overlap": "the old range ({start..end:span}) and the new one ({target..target_end:span}) overlap",
    # --- mremap: the source ---
    "nothing_at_addr": "nothing is mapped at {start:place}, where the old range starts",
    "check_prep_vma.sealed": "VMA {vma:vma} is sealed, so mremap may neither move nor resize it",
    "duplicate_private": (
        "an old length of 0 asks for a second mapping of the same pages, which only a shared mapping can have; VMA "
        "{vma:vma} is private"
    ),
    "dontunmap_special": "MREMAP_DONTUNMAP is not for special mappings such as VMA {vma:vma} (VM_DONTEXPAND)",
    "crosses_vma_end/move": (
        "the range runs {past:size} past the end of VMA {vma:vma}; until Linux 6.16 one call moves one VMA"
    ),
    "crosses_vma_end/grow": (
        "the range runs {past:size} past the end of VMA {vma:vma}; a call that grows a mapping works on one VMA"
    ),
    "crosses_vma_end/shrink": (
        "what is left of the range after shrinking runs {past:size} past the end of VMA {vma:vma}; a call that "
        "shrinks and moves works on one VMA"
    ),
    "crosses_vma_end/hint": (
        "the range runs {past:size} past the end of VMA {vma:vma}; only with MREMAP_FIXED may one call move several "
        "VMAs"
    ),
    "may_not_expand": "VMA {vma:vma} is a special mapping that can't grow (VM_DONTEXPAND)",
    "check_prep_vma.rlimit_memlock": (
        "the mapping is locked, and {pages:pages} more on top of {total:pages} locked would exceed RLIMIT_MEMLOCK, "
        "{limit:pages}"
    ),
    "check_prep_vma.rlimit_as/as": (
        "growing by {pages:pages} on top of {total:pages} mapped would exceed RLIMIT_AS, {limit:pages}"
    ),
    "check_prep_vma.rlimit_as/data": (
        "growing by {pages:pages} would exceed RLIMIT_DATA, the limit of private writable memory"
    ),
    "mremap_to.rlimit_as/as": (
        "MREMAP_DONTUNMAP keeps the old place too, and {pages:pages} more on top of {total:pages} mapped would "
        "exceed RLIMIT_AS, {limit:pages}"
    ),
    "mremap_to.rlimit_as/data": (
        "MREMAP_DONTUNMAP keeps the old place too, and {pages:pages} more would exceed RLIMIT_DATA, the limit of "
        "private writable memory"
    ),
    # --- mremap: several VMAs ---
    "gap_at_start": (
        "nothing is mapped at {start:place}, where the range starts; gaps may lie inside or at the end, but the "
        "first VMA, {vma:vma}, would have to be at the start"
    ),
    "nothing_mapped": "nothing is mapped at {start..end:span}, so there is nothing to move",
    "first_not_allowed": (
        "VMA {vma:vma} {why:@not_allowed}, so it may only move alone; the range goes on for {beyond:size} behind it"
    ),
    "first_not_allowed_late": (
        "the VMA that was moved first may only move alone, and now a second one, {vma:vma}, turned up"
    ),
    "later_not_allowed": (
        "VMA {vma:vma} {why:@not_allowed}, so it may only move alone, not together with those before it"
    ),
    # --- mremap: the destination and the move ---
    "destination_took_source": (
        "the new range covers {start:place}, so unmapping the destination removed the source itself"
    ),
    "no_room_may_not_move/occupied": (
        "VMA {vma:vma} can't grow by {delta:size} where it is: VMA {next:vma} is in the way; without MREMAP_MAYMOVE "
        "it may not move to where there is room"
    ),
    "no_room_may_not_move/other": (
        "VMA {vma:vma} can't grow by {delta:size} where it is: {why:@in_place}; without MREMAP_MAYMOVE it may not "
        "move to where there is room"
    ),
    "cannot_extend": "VMA {vma:vma} can't be extended where it is, because special mappings do not merge",
    "map_count_early": (
        "there are {count:VMAs} and vm.max_map_count is {limit:number}; before it starts, mremap wants headroom for "
        "{needed:number} more"
    ),
    "map_count_move": (
        "there are {count:VMAs} and vm.max_map_count is {limit:number}; to move VMA {vma:vma} the kernel wants "
        "headroom for {needed:number} more"
    ),
    # --- choosing and clearing a place ---
    "no_room": "no hole in the address space has room for {length:size}",
    "below_min_addr": "{address:place} is below vm.mmap_min_addr, {least:hex}, which takes CAP_SYS_RAWIO",
    "noreplace": "VMA {vma:vma} lies in the range, and MAP_FIXED_NOREPLACE replaces nothing",
    "past_largest_file": "no file is so large that it has {length:size} behind page {pgoff:text}",
    "opened_for_reading": (
        "the mapping is to be shared and writable, and the descriptor of the file {file:text} is open for reading only"
    ),
    "sealed_file": "the mapping is to be shared and writable, and the file {file:text} is sealed against writing",
    "file_sealed_shrink": "the file {file:text} is sealed against getting shorter (F_SEAL_SHRINK)",
    "file_sealed_grow": "the file {file:text} is sealed against getting longer (F_SEAL_GROW)",
    "unknown_seals": "{seals:hex} are no seals that this kernel knows",
    "sealed_seals": "the file {file:text} takes no more seals (F_SEAL_SEAL)",
    "mapped_writable": (
        "F_SEAL_WRITE wants no shared mapping that may write to the file {file:text}, and VMA {vma:vma} is one"
    ),
    "mapped_writable_elsewhere": (
        "F_SEAL_WRITE wants no shared mapping that may write to the file {file:text}, and the other process has one"
    ),
    "no_anon_names": "this kernel is built without names for anonymous memory (CONFIG_ANON_VMA_NAME)",
    "growsdown_file": "MAP_GROWSDOWN is for private anonymous memory, and not for a mapping of kind {kind:text}",
    "vms_gather_munmap_vmas.sealed": "VMA {vma:vma} is sealed, so nothing may unmap it",
    "map_count_split": (
        "cutting VMA {vma:vma} at {at:place} would add a VMA, and there are {count:VMAs} where vm.max_map_count is "
        "{limit:number}"
    ),
    "map_count_mmap": "there are {count:VMAs} already, more than vm.max_map_count, {limit:number}",
    "mmap_region.rlimit_as/as": "{pages:pages} on top of {total:pages} mapped would exceed RLIMIT_AS, {limit:pages}",
    "mmap_region.rlimit_as/data": "{pages:pages} more would exceed RLIMIT_DATA, the limit of private writable memory",
    "commit_charge": "{pages:pages} are more at once than all memory there is, {total:pages}, and so can't be promised",
    "injected_failure": (
        "the kernel finds no memory in {where:text}() (a failure that was asked for, to see what happens)"
    ),
    "do_mmap.rlimit_memlock": (
        "the new mapping is to be locked, and its {pages:pages} on top of {total:pages} locked would exceed "
        "RLIMIT_MEMLOCK, {limit:pages}"
    ),
    # --- the heap ---
    "below_heap": "the heap starts at {start:place}, and its end can't lie below that",
    "heap_rlimit_data": (
        "a heap of {length:size} would exceed RLIMIT_DATA, {limit:pages}: the heap counts from its start, with what "
        "was unmapped in it"
    ),
    "heap_not_mapped": "nothing is mapped at {start..end:span}, so there is nothing of the heap to give back",
    "heap_in_the_way": (
        "the heap can't grow to {start..end:span}: a page must stay free behind it, and VMA {vma:vma} is in the way"
    ),
    "brk.rlimit_memlock": (
        "new memory is to be locked, and {pages:pages} of heap on top of {total:pages} locked would exceed "
        "RLIMIT_MEMLOCK, {limit:pages}"
    ),
    "do_brk_flags.rlimit_as/as": (
        "{pages:pages} of heap on top of {total:pages} mapped would exceed RLIMIT_AS, {limit:pages}"
    ),
    "do_brk_flags.rlimit_as/data": (
        "{pages:pages} of heap would exceed RLIMIT_DATA, the limit of private writable memory"
    ),
    # --- mprotect, madvise, mlock, mseal, userfaultfd ---
    "do_mprotect_pkey.gap": "nothing is mapped at {at:place}; mprotect works from VMA to VMA and stops at a gap",
    "unknown_prot": "prot {prot:hex} has bits that mprotect does not know",
    "not_allowed": (
        "VMA {vma:vma} may never have these rights: its file was not opened for them, or is sealed against them"
    ),
    "mprotect_fixup.sealed": "VMA {vma:vma} is sealed, so its protection may not change",
    "rlimit_data": "{pages:pages} more of private writable memory would exceed RLIMIT_DATA, {limit:pages}",
    "unknown_advice": "this kernel does not know the advice {advice:text}",
    "gap_skipped": (
        "nothing is mapped at {at:place}; madvise did its work on every mapped part and reports the gap afterwards"
    ),
    "madvise_vma_behavior.sealed": (
        "VMA {vma:vma} is sealed and can't be written, so advice that throws contents away is refused"
    ),
    "wipeonfork_file": "wipeonfork is for private anonymous memory only, and VMA {vma:vma} is not that",
    "guard_file": (
        "before Linux 6.15 guard markers are for writable private anonymous memory only, and VMA {vma:vma} is not that"
    ),
    "madvise_dontneed_free.locked": "VMA {vma:vma} is locked, and locked pages may not be dropped",
    "madvise_guard_install.locked": "VMA {vma:vma} is locked, and locked memory takes no guard markers",
    "free_file": "MADV_FREE is for private anonymous memory, and VMA {vma:vma} is not that",
    "madvise_cold.locked": "VMA {vma:vma} is locked, and locked pages may not be sent away",
    "madvise_populate.gap": "nothing is mapped at {at:place}; populating works from VMA to VMA and stops at a gap",
    "madvise_populate.not_writable": "VMA {vma:vma} may not be written, so its pages can't be brought in for writing",
    "madvise_populate.not_readable": "VMA {vma:vma} may not be read, so its pages can't be brought in for reading",
    "populate_fault": (
        "{at:place} can't be brought in: a program that touched it would get a signal, or wait for a userfaultfd"
    ),
    "bad_mcl_flags": "flags {flags:mcl_flags} ask for nothing that mlockall does: MCL_CURRENT, MCL_FUTURE or both",
    "all_over_memlock": ("{total:pages} are mapped, locked or not, which is more than RLIMIT_MEMLOCK, {limit:pages}"),
    "memlock_zero": "RLIMIT_MEMLOCK is 0, so this process may lock nothing at all",
    "do_mlock.rlimit_memlock": (
        "{pages:pages} more on top of {total:pages} locked would exceed RLIMIT_MEMLOCK, {limit:pages}"
    ),
    "apply_vma_lock_flags.gap": "nothing is mapped at {at:place}; locking works from VMA to VMA and stops at a gap",
    "populate_failed": "the range at {start..end:span} is locked now, but not all of its pages could be brought in",
    "no_mseal": "mseal came with Linux 6.10",
    "do_mseal.gap": "nothing is mapped at {at:place}; mseal wants the whole range mapped",
    "userfaultfd_register.gap": "nothing is mapped in the range, which starts at {at:place}",
    "userfaultfd_register.not_writable": (
        "the mapping at {at:place} can't be made writable, so userfaultfd may not fill it"
    ),
    "userfaultfd_register.below_min_addr": (
        "{address:place} is below vm.mmap_min_addr, {least:hex}, and userfaultfd takes no such range from anybody"
    ),
    "userfaultfd_unregister.below_min_addr": (
        "{address:place} is below vm.mmap_min_addr, {least:hex}: nothing can be registered there"
    ),
    "mfill_atomic.below_min_addr": "{address:place} is below vm.mmap_min_addr, {least:hex}: nobody fills pages there",
    "userfaultfd_unregister.unaligned": (
        "userfaultfd wants the address, {address:place}, and the length in whole pages here too"
    ),
    "mfill_atomic.unaligned": "only whole pages can be filled, and {address:place} or the length is none",
    "userfaultfd_unregister.gap": "nothing is mapped in the range from {at:place} on whose registration could end",
    "mwriteprotect_range.not_one_vma": (
        "the range at {start..end:span} does not lie in one VMA, and before Linux 6.3 one request protects one VMA"
    ),
    "not_one_vma": "the range at {start..end:span} does not lie in one VMA, and userfaultfd fills one VMA at a time",
    "mwriteprotect_range.not_registered": "VMA {vma:vma} is not registered for write-protect faults",
    "mwriteprotect_range.gap": "nothing is mapped from {at:place} on, and so nothing can be protected",
    "mwriteprotect_range.unaligned": "only whole pages can be protected, and {address:place} or the length is none",
    "mwriteprotect_range.below_min_addr": (
        "{address:place} is below vm.mmap_min_addr, {least:hex}: nothing can be protected there"
    ),
    "drops_wp": (
        "VMA {vma:vma} is registered for write-protect faults, and a registration without them may not take its place"
    ),
    "not_registered": "VMA {vma:vma} is not registered, so nobody may fill its pages",
    "already_there": "{at:place} is there already, and only missing pages can be filled",
    "mfill_atomic.past_file_end/file": (
        "{at:place} lies behind the end of the file of VMA {vma:vma}, so it can't be filled"
    ),
    "mfill_atomic.past_file_end/shmem": (
        "{at:place} lies behind the end of the shared memory of VMA {vma:vma}, so it can't be filled"
    ),
    # --- an access to a page ---
    "not_mapped": "nothing is mapped at {at:place}",
    "access_error.not_writable": "VMA {vma:vma} may not be written",
    "not_readable": "VMA {vma:vma} may not be read",
    "expand_downwards.below_min_addr": (
        "{address:place} is below vm.mmap_min_addr, {least:hex}, and no stack grows down to there"
    ),
    "guard_gap": (
        "nothing is mapped at {at:place}, and the stack above, {vma:vma}, may not grow down to there: between a stack "
        "and VMA {neighbour:vma} below it {gap:size} must stay free (the stack guard gap)"
    ),
    "stack_pgoff": (
        "nothing is mapped at {at:place}, and the stack above, {vma:vma}, can't grow by {pages:pages}: its vm_pgoff, "
        "{pgoff:hex}, would go below 0"
    ),
    "rlimit_stack": (
        "nothing is mapped at {at:place}, and the stack above, {vma:vma}, may not grow down to there: {pages:pages} "
        "would exceed RLIMIT_STACK, {limit:pages}"
    ),
    "acct_stack_growth.rlimit_as": (
        "the stack would have to grow by {pages:pages}, which on top of {total:pages} mapped would exceed RLIMIT_AS, "
        "{limit:pages}"
    ),
    "acct_stack_growth.rlimit_memlock": (
        "the stack is locked and would have to grow by {pages:pages}, which on top of {total:pages} locked would "
        "exceed RLIMIT_MEMLOCK, {limit:pages}"
    ),
    "guard_hit": "{at:place} has a guard marker",
    "uffd_wp_hit": "{at:place} is write-protected for a userfaultfd, whose handler would have to let the write through",
    "uffd_hit": "{at:place} is missing, and its userfaultfd would have to fill it",
    "past_file_end/file": "{at:place} lies behind the end of the file that VMA {vma:vma} maps",
    "past_file_end/shmem": (
        "{at:place} lies behind the end of the shared memory that VMA {vma:vma} maps: mremap lets a mapping grow, and "
        "not the memory object behind it"
    ),
}
