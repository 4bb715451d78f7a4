"""The questions of lesson 02."""

from __future__ import annotations

from vmalab.teach.questions.question import Choice, MultipleChoice
from vmalab.teach.questions.ran import Ran, on, on_each

CANARY = "r, sharedfile canary"


def _twice() -> tuple[Ran, Ran]:
    shared = on("6.17", "mmap(0, 2, rw, shared) touch(0, 1) mremap(0, 0, 2, maymove fixed, 16)")()
    return shared, on("6.17", "mmap(32, 2) mremap(32, 0, 2, maymove)")()


QUESTIONS = (
    MultipleChoice(
        "02-shrink",
        "The six pages become 5000 bytes, with no flags; that is two pages, since lengths are rounded up. And then they become four pages again. What is on the last two of the four?",
        (
            Choice("what was written there before", "Nobody keeps it: to shrink is to `munmap` the tail.", lambda ran: ran.value(2) not in (0, None)),
            Choice("zeros", "To shrink is to `munmap` the tail: its pages are gone. To grow makes the VMA longer, and new pages come when they are first used, as zeros.",
                   lambda ran: ran.errno is None and ran.value(2) == 0 and ran.value(3) == 0),
            Choice("The second call fails: memory that was given back is gone.", "The pages are gone. Addresses are not: what lies behind is free, so the VMA may grow over it.",
                   lambda ran: ran.errno is not None),
        ),
        "b",
        on("6.17", "mmap(0, 6) touch(0, 6) mremap(0, 6, 2, 0) mremap(0, 2, 4, 0)"),
    ),
    MultipleChoice(
        "02-grow",
        "Four pages are mapped at page 0 and one at page 5, alike in everything. We let the four grow by one, which fills the gap. How many VMAs are there?",
        (
            Choice("Two: the grown one, and its neighbour.", "They touch now and are alike, and nothing keeps them apart.", lambda ran: ran.count == 2 and not ran.errno),
            Choice("One.", "Now they touch and are alike, and the kernel merges them, as it did for `mmap` and `mprotect` in lesson 01.", lambda ran: ran.count == 1),
            Choice("Two, and the call fails: there must be more room than that.", "One page was asked for, and one was free.", lambda ran: ran.errno is not None),
        ),
        "b",
        on("6.17", "mmap(0, 6) touch(0, 6) mremap(0, 6, 2, 0) mremap(0, 2, 4, 0) mmap(5, 1) mremap(0, 4, 5, 0)"),
    ),
    MultipleChoice(
        "02-half",
        "A VMA has six pages. We ask to grow its **first three** by one page, with `MREMAP_MAYMOVE`. Behind the six there is room for a thousand.",
        (
            Choice("The VMA grows to seven pages.", "Not the VMA was to grow, but the range of three pages, and behind that lie the other three.", lambda ran: (0, 7) in ran.ranges),
            Choice("The three move away and become four; the other three stay.", "The range ends inside the VMA, so there is no room behind it: its own other half is in the way. The VMA is cut, and the part moves.",
                   lambda ran: ran.errno is None and (3, 6) in ran.ranges and ran.row(0) is None and ran.count == 2),
            Choice("It fails: the range must be a whole VMA.", "A range is a range of addresses. It may begin and end within a VMA.", lambda ran: ran.errno is not None),
        ),
        "b",
        on("6.17", "mmap(0, 6) touch(0, 6) mremap(0, 3, 4, maymove)"),
    ),
    MultipleChoice(
        "02-fixed",
        "Pages 2 and 3 of six go to page 17. A file called `canary` lies on pages 16 to 19. How many VMAs are there afterwards?",
        (
            Choice("Two: the call fails, since something is there.", "`MREMAP_FIXED` replaces what it meets.", lambda ran: ran.errno is not None),
            Choice("Three.", "That forgets what is left on both sides: of the old VMA, or of the canary.", lambda ran: ran.count == 3),
            Choice("Five.", "Two pieces of the old VMA stay, the moved one arrives, and of the canary its two ends are left. The numbers in the cells are what was written: they came along.",
                   lambda ran: ran.errno is None and ran.count == 5),
        ),
        "c",
        on("6.17", f"mmap(0, 6) touch(0, 6) mmap(16, 4, {CANARY}) mremap(2, 2, 2, maymove fixed, 17)"),
    ),
    MultipleChoice(
        "02-dontunmap",
        "What does the program read at the old address afterwards?",
        (
            Choice("what was written there: a move with this flag is a copy", "Nothing is copied by any `mremap`. The pages are at the new place, and nowhere else.", lambda ran: ran.value(0) not in (0, None)),
            Choice("zeros", "There is a VMA, and it has no pages; the first use brings a fresh one. Whoever registers the old range with userfaultfd can hand in something else. Lesson 06 is about what that is good for.",
                   lambda ran: ran.value(0) == 0 and ran.value(16) not in (0, None)),
            Choice("It gets `SIGSEGV`.", "So it would after a plain move. Here the VMA stays.", lambda ran: ran.row(0) is None),
        ),
        "b",
        on("6.17", "mmap(0, 2) touch(0, 2) mremap(0, 2, 2, maymove fixed dontunmap, 16)"),
    ),
    MultipleChoice(
        "02-oldsize0",
        "`old_size` is 0 and the flag is `MREMAP_MAYMOVE`. Once on shared memory, once on private memory. What happens?",
        (
            Choice("Both fail: there is nothing to move.", "The new size says how much is to be mapped; an old size of 0 says that the old mapping is to stay.", lambda seen: seen[0].errno is not None),
            Choice("Both are mapped a second time.", "A private page belongs to one place. Two mappings of it would be sharing, which it is not.", lambda seen: seen[1].errno is None),
            Choice("The shared memory is mapped a second time; the private one is refused.",
                   "Of shared memory a second mapping is made, and the old one stays: what is written at page 16 is read at page 0. Private pages belong to one place, so it is `EINVAL` there.",
                   lambda seen: seen[0].errno is None and seen[0].value(16) == seen[0].value(0) != 0 and seen[1].errno == "EINVAL"),
        ),
        "c",
        _twice,
        "This is an old trick to get a second view of shared memory without a file descriptor.",
    ),
    MultipleChoice(
        "02-failed",
        "What does a call return that can't grow, as in section 3?",
        (
            Choice("the old address, since the mapping is still there", "The mapping is there, but the call has failed, and its value says that.", lambda ran: ran.last.value is not None),
            Choice("`MAP_FAILED`, and the mapping is still there", "Whoever writes `p = mremap(p, …)` has lost the address of memory that is still there. The same mistake is made with `realloc`.",
                   lambda ran: ran.last.value is None and ran.errno == "ENOMEM" and (0, 2) in ran.ranges),
        ),
        "b",
        on("6.17", "mmap(0, 2) mmap(2, 1, r) mremap(0, 2, 4, 0)"),
    ),
    MultipleChoice(
        "02-two-wrongs",
        "Nothing is mapped at page 32, and a call asks to move two pages from there to page 33. Both things are wrong: there is no VMA (`EFAULT`), and the ranges overlap (`EINVAL`). Which error comes?",
        (
            Choice("`EFAULT`", "On some releases. The first check that fails decides, and their order was changed.", lambda seen: {one.errno for one in seen.values()} == {"EFAULT"}),
            Choice("`EINVAL`", "On some releases. The first check that fails decides, and their order was changed.", lambda seen: {one.errno for one in seen.values()} == {"EINVAL"}),
            Choice("It depends on the release.", "The first check that fails decides, and the order of the checks was changed twice: in Linux 6.15 and in 6.17, when `mm/mremap.c` was rewritten step by step. "
                   "Until 6.14 the arguments that need no VMA were partly checked after the VMA had been looked up.", lambda seen: len({one.errno for one in seen.values()}) == 2),
        ),
        "c",
        on_each("mmap(0, 2) mremap(32, 2, 2, maymove fixed, 33)", "6.12", "6.16", "6.17"),
    ),
    MultipleChoice(
        "02-lost",
        "Three pages `rw`, then three pages `r`. The call shrinks the six to four and moves them to page 64, where a canary of five pages lies. The four don't lie in one VMA, so it fails with "
        "`EFAULT`. What is left on Linux 6.16?",
        (
            Choice("Everything: the call failed.", "A failed call often changes nothing, but no rule says so.", lambda ran: ran.ranges == [(0, 3), (3, 6), (64, 69)]),
            Choice("The source, and one page of the canary.", "The destination is gone indeed. But the call was to shrink as well, and that came first.", lambda ran: ran.ranges == [(0, 3), (3, 6), (68, 69)]),
            Choice("Four pages of the source, and one page of the canary.", "It unmapped the destination, then the tail of the source, which shrinking cuts off, and then it looked whether the rest can be moved. Nothing is put back.",
                   lambda ran: ran.errno == "EFAULT" and ran.ranges == [(0, 3), (3, 4), (68, 69)]),
        ),
        "c",
        on("6.16", f"mmap(0, 3) mmap(3, 3, r) mmap(64, 5, {CANARY}) mremap(0, 6, 4, maymove fixed, 64)"),
    ),
)  # fmt: skip
