"""The questions of lesson 06."""

from __future__ import annotations

from vmalab.teach.questions.question import Choice, MultipleChoice
from vmalab.teach.questions.ran import Ran, on, on_each

KEEP = "maymove fixed dontunmap"
LOCKED = f"limit(memlock, 4) mmap(0, 2) mlock(0, 2) mremap(0, 2, 2, {KEEP}, 64) munmap(0, 66)"


def _flags(ran: Ran) -> tuple[set[str], set[str]]:
    """Which of lo, dc, um the husk has, and which the copy."""
    husk, copy = ({"lo", "dc", "um"} & set(row.flags) for row in ran.rows)
    return husk, copy


def _locked(seen: dict[str, Ran]) -> list[int]:
    return [one.vm.mm.locked_vm for one in seen.values()]


def _merged(seen: dict[str, Ran]) -> list[bool]:
    return [(0, 4) in one.ranges for one in seen.values()]


QUESTIONS = (
    MultipleChoice(
        "06-read",
        "They are moved to page 64 with `MREMAP_DONTUNMAP`. What does the program read at page 0 afterwards?",
        (
            Choice("2000, as before: the kernel has copied.", "Nothing is copied by any `mremap`.", lambda ran: ran.value(0) == 2000),
            Choice("0", "Page-table entries were moved, so the pages are at the new place and nowhere else. The old VMA is still mapped and has no pages: it is like fresh memory, and the first touch gives zeros.", lambda ran: ran.value(0) == 0 and ran.value(64) == 2000),
            Choice("Nothing: it gets `SIGSEGV`.", "That would be so after a plain move.", lambda ran: ran.row(0) is None),
        ),
        "b",
        on("6.17", f"mmap(0, 4) touch(0, 4) mremap(0, 4, 4, {KEEP}, 64)"),
    ),
    MultipleChoice(
        "06-shared",
        "Two pages of shared memory are moved with `MREMAP_DONTUNMAP`. Then the program writes 9000 at the **new** place. What does it read at the old one?",
        (
            Choice("0: the husk is empty.", "It has no entries in the page table. But what is read there comes from the shared object, and that is not empty.", lambda ran: ran.value(0) == 0),
            Choice("What was there before the move.", "Both VMAs show the same pages, so what is written at one is read at the other.", lambda ran: ran.value(0) == 2000),
            Choice("9000", "The pages belong to the shared object, not to the VMA. Both VMAs are mapped on the same object, at the same offset, so they show the same pages. For shared memory `MREMAP_DONTUNMAP` is a way to map it a second time.", lambda ran: ran.value(0) == 9000),
        ),
        "c",
        on("6.17", f"mmap(0, 2, rw, shared) touch(0, 2) mremap(0, 2, 2, {KEEP}, 64) touch(64, 1, 9)"),
    ),
    MultipleChoice(
        "06-flags",
        "Which of `lo`, `dc` and `um` has the husk at page 0, and which has the copy at page 64?",
        (
            Choice("The husk has none of them, the copy has all three.", "Then a registration would move along with the pages. It is one of a range of addresses.", lambda ran: _flags(ran) == (set(), {"lo", "dc", "um"})),
            Choice("Both have all three.", "Then as many pages again would be locked, and the new place would be watched, which nobody has asked for.", lambda ran: _flags(ran) == ({"lo", "dc", "um"}, {"lo", "dc", "um"})),
            Choice("The husk has `dc` and `um`, the copy has `dc` and `lo`.", "The lock went with the pages, the registration stayed at the address. Both make sense: locked are pages that must not be swapped out, and userfaultfd watches a range of addresses.",
                   lambda ran: _flags(ran) == ({"dc", "um"}, {"dc", "lo"})),
        ),
        "c",
        on("7.3", f"mmap(0, 2) madvise(0, 2, dontfork) mlock(0, 2) uffd(0, 2) mremap(0, 2, 2, {KEEP}, 64)"),
    ),
    MultipleChoice(
        "06-merges",
        "Are husk and fresh memory one VMA on Linux 6.17? And on 7.3?",
        (
            Choice("On both: neither has an `anon_vma`.", "That is true, and not enough: `vm_pgoff` has to continue as well.", lambda seen: _merged(seen) == [True, True]),
            Choice("On neither.", "Since 7.2 a husk of anonymous memory that was left whole gets the `vm_pgoff` of its own address back.", lambda seen: _merged(seen) == [False, False]),
            Choice("On 7.3 only.", "Until Linux 7.1 the husk kept the `vm_pgoff` of page 100, although nothing of page 100 is left in it. Fresh memory at page 2 has that of page 2, so they do not continue one another. Since 7.2 a husk of anonymous memory that was left whole gets the `vm_pgoff` of its own address back.",
                   lambda seen: _merged(seen) == [False, True]),
        ),
        "c",
        on_each(f"mmap(100, 2) touch(100, 2) mremap(100, 2, 2, maymove fixed, 0) mremap(0, 2, 2, {KEEP}, 64) mmap(2, 2)", "6.17", "7.3"),
    ),
    MultipleChoice(
        "06-wish",
        "The next wish is page 127. The second page of that range holds the canary. What happens?",
        (
            Choice("`EEXIST`", "A wish that can't be granted is no error. (`MAP_FIXED_NOREPLACE` of `mmap` would say so; `mremap` has no such flag.)", lambda ran: ran.errno == "EEXIST"),
            Choice("The canary is replaced.", "Nothing is ever replaced without `MREMAP_FIXED`.", lambda ran: ran.at(128) != "canary"),
            Choice("The kernel chooses another place.", "As with a hint of `mmap`, nothing is ever replaced without `MREMAP_FIXED`. Look at what the call returns: that is where the copy is.",
                   lambda ran: ran.errno is None and ran.at(127) is None and ran.at(128) == "canary"),
        ),
        "c",
        on("6.17", "mmap(0, 2) touch(0, 2) mmap(128, 2, r, sharedfile canary) mremap(0, 2, 2, maymove dontunmap, 64) mremap(64, 2, 2, maymove dontunmap, 127)"),
    ),
    MultipleChoice(
        "06-counted",
        "Two pages are locked and moved with `MREMAP_DONTUNMAP`, and then everything is unmapped. What is `VmLck` in the end, on Linux 6.12, 6.17 and 7.3?",
        (
            Choice("0 on all", "So it should be: nothing is mapped, so nothing is locked.", lambda seen: _locked(seen) == [0, 0, 0]),
            Choice("2 on 6.17, 0 on the others", "From Linux 6.16 (6.15 was not measured; the code is the same) to 7.1 the locked pages are counted for the copy, and not taken off for the husk. With each call the counter grows by pages that are not there. 7.2 mended it.",
                   lambda seen: _locked(seen) == [0, 2, 0]),
            Choice("2 on all", "The bug came with 6.15 and went with 7.2.", lambda seen: _locked(seen) == [2, 2, 2]),
        ),
        "b",
        on_each(LOCKED, "6.12", "6.17", "7.3"),
    ),
    MultipleChoice(
        "06-registered",
        "The heap is two VMAs, both are registered, and one call is to take them both. What does Linux 6.17 say?",
        (
            Choice("It works: registered memory may be moved.", "Alone, it may. In a move of many it may not.", lambda ran: ran.errno is None),
            Choice("`EFAULT`, and nothing has moved.", "VMAs that are registered with userfaultfd may not move together with others, and this is found at the first VMA. A collector that registers first has to move VMA by VMA, or keep its heap in one.",
                   lambda ran: ran.errno == "EFAULT" and ran.row(64) is None),
            Choice("`EFAULT`, and the first has moved.", "So it would be if only the second were registered.", lambda ran: ran.errno == "EFAULT" and ran.row(64) is not None),
        ),
        "b",
        on("6.17", f"mmap(0, 2) mmap(2, 2, rwx) uffd(0, 4) mremap(0, 4, 4, {KEEP}, 64)"),
    ),
)  # fmt: skip
