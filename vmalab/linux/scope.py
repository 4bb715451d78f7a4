"""What the model does not know, and why: a table that lessons and `vmalab doctor` print.

A call or argument named here is refused by that name, never guessed at.
"""

from __future__ import annotations

from collections.abc import Mapping

from vmalab.errors import NotModelled, UsageError

NOT_MODELLED: Mapping[str, str] = {
    "swap": "pages are present or absent; where an absent page went makes no difference to VMAs",
    "reclaim": "no page leaves by memory pressure, so a machine that swaps may show fewer present pages",
    "overcommit_memory 2": "what is promised is counted for the whole machine, and each processor counts in steps",
    "memory policy": "mbind splits and merges VMAs like any attribute, but matters on NUMA machines only",
    "KSM": "merging equal pages changes no VMA, except under prctl(PR_SET_MEMORY_MERGE)",
    "hugetlb": "huge-page mappings need a reserved pool, and move by whole huge pages only",
    "khugepaged": "it makes huge pages later, in the background; faults, moves and what splits a huge page are known",
    "huge pages of shared memory": "they are off by default (shmem_enabled); only anonymous memory gets huge pages",
    "SysV shared memory": "shmat mappings have a close hook, which forbids some merges",
    "files on disk": "no scenario has one; a replay (vmalab replay) follows them",
    "io_uring": "its rings accept no address, so that every fixed move of one fails",
    "perf buffers": "their driver forbids splits",
    "memfd_secret": "no recording covers it",
    "MAP_DROPPABLE": "no recording covers it",
    "anonymous VMA names": "kernels that were measured are built without: the call answers EINVAL, no more is known",
    "soft-dirty": "off in the kernels that were measured",
    "protection keys": "no recording covers them",
    "shadow stacks": "no recording covers them",
    "vdso and special mappings": "moving them takes the clock away from the program that does it",
    "userfaultfd minor mode": "it is asked about pages that the page cache has, which takes a second mapping to fill",
    "userfaultfd write-protect mode of shared memory and files": "missing pages get markers there, which outlive them",
    "userfaultfd events": "a caller waits until a monitor has read the event, which a scenario has no word for",
    "remap_file_pages": "emulated with mmap since Linux 4.0",
    "5-level paging": "the limit of addresses is that of 4-level paging, 47 bits",
    "other architectures": "x86-64 was measured, and arm64 with pages of 4 and of 16 KiB (Model(arch=...))",
    "MADV_PAGEOUT": "needs swap, and which pages go is up to reclaim",
    "MADV_REMOVE": "punches holes into files, which no scenario can show",
    "MADV_MERGEABLE": "see KSM",
    "MADV_UNMERGEABLE": "see KSM",
    "MADV_COLLAPSE": "does at once what khugepaged does later; see there",
    "MADV_HWPOISON": "needs privilege and destroys memory",
}
"""What is left out → why, in the words that a refusal uses."""


_WORDS: Mapping[str, str] = {
    "droppable": "MAP_DROPPABLE",
    "mbind": "memory policy",
    "overcommit": "overcommit_memory 2",
    "disk": "files on disk",
    "prctl": "anonymous VMA names",
    "minor": "userfaultfd minor mode",
    "uffd_continue": "userfaultfd minor mode",
    "perf": "perf buffers",
    "pkey_mprotect": "protection keys",
    "secretmem": "memfd_secret",
    "shmat": "SysV shared memory",
    "shmget": "SysV shared memory",
    "sysv": "SysV shared memory",
}


def not_modelled(word: str) -> NotModelled | None:
    """The refusal by name of a call, kind or advice that Linux knows and the model does not; None for any other word.

    >>> print(not_modelled("pageout"))
    the model does not know MADV_PAGEOUT: needs swap, and which pages go is up to reclaim
    """
    for name in (word, f"MADV_{word.upper()}", _WORDS.get(word, "")):
        if name in NOT_MODELLED:
            return left_out(name)
    return None


def left_out(name: str) -> NotModelled:
    """The refusal of what `NOT_MODELLED` calls `name`."""
    return NotModelled(f"the model does not know {name}: {NOT_MODELLED[name]}")


def refuse(what: str, given: str, expected: tuple[str, ...]) -> NotModelled | UsageError:
    """The error for an argument that the model does not take: by name if `NOT_MODELLED` has it, else a usage error.

    `what` names the argument ("advice"), `given` its value as the table would have it, `expected` what is known.
    """
    return not_modelled(given) or UsageError(f"{what} is one of {', '.join(expected)}, not {given!r}")
