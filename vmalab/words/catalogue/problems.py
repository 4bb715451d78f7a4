"""The words of problems: what is asked, what there is to say to a near miss, topics by name."""

from __future__ import annotations

TOPICS: dict[str, str] = {
    "01": "mmap, munmap, mprotect: where VMAs are cut and merged",
    "02": "mremap of one VMA",
    "03": "anon_vma and vm_pgoff",
    "04": "moves of many VMAs",
    "05": "moves that end half-way, and limits",
    "06": "MREMAP_DONTUNMAP",
    "07": "what a move costs",
    "08": "the patch: version 3, what was merged, and what came after",
    "09": "kernel bugs",
}
"""The lesson's number → what its problems are about."""

QUESTIONS: dict[str, str] = {
    "errno": "How does {call:text} end?",
    "value": "What does {call:text} return?",
    "vmas": "What is mapped afterwards?",
    "contents": "Which pages hold which values afterwards?",
    "draw": "Draw the VMAs that there are afterwards.",
    "release": "On which of these kernels does it succeed?",
    "releases": "Each of these calls is made by itself, on these VMAs. On which of the kernels does each succeed?",
    "shortest": "Find a shortest program that leads from these VMAs to {target:text}.",
    "entries": "How many page-table entries does {call:text} move?",
}
"""Kind of question → what is asked."""

KINDS: dict[str, str] = {
    "errno": "errno?",
    "value": "return value?",
    "vmas": "which VMAs?",
    "contents": "which pages hold which values?",
    "draw": "draw the VMAs",
    "releases": "which calls succeed on which release?",
    "shortest": "the shortest program",
    "entries": "how many entries are moved?",
}
"""Kind of question → its name."""

WORDS: dict[str, str] = {
    "this_call": "this call",
    "last_call": "the last call",
    "succeeds": "It succeeds.",
    "fails": "It fails with {errno:text}.",
    "failed_value": "-1, which is MAP_FAILED",
    "zero": "0",
    "pages": "{n:number}",
    "nothing": "nothing is mapped",
    "empty": "no page holds a value",
    "everywhere": "everywhere",
    "nowhere": "nowhere",
    "only": "on {releases:text} only",
    "right": "That is right.",
    "wrong": "That is not so.",
    "think_at": "With call {number:number}, did you think: “{belief:text}” {truth:text}",
    "think": "Did you think: “{belief:text}” {truth:text}",
    "other": "That is what {kernel:text} would do.",
    "lacks": "That kernel does not know this rule: {why:text}.",
    "has": "There this holds: {why:text}.",
    "answer": "The answer: {answer:text}",
    "after": "On {kernels:text}, after",
    "after_each": "On each of {kernels:text}, after",
    "there": "there are these VMAs:",
    "there_are": "there are these VMAs: {vmas:text}",
    "before": "before the calls that are asked about",
    "start": "where the program starts",
    "now": "Now comes",
    "now_several": "Now come",
    "now_one_of": "Now comes one of",
    "v3": "v3 (the multi-VMA patch as posted in version 3)",
    "entries": "{pte..pmd..pud:entries}",
    "no_entry": "none",
    "touch": "touch writes to every page of its range.",
    "touch_values": (
        "touch writes to every page of its range: with value 3, 3000 to the first one, 3001 to the second, and so on."
    ),
    "limit": "limit(what, in use + n) sets that limit n above what is in use at that moment.",
    "no_answer": "Nobody has answered yet.",
    "drawn": "{right:text} of {all:text} VMAs are right.",
    "all_drawn": "All {all:text} VMAs are right.",
    "none_drawn": "Nothing is mapped afterwards; that is right.",
    "not_there": "{vma:text} is not there like that.",
    "missing": "There are {count:text} more.",
    "missing_one": "There is one more.",
    "reached": "It leads there with {count:text}, and a search found nothing shorter.",
    "too_long": "It leads there, with {count:text}; {least:text} would do.",
    "not_reached": "It leads to {found:text}, and not to {target:text}.",
    "call_fails": "Call {number:text}, {call:text}, fails: {why:text}",
}
"""Everything else that is said."""

NEAR: dict[str, str] = {
    "unchanged": "So it was before: something does change.",
    "page_more": "So it would be with one page more. The call is about {start..end:span}.",
    "page_less": "So it would be with one page less. The call is about {start..end:span}.",
    "stays": "{vma:vma} is not missing: the call leaves it as it was.",
    "shifted": "Every page goes as far as the range goes, and that is {n:pages}.",
    "dropped": "One page more holds a value: {at:place} has {value:text}.",
    "errno": "{errno:text} means {meaning:text}. Nothing of that kind is found here.",
    "other_errno": "{errno:text} means {meaning:text}. This call fails for another reason.",
    "address_mmap": "mmap returns where the new mapping begins.",
    "address_mremap": "mremap returns where the mapping begins after the call.",
    "zero": "That is what this call returns where it succeeds.",
    "zero_address": "mmap and mremap return an address where they succeed; munmap, mprotect and the others return 0.",
    "zero_failed": "0 is returned where the call succeeds. It fails here.",
    "length": "How many pages were worked on is not returned: where it succeeds, this call returns 0.",
    "failed": "-1 is returned by a call that fails. None of the checks fails here.",
    "releases": "Call {number:number} on {kernel:text}: {told:text}.",
    "release": "On {kernel:text}, {told:text}.",
    "entries_range": (
        "So many would be moved of another range. The call is about {start..end:span}, and of these only what is "
        "present has entries."
    ),
    "entries_place": (
        "So many would be moved to another place. Whether tables move whole depends on how the range and {to:place} lie"
        " within their 2 MiB."
    ),
}
"""What is said to a wrong choice that no belief leads to."""
