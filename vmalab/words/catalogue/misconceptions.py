"""What learners believe that is not so: each belief in one sentence, and what is true instead."""

from __future__ import annotations

BELIEFS: dict[str, str] = {
    "gaps-close-up": "A move closes the gaps between the VMAs that it moves.",
    "gap-unmaps": "A moved gap unmaps what lies at the destination under it.",
    "one-vma-per-call": "One mremap can never move more than one VMA.",
    "stops-at-a-gap": "A move ends where the first gap begins.",
    "growth-spans-too": "Since moves may span several VMAs, growing may too.",
    "failure-changes-nothing": "A call that fails has changed nothing.",
    "ineligible-is-skipped": "A VMA that may not take part is skipped, and the others move.",
    "occupied-is-refused": "A fixed address is refused where something is mapped.",
    "contents-are-copied": "A move copies the contents and leaves the source as it was.",
    "contents-are-lost": "Memory that moves arrives empty.",
    "source-is-kept": "MREMAP_DONTUNMAP leaves the contents at the source as well.",
    "edges-must-fit": "A range must start and end where VMAs do.",
    "neighbours-always-merge": "Neighbours that look alike are always one VMA.",
    "neighbours-never-merge": "What arrives beside a neighbour stays a VMA of its own.",
    "whole-vma": "A call on part of a VMA is a call on all of it.",
    "holes-are-refused": "A range with a hole in it is refused.",
    "old-address-on-failure": "mremap returns the old address if it can't move.",
    "order-is-free": "The order in which arguments are checked does not show.",
    "fixed-is-enough": "Who names a place need not give MREMAP_MAYMOVE.",
    "moves-anyway": "A mapping that can't grow where it is is moved, whatever the flags.",
    "grows-over-neighbours": "A mapping that grows takes the room of what lies behind it.",
    "overlap-is-fine": "Old and new range may overlap, as with memmove.",
    "addresses-are-rounded": "Addresses are rounded to pages, as lengths are.",
    "dontunmap-resizes": "MREMAP_DONTUNMAP can change the size as well.",
    "moves-know-no-limits": "Limits are for mmap and mlock; a move adds nothing and meets none.",
    "seals-bind-rights-only": "A seal forbids mprotect; moving and unmapping go on as ever.",
    "holes-are-skipped": "mprotect and mlock pass over holes in their range.",
    "every-page-costs": "A move costs an entry for every page that is mapped.",
    "present-pages-cost": "A move costs an entry for every page that is present, wherever it goes.",
    "tables-always-move": "Whole 2 MiB always move with one entry.",
    "size-decides": "What a move costs follows from its size alone.",
    "only-the-vma-moves": "A move changes the VMA, and no page-table entry.",
}
"""Name → the belief."""

TRUTHS: dict[str, str] = {
    "gaps-close-up": "All distances are kept: every VMA goes as far as the range does, and gaps arrive as gaps.",
    "gap-unmaps": (
        "Each VMA is moved by itself, and only where one arrives is anything unmapped. What lies under a moved gap"
        " is not touched."
    ),
    "one-vma-per-call": (
        "Since Linux 6.17 a move with MREMAP_FIXED that keeps the size may span several VMAs, and gaps. Until 6.16 it"
        " was EFAULT."
    ),
    "stops-at-a-gap": "The move goes on behind a gap, up to the end of the range.",
    "growth-spans-too": (
        "Only a move that keeps the size may span several VMAs. To grow, the range must lie within one: otherwise "
        "EFAULT."
    ),
    "failure-changes-nothing": "There is no rollback. What was unmapped or moved before the failure stays so.",
    "ineligible-is-skipped": (
        "Nothing is skipped: the call ends with EFAULT when it comes to such a VMA. What stood before it has moved,"
        " what stands behind it has not."
    ),
    "occupied-is-refused": (
        "MAP_FIXED and MREMAP_FIXED replace whatever lies at the place. Only MAP_FIXED_NOREPLACE refuses."
    ),
    "contents-are-copied": (
        "A move takes the page-table entries along and copies nothing; nothing is left at the source."
    ),
    "contents-are-lost": "The page-table entries move along, so all contents arrive.",
    "source-is-kept": "MREMAP_DONTUNMAP leaves the VMA, but its pages have moved: the source reads as fresh memory.",
    "edges-must-fit": "A range may begin and end inside a VMA. Only addresses must be page-aligned.",
    "neighbours-always-merge": (
        "To be merged, two VMAs must fit in their flags, in what they map and from where (vm_pgoff), and in their"
        " anon_vma."
    ),
    "neighbours-never-merge": (
        "The kernel merges what it can: same flags and file, a vm_pgoff that continues, an anon_vma that fits."
    ),
    "whole-vma": (
        "The call is about what lies in its range. Where that comes out different from the rest of its VMA, the kernel"
        " splits the VMA at the edge."
    ),
    "holes-are-refused": (
        "munmap takes holes as they come, and succeeds where nothing is mapped at all; since Linux 6.17 a move that"
        " keeps the size passes over holes too."
    ),
    "old-address-on-failure": "A call that fails returns -1 (MAP_FAILED), and errno says why.",
    "order-is-free": (
        "The first check that fails decides the errno, and the order of the checks has changed between releases."
    ),
    "fixed-is-enough": (
        "MREMAP_FIXED and MREMAP_DONTUNMAP need MREMAP_MAYMOVE beside them; without it the call is EINVAL."
    ),
    "moves-anyway": "Without MREMAP_MAYMOVE nothing moves: a mapping that can't grow where it is stays, with ENOMEM.",
    "grows-over-neighbours": (
        "Growing never touches a neighbour. With MREMAP_MAYMOVE the mapping goes where there is room, without it the "
        "call is ENOMEM."
    ),
    "overlap-is-fine": "The two ranges must not overlap; if they do, the call is EINVAL.",
    "addresses-are-rounded": "Lengths are rounded up to pages. Addresses are not: one inside a page is EINVAL.",
    "dontunmap-resizes": "With MREMAP_DONTUNMAP both lengths must be equal; otherwise the call is EINVAL.",
    "moves-know-no-limits": (
        "A move wants headroom in the map count before it starts, growth counts against RLIMIT_AS and "
        "RLIMIT_MEMLOCK, and MREMAP_DONTUNMAP maps as much again."
    ),
    "seals-bind-rights-only": (
        "What is sealed can't be moved, unmapped or replaced either: EPERM. That holds for the destination too."
    ),
    "holes-are-skipped": "They go from VMA to VMA and stop at the first hole with ENOMEM; what came before is done.",
    "every-page-costs": "Only pages that are present have entries to move; what was never touched costs nothing.",
    "present-pages-cost": (
        "Where source and destination lie alike within their 2 MiB, a whole table of 512 PTEs moves with the one entry "
        "above it."
    ),
    "tables-always-move": (
        "A table moves whole only if the destination lies alike within its 2 MiB; otherwise every present PTE moves "
        "alone."
    ),
    "size-decides": (
        "What counts is what is present, and how source and destination lie to the boundaries of 2 MiB and 1 GiB."
    ),
    "only-the-vma-moves": "The pages are found through page-table entries, and these have to be moved with the VMA.",
}
"""Name → what is true instead."""
