"""A whole call in one sentence (which ends without a stop), and what a failed call leaves behind.

A sentence is built from the first clause that fits and the further clauses that apply, in the order that
`vmalab.words.summary` has them.
"""

from __future__ import annotations

OUTCOMES: dict[str, str] = {
    # --- failures ---
    "failed": "{call:text} failed with {errno:text}: {why:text}",
    "failed_unexplained": "{call:text} failed with {errno:text}, which means {why:text}",
    "ended_unexplained": "{call:text} ended with {errno:text}, which means {why:text}",
    "ended": "{call:text} ended with {errno:text}: {why:text}",
    "by_then": "by then it had {done:text}",
    "reason_errno": "{errno:text} means {meaning:text}.",
    "reason_rule": "The rule that refused the call: {why:text}.",
    "reason_done": "Before it was refused, the call had {done:text}; nothing of that is undone.",
    "reason_intact": "Nothing had been changed by then.",
    "reason_no_rule": "This machine does not say which rule refused the call; the model does.",
    # --- mremap ---
    "moved/whole": "mremap moved {count:VMAs} ({length:size}) from {start:place} to {target:text}",
    "moved/part": "mremap moved part of a VMA ({length:size}) from {start:place} to {target:text}",
    "resized": "its length is now {length:size}",
    "tail_gone": "the tail of the old range was unmapped ({length:size})",
    "tail_empty": "nothing was mapped in the tail, so nothing changed",
    "gap/one": "the gap of {length:size} moved along",
    "gap/many": "{count:gaps} ({length:size}) moved along",
    "under_gap": "what lies under the moved gap at the destination stays ({length:size})",
    "replaced": "it replaced what was mapped there ({length:size})",
    "kept": "the old place stays mapped, without its pages",
    "merged": "it merged into VMA {vma:vma}",
    "fewer": "the pieces became {count:VMAs} there",
    "no_op": "mremap had nothing to do, and everything stays where it is",
    "shrunk": "mremap shrank the range at {start:place} from {old:size} to {new:size}",
    "grown": "mremap let the mapping at {start:place} grow in place from {old:size} to {new:size}",
    "swallowed": "it merged with the VMA behind it into {vma:vma}",
    "duplicated": "mremap mapped the shared memory at {start:place} a second time, {length:size} at {target:text}",
    # --- the other calls ---
    "mapped": "mmap mapped {length:size} at {target:text}",
    "unmapped": "munmap removed {length:size} at {start..end:span}",
    "unmapped_none": "munmap found nothing mapped at {start..end:span}, which is no error",
    "mprotect": "mprotect set the access of {start..end:span} to {perms:text}",
    "madvise": "madvise applied {advice:text} to {start..end:span}",
    "mlock": "mlock locked {start..end:span} in memory",
    "mlock2/onfault": "mlock2 locks each page of {start..end:span} as it is brought in",
    "mlock2/at_once": "mlock2 locked {start..end:span} in memory, as mlock does",
    "mlockall": "mlockall({flags:mcl_flags}) did what it was asked for; {pages:pages} are locked now",
    "munlockall": "munlockall unlocked everything",
    "brk/grown": "brk moved the end of the heap up, from {start:place} to {end:place}",
    "brk/shrunk": "brk moved the end of the heap down, to {end:place}",
    "brk/same": "brk moved the end of the heap to {end:place}, and no page came or went",
    "munlock": "munlock unlocked {start..end:span}",
    "mseal": "mseal sealed {start..end:span} for good",
    "uffd": "userfaultfd is now asked about missing pages at {start..end:span}",
    "uffd_unregister": "userfaultfd is asked no more about missing pages at {start..end:span}",
    "uffd_copy": "userfaultfd filled {start..end:span} with new pages",
    "uffd_zeropage": "userfaultfd filled {start..end:span} with zeros",
    "uffd_mode/wp": "userfaultfd is now asked about writes to protected pages at {start..end:span}",
    "uffd_mode/missing wp": (
        "userfaultfd is now asked about missing pages, and about writes to protected ones, at {start..end:span}"
    ),
    "uffd_writeprotect/on": (
        "what is present at {start..end:span} is write-protected: a write there waits for userfaultfd"
    ),
    "uffd_writeprotect/off": "what is present at {start..end:span} may be written again",
    "add_seals": "fcntl added {seals:seals} to the file {file:text}",
    "ftruncate": "ftruncate gave the file {file:text} a length of {length:size}",
    "empty_range": "{call:text} was asked about no bytes at all and did nothing",
    "touched": "touch wrote to {length:size} at {start:place}",
    "stack_grew": "the stack above grew down by {length:size} to {vma:vma}",
    "first_write": "this first write gave {count:VMAs} an anon_vma",
    "read": "read saw {length:size} at {start:place}",
    "values": "their first words are {values:numbers}",
    "value": "its first word is {values:numbers}",
    "vma_count": "the number of VMAs went from {before:number} to {after:number}",
}

LEFT: dict[str, str] = {
    "moved": "moved {count:VMAs} ({length:size}) to {target:place}",
    "destination": "unmapped what lay at the destination, {vmas:vmas}",
    "tail": "unmapped the tail of the old range, {vmas:vmas}",
    "unmapped": "unmapped {vmas:vmas}",
    "mapped": "mapped {vmas:vmas}",
    "stack": "let the stack above grow down by {length:size} to {vma:vma}",
    "changed": "changed the flags of {vmas:vmas}",
    "cut": "split VMA {vma:vma} at {at:place}",
    "anon_vma": "given an anon_vma to {vmas:vmas}",
    "pages": "changed the pages of {vmas:vmas}",
}
"""What a call had done before it was refused, after "by then it had …"."""
