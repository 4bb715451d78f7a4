"""What would have made a call work: one phrase for each attempt, which the calls to make instead follow."""

from __future__ import annotations

ADVICE: dict[str, str] = {
    "release": "the same call on Linux {releases:text}",
    "since": "{release} and later",
    "until": "{release} and earlier",
    "between": "{first} to {last}",
    "only": "{release}",
    "change": "{change}: {calls}",
    "both": "{first} and {second}",
    "then": "{first}, then {last}",
    "and_so_on": "{first}, and so on",
    # --- mremap ---
    "page_start": "with addresses at the start of a page",
    "known_flags": "without the unknown flags",
    "maymove": "with MREMAP_MAYMOVE",
    "munmap_instead": "with munmap, if the mapping is to go",
    "one_page": "with at least one page",
    "equal_lengths": "with the new length equal to the old one",
    "as_move": "with the old length equal to the new one",
    "without_dontunmap": "without MREMAP_DONTUNMAP",
    "two_hops": "with two calls, by way of a free place",
    "beside": "with the new range just beside the old one",
    "other_target": "at a place that is free",
    "highest": "at the highest possible address",
    "above_min_addr": "at the lowest address that is allowed",
    "start_mapped": "starting where something is mapped, at {start:place}",
    "each_alone": "with {count:calls}, one for each VMA",
    "no_gap": "without the gap, only as far as VMA {vma:vma} goes",
    "fixed": "with MREMAP_FIXED",
    "grow_last": "growing only the last VMA, {vma:vma}",
    "to_vma_end": "only as far as VMA {vma:vma} goes",
    "without": "leaving {vmas:vmas} out",
    "only_room": "growing by no more than {length:size}",
    # --- limits and locks ---
    "allow/as": "with a higher RLIMIT_AS, {headroom:pages} above what is mapped now",
    "allow/memlock": "with a higher RLIMIT_MEMLOCK, {headroom:pages} above what is locked now",
    "allow/data": "with a higher RLIMIT_DATA, {headroom:pages} above the private writable memory there is now",
    "allow/map_count": "with a higher vm.max_map_count, {headroom:number} above the VMAs there are now",
    "unlock_first": "after munlock",
    # --- other calls ---
    "start_of_file": "from the start of the file",
    "map_first": "after mapping something there",
    "shorter": "with a length that fits",
    "mapped_parts": "only what is mapped",
    "able_parts": "only where that is allowed",
    "without_growsdown": "without MAP_GROWSDOWN",
    "allow_access": "after mprotect",
    "remove_guards": "after removing the guard markers",
    "up_to": "only up to {at:place}",
}
"""After "It would have worked:" or as an item of a list."""

HELP: dict[str, str] = {
    "map_count": "raise vm.max_map_count (sysctl), or make fewer and larger mappings: each change of protection in the "
    "middle of a VMA makes up to two more",
    "occupied": "reserve the room behind it first (one larger mmap with PROT_NONE, made accessible part by part), "
    "or ask for more than is needed when it is first mapped",
    "stops_short": "call mremap on the last part of the VMA: only where the old range ends with the VMA it can grow "
    "where it is",
    "may_not_move": "pass MREMAP_MAYMOVE, and use the address that is returned",
    "crossing": "one call for each VMA; or, on Linux 6.17 and later, one call with MREMAP_FIXED and equal lengths",
    "flags": "give both the same protection and advice before they are to be one VMA",
    "anon_vma": "write to the memory only after it has become one VMA: what was written apart stays apart",
    "pgoff": "memory that was written keeps the page offset of the place where that was: map the whole at its final "
    "address first",
    "account": "memory that was written stays accounted for (VM_ACCOUNT) when its access is taken away: map it anew, "
    "with MAP_FIXED and PROT_NONE, to give it back",
    "file_pgoff": "map the pages in the order in which the file has them, so that their offsets follow each other",
    "file": "map both from the same open file description, with offsets that follow each other",
    "unmapped": "map the whole range first: a gap ends the call",
}
"""What would have helped a program of one's own, by what decided; a phrase after "What helps:"."""
