"""What happened inside a call: a sentence for each thing that a step can note, in the order of the kernel's work.

Keys are those of `vmalab.linux.mm` (`func.key` where one key means different things in two functions); behind a slash
stands the case where the values decide between two sentences (`vmalab.words.explain.CASES`).  Refusals are in
`refusals.py`.  Spans are never the subject of a verb ("page 3", "pages 3 to 4"), so that every sentence is right in
singular and plural.
"""

from __future__ import annotations

STEPS: dict[str, str] = {
    # --- mremap: the arguments and the source VMA ---
    "arguments_fine": "The arguments pass every check that needs no VMA.",
    "source_fine": "VMA {vma:vma} may move: it is not sealed, and it holds all of {start..end:span}.",
    "may_grow": "VMA {vma:vma} may grow by {pages:pages}: the limits leave room for that.",
    "no_op": (
        "Old and new length are both {length:size} and no new address is asked for, so there is nothing to do; only "
        "the VMA at {start:place} was looked at."
    ),
    "must_move/occupied": (
        "VMA {vma:vma} can't grow by {delta:size} where it is: VMA {next:vma} is in the way. It has to move."
    ),
    "must_move/other": "VMA {vma:vma} can't grow by {delta:size} where it is: {why:@in_place}. It has to move.",
    # --- mremap: a move of several VMAs ---
    "piece/whole": "Next in the range: VMA {vma:vma} ({length:size}), which is to go to {target:place}.",
    "piece/part": (
        "Next in the range: the part of VMA {vma:vma} at {start..end:span} ({length:size}), which is to go to "
        "{target:place}; the rest of the VMA stays."
    ),
    "gap_kept": (
        "The gap at {start..end:span} moves along: nothing is unmapped for it at the destination, so whatever lies "
        "at {target..target_end:span} stays there."
    ),
    "gap_at_end": (
        "The range ends with a gap of {length:size} from {start:place} on. That is allowed, and nothing is unmapped "
        "for it at the destination."
    ),
    "alone_allowed/alone": (
        "VMA {vma:vma} {why:@not_allowed}, so it may not move together with others; nothing else lies in the range, "
        "so it may go."
    ),
    "alone_allowed/first": (
        "VMA {vma:vma} {why:@not_allowed}, so it may not move together with others; version 3 of the patch moves "
        "the first one all the same, and fails only if a second one turns up."
    ),
    # --- mremap: one move ---
    "pgoff_reset/anon": (
        "VMA {vma:vma} was never written (it has no anon_vma), so the copy takes the vm_pgoff of its new place, "
        "{now..vma:pgoff}, and can merge with neighbours there."
    ),
    "pgoff_reset/file": (
        "VMA {vma:vma} was never written and has no vm_ops, so the kernel treats it as anonymous memory: its "
        "vm_pgoff, {was:hex}, gives way to that of its new place, {now:hex}."
    ),
    "pgoff_kept/file": "The copy keeps vm_pgoff: it shows the same part of its file, from {pgoff..vma:pgoff} on.",
    "pgoff_kept/home": (
        "The copy keeps vm_pgoff, {pgoff..vma:pgoff}. That is just where it goes, so it fits its neighbours there "
        "again."
    ),
    "pgoff_kept/away": (
        "VMA {vma:vma} was written (it has an anon_vma), so the copy keeps vm_pgoff, {pgoff..vma:pgoff}, although "
        "it goes to {natural..vma:place_of}: there it can merge only with a neighbour whose vm_pgoff continues its "
        "own."
    ),
    "copied": (
        "No VMA at the destination takes the range in, so a new one is made there, {vma:vma}, with the properties "
        "of {source:vma}."
    ),
    "source_swallowed": (
        "The copy merged with its own source: both are one VMA, {vma:vma}, until the old place is unmapped."
    ),
    "pages_moved": (
        "What is present at {start..stop:span} ({pages:pages}) moved to {target:place}: {pte..pmd..pud:entries} "
        "changed place in the page tables, and no content was copied."
    ),
    "nothing_to_move": "No page is present at {start..stop:span}, so there are no page-table entries to move.",
    "uffd_dropped": (
        "VMA {vma:vma} lost its userfaultfd registration: a userfaultfd without "
        "UFFD_FEATURE_EVENT_REMAP does not follow a move."
    ),
    "left_behind/fresh": (
        "MREMAP_DONTUNMAP leaves VMA {vma:vma} mapped, without its pages and without an anon_vma: it is as if it "
        "had never been written.{was..vma:husk}"
    ),
    "left_behind/faulted": (
        "MREMAP_DONTUNMAP leaves VMA {vma:vma} mapped, without the pages that moved; it keeps its anon_vma and its "
        "vm_pgoff.{was..vma:husk}"
    ),
    "left_behind/plain": "MREMAP_DONTUNMAP leaves VMA {vma:vma} mapped at its old place.{was..vma:husk}",
    "undo_copy": "The copy at {start..end:span} is removed again; the pages are back where they came from.",
    # --- unmapping ---
    "unmap": "This unmaps {removed:vmas}.",
    "unmap_destination": "The place of the new mapping must be empty; this unmaps {removed:vmas}.",
    "unmap_source": "The pages are at their new place, so the old one is unmapped: {removed:vmas}.",
    "unmap_tail": "The mapping gets shorter; its tail is unmapped: {removed:vmas}.",
    "vms_clear_ptes.zap": "The page-table entries at {start..end:span} are cleared, and private pages are freed.",
    "zap": ("The contents of {start..end:span} are dropped; the next access finds zeros, or what the file holds."),
    "nothing_to_drop": "No page is present at {start..end:span}, so there are no contents to drop.",
    # --- mmap, and where a mapping goes ---
    "hint_taken": "At {address:place}, the hint, {length:size} can be had: the hint is taken.",
    "placed/aligned": (
        "The kernel chooses {address:place}: the highest room at a 2 MiB boundary, so that huge pages fit."
    ),
    "placed/alike": (
        "The kernel chooses {address:place}: the highest room that lies within 2 MiB as its place in the file does, so "
        "that huge pages fit."
    ),
    "placed/plain": "The kernel chooses {address:place}: the highest hole with room for {length:size}.",
    "new_vma": "A new VMA is made: {vma:vma}.",
    # --- the heap, and locks of everything ---
    "same_pages": (
        "The break goes from {start:place} to {target:place} within one page: the heap has that page already, or needs "
        "none, and nothing is mapped or unmapped."
    ),
    "future_locked": "From now on every new mapping is locked as it is made, a heap that grows too.",
    "future_unlocked": "New mappings are not locked any more.",
    # --- splitting, merging, flags ---
    "split": "VMA {vma:vma} is split at {at:place}, into {low:vma} and {high:vma}.",
    "merge_new/left": (
        "The range at {start..end:span} continues the VMA before it in every respect, so that one grows instead of "
        "a VMA being added: {into:vma}."
    ),
    "merge_new/right": (
        "The VMA behind {start..end:span} continues the range in every respect, so that one grows downwards instead "
        "of a VMA being added: {into:vma}."
    ),
    "merge_new/leftright": (
        "The range at {start..end:span} fits the VMA before it and the one behind it, and all become one: {into:vma}."
    ),
    "merge_existing/left": (
        "With its new flags the range at {start..end:span} matches the VMA before it and joins that: {into:vma}."
    ),
    "merge_existing/right": (
        "With its new flags the range at {start..end:span} matches the VMA behind it and joins that: {into:vma}."
    ),
    "merge_existing/leftright": (
        "With its new flags the range at {start..end:span} matches the VMAs on both sides, and all become one: "
        "{into:vma}."
    ),
    "no_merge/flags": (
        "No merge with {neighbour:vma} on the {side:@side}: their flags differ ({flags..neighbour:differ})."
    ),
    "no_merge/file": "No merge with {neighbour:vma} on the {side:@side}: they do not map the same file.",
    "no_merge/pgoff_left": (
        "No merge with {neighbour:vma} on the left: to continue it, vm_pgoff would have to be "
        "{needed..neighbour:pgoff}, and it is {pgoff..neighbour:pgoff}."
    ),
    "no_merge/pgoff_right": (
        "No merge with {neighbour:vma} on the right: to continue the range at {start..end:span}, its vm_pgoff would "
        "have to be {needed..neighbour:pgoff}, and it is {its_pgoff..neighbour:pgoff}."
    ),
    "no_merge/anon_vma": (
        "No merge with {neighbour:vma} on the {side:@side}: each was written on its own, so their anon_vmas differ."
    ),
    "no_merge/anon_vma_outer": (
        "No merge with {neighbour:vma} on the {side:@side}: the VMAs on both sides were each written on their own, "
        "so their anon_vmas differ and only one of them can be joined."
    ),
    "no_merge/faulted": (
        "No merge with {neighbour:vma} on the {side:@side}: it was never written and the range was; this kernel "
        "does not merge the two here."
    ),
    "no_merge/inherited": (
        "No merge with {neighbour:vma} on the {side:@side}: one of the two was inherited over fork (its anon_vma "
        "chain has more than one link), and the other was never written."
    ),
    "no_merge/special": "No merge with {neighbour:vma} on the {side:@side}: a mapping with VM_DONTEXPAND never merges.",
    "new_flags": "VMA {vma:vma} {was..now:change}.",
    "same_flags": "VMA {vma:vma} has these flags already, so nothing is split and nothing merges.",
    # --- page faults: a stack that grows ---
    "below_stack": (
        "Nothing is mapped at {at:place}, but the VMA above it, {vma:vma}, is a stack (VM_GROWSDOWN): the kernel looks "
        "whether it may grow down to there."
    ),
    "stack_may_grow": (
        "Growing by {pages:pages} makes the stack {size:pages} long, which RLIMIT_STACK ({limit:pages}) and the other "
        "limits allow."
    ),
    "stack_grown": (
        "The stack {was:vma} grows down by {pages:pages}: {vma:vma}. That makes no VMA and joins none below it; "
        "vm_pgoff goes down with the start."
    ),
    # --- page faults ---
    "anon_vma_new/anon": (
        "VMA {vma:vma} gets its first anon_vma, number {anon_vma:number}. Its vm_pgoff is fixed from now on, "
        "{own_pgoff..vma:pgoff}: wherever it moves, it can merge only with neighbours that continue it."
    ),
    "anon_vma_new/file": (
        "VMA {vma:vma} gets its first anon_vma, number {anon_vma:number}: it is about to hold private pages besides "
        "those of its file."
    ),
    "anon_vma_shared": (
        "VMA {vma:vma} takes the anon_vma of its neighbour {neighbour:vma}, number {anon_vma:number}, so that the "
        "two stay free to merge."
    ),
    "fault_anon": (
        "A write reaches {start..end:pagespan}; where no page is present yet, a page fault brings in a new one, "
        "filled with zeros."
    ),
    "fault_cow": (
        "A write reaches {start..end:pagespan} of a private mapping; where only the file's page is there, a page "
        "fault makes a private copy of it."
    ),
    "fault_wp/common": (
        "A write to {start..end:pagespan}, which fork made common to both processes: a page fault gives this one "
        "copies of its own, unless nobody else has them any more."
    ),
    "fault_wp/zero": (
        "A write to {start..end:pagespan}, where the shared page of zeros is mapped: a page fault brings pages of "
        "their own."
    ),
    "fault_wp/file": (
        "A write to {start..end:pagespan} of a private mapping, where the file's pages are mapped: a page fault makes "
        "private copies of them."
    ),
    "fault_reuse": (
        "A write to {start..end:pagespan}, whose entries are still read-only although nobody is to be asked any more: "
        "a page fault lets it through, and nothing is copied."
    ),
    "fault_shared": (
        "A write reaches the shared pages at {start..end:pagespan}; every mapping of the same pages sees it at once."
    ),
    "fault_zero": (
        "A read fault maps the one shared page of zeros at {start..end:pagespan}; reading assigns no anon_vma."
    ),
    "fault_huge": (
        "A write fault at {first..last:pagespan}, in memory that madvise(MADV_HUGEPAGE) or the system's setting allows "
        "huge pages: {start..end:pagespan} come at once, filled with zeros, 2 MiB behind each PMD entry."
    ),
    "fault_huge_zero": (
        "A read fault in memory that may have huge pages: PMD entries map the one shared huge page of zeros at "
        "{start..end:pagespan}. The VMA got its anon_vma first, although this only reads."
    ),
    "fault_huge_wp": (
        "A write to {first..last:pagespan}, where the huge page of zeros is mapped: {start..end:pagespan} get huge "
        "pages of their own."
    ),
    "stored": "{start..end:pagespan} are present and may be written: the processor writes without asking the kernel.",
    "fault_read_file": "A read fault brings {start..end:pagespan} into the page cache and maps it.",
    "fault_around": (
        "A read fault at {start..end:pagespan} maps what the page cache has already of the 16 pages around it."
    ),
    "populate_no_access": "VMA {vma:vma} allows no access at all, so its pages can't be brought in.",
    "filled": (
        "The handler of the userfaultfd fills {start..end:pagespan} with what it has: new pages, mapped at once, and "
        "without a fault."
    ),
    "filled_zero": "The handler of the userfaultfd maps the one shared page of zeros at {start..end:pagespan}.",
    "pages_protected": (
        "What is present at {start..end:span} ({pages:pages}) is write-protected for the userfaultfd: a write there "
        "will wait for its handler. A page that is missing has no entry that could be protected."
    ),
    "pages_unprotected": "What is present at {start..end:span} ({pages:pages}) may be written again.",
    # --- a file that is sealed, that gets longer or shorter ---
    "seals_added": "The file {file:text} has {seals:seals} from now on; no call takes a seal away.",
    "file_grown": "The file {file:text} had {was:pages} and has {pages:pages} now; what is new holds zeros.",
    "file_cut": (
        "The file {file:text} had {was:pages} and has {pages:pages} now. Mappings of what is gone stay, without their "
        "pages: an access there ends with SIGBUS."
    ),
    "cut_off": (
        "What is present at {start..end:span} lies past the new end of the file and goes, private copies of it too."
    ),
    # --- madvise ---
    "guard_set": (
        "Guard markers now cover {start..end:span}: any access there ends with SIGSEGV, and it takes no VMA of its "
        "own to have that."
    ),
    "freed_lazily": (
        "The private pages at {start..end:span} may be taken away unsaved as soon as memory is short; until then, or "
        "until they are written again, their contents stay."
    ),
    "made_cold": "The pages at {start..end:span} count as long unused now, so that they go first if memory is short.",
    "read_ahead": (
        "The kernel may start to read what lies in a file or in swap behind {start..end:span}; no page table changes."
    ),
    "guard_gone": "The guard markers at {start..end:span} are gone; the pages can be used again.",
    # --- huge pages ---
    "huge_split/edge": (
        "A VMA is to begin or end inside the 2 MiB at {start..end:pagespan}, so the PMD entry that maps them is split: "
        "each page gets a PTE of its own. Nothing is copied."
    ),
    "huge_split/protect": (
        "Only a part of the 2 MiB at {start..end:pagespan} is to be write-protected, so the PMD entry that maps them "
        "is split: each page gets a PTE of its own."
    ),
    "huge_split/drop": (
        "Only a part of the 2 MiB at {start..end:pagespan} is to go, so the PMD entry that maps them is split: each "
        "page gets a PTE of its own."
    ),
    "huge_split/move": (
        "Not all of the 2 MiB at {start..end:pagespan} goes to a 2 MiB boundary, so the PMD entry that maps them is "
        "split: each page gets a PTE of its own, and PTEs can move one by one."
    ),
    "huge_split/fork": (
        "A write to {start..end:pagespan}, which fork made common to both processes: the PMD entry is split, so that "
        "only the pages that are written must be copied."
    ),
    "huge_split/zero": (
        "A write to {start..end:pagespan}, where the huge page of zeros is mapped: the PMD entry is split, and every "
        "page that is not written maps the one shared page of zeros."
    ),
    "huge_shared": (
        "The child gets the PMD entries of {start..end:pagespan} too; no content is copied, but both processes may "
        "only read there until they write."
    ),
    "huge_moved": (
        "Old and new place lie alike within 2 MiB, so huge pages move whole, each with the PMD entry that maps it: "
        "{count:number} of them."
    ),
    # --- fork and limits ---
    "forked": (
        "The child starts with {count:VMAs}. Each VMA that was written gets an anon_vma of the child's own, behind "
        "its parent's in the chain."
    ),
    "taken_back": "A replay saw that the real kernel did otherwise, and takes back what the model had changed.",
    "fork_parent": "A child with {count:VMAs} is made and stays asleep; no VMA of the parent changes.",
    "limit_set/as": "RLIMIT_AS is set to what is mapped now and {headroom:pages} more.",
    "limit_set/data": "RLIMIT_DATA is set to the private writable memory that there is now and {headroom:pages} more.",
    "limit_set/memlock": "RLIMIT_MEMLOCK is set to what is locked now and {headroom:pages} more.",
    "limit_set/map_count": "vm.max_map_count is set to the VMAs there are now and {headroom:number} more.",
}
