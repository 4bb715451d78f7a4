"""The questions of lesson 04."""

from __future__ import annotations

from vmalab.teach.questions.question import Choice, MultipleChoice
from vmalab.teach.questions.ran import on

TWO = "mmap(0, 2) mmap(3, 2, r) mmap(65, 4, r, sharedfile canary)"
MOVED = "mremap(0, 5, 5, maymove fixed, 64)"


def _spanning() -> list[str | None]:
    calls = ("mremap(0, 5, 6, maymove fixed, 64)", "mremap(0, 5, 1, 0)", "mremap(0, 5, 5, maymove fixed dontunmap, 64)")
    return [on("6.17", f"mmap(0, 2) mmap(3, 2, r) {call}")().errno for call in calls]


def _edges() -> tuple[str | None, str | None]:
    there = "mmap(1, 2) mmap(68, 1, r, sharedfile canary)"
    return on("6.17", f"{there} mremap(0, 3, 3, maymove fixed, 64)")().errno, on(
        "6.17", f"{there} mremap(1, 8, 8, maymove fixed, 64)"
    )().errno


def _alone() -> tuple[str | None, str | None]:
    alone = "mmap(0, 2, rw, zero) mremap(0, 2, 2, maymove fixed, 64)"
    return on("6.17", alone)().errno, on("6.17", f"{alone} mremap(64, 4, 4, maymove fixed, 0)")().errno


QUESTIONS = (
    MultipleChoice(
        "04-canary",
        "We ask Linux 6.16 to move pages 0 to 4 to page 64. That range covers two VMAs, so the call fails with `EFAULT`. What has become of the canary?",
        (
            Choice("It is there as before: a call that fails changes nothing.", "That is what everyone hopes for. A failed system call often changes nothing, but no rule says so.", lambda ran: [ran.at(n) for n in range(65, 69)] == ["canary"] * 4),
            Choice("It is gone.", "The kernel of those days unmapped the whole destination first and only then looked whether the source fits.", lambda ran: ran.errno == "EFAULT" and [ran.at(n) for n in range(65, 69)] == [None] * 4),
            Choice("The pages under A are gone, the others are there.", "That would need a kernel that works VMA by VMA. This one never came so far.", lambda ran: ran.at(65) is None and ran.at(66) == "canary"),
        ),
        "b",
        on("6.16", f"{TWO} {MOVED}"),
    ),
    MultipleChoice(
        "04-spanning",
        "Since 6.17 moves may span VMAs. Which of these may, too?",
        (
            Choice("growing a range", "Growing still works on one VMA. Which of several should grow? There is no good answer, and so it is `EFAULT`, on every release.", lambda errnos: errnos[0] is None),
            Choice("shrinking it in place", "Shrinking in place is `munmap` of the tail, and `munmap` has always gone over any number of VMAs and gaps.", lambda errnos: errnos[1] is None),
            Choice("`MREMAP_FIXED | MREMAP_DONTUNMAP` with equal sizes", "This is a move that leaves the old VMAs behind, empty. Lesson 06 is about it.", lambda errnos: errnos[2] is None),
        ),
        "bc",
        _spanning,
        "Without `MREMAP_FIXED`, and with equal sizes, there is nothing to do: the call returns the old address and looks at no VMA but the first.",
        several=True,
    ),
    MultipleChoice(
        "04-gap",
        "Pages 0 to 4 go to page 64. What is at page 66 afterwards?",
        (
            Choice("Nothing: the destination is replaced, and a gap is what comes there.", "That was true for the failing call of 6.16, which unmapped the whole destination (section 1).", lambda ran: ran.errno is None and ran.at(66) is None),
            Choice("The canary's page.", "The destination is unmapped piece by piece, each time just where a VMA arrives. A gap brings nothing, so it replaces nothing.",
                   lambda ran: ran.errno is None and ran.at(66) == "canary"),
            Choice("The first page of B: the VMAs arrive side by side.", "Gaps are kept: B was three pages behind A's start, and it still is. Programs rely on such distances, so a move that closed them up would break the pointers inside the range.",
                   lambda ran: ran.at(66) == "anon"),
            Choice("Nothing has changed: the call fails, since something is mapped at its target.", "`MREMAP_FIXED` never asks: where a VMA arrives, it replaces what it meets. Pages 65, 67 and 68 of the canary are gone.", lambda ran: ran.errno is not None),
        ),
        "b",
        on("6.17", f"{TWO} {MOVED}"),
    ),
    MultipleChoice(
        "04-edges",
        "A VMA lies on pages 1 and 2. Two calls, both to page 64: one for pages 0 to 2, which begins with a gap, and one for pages 1 to 8, which ends with one. Which of them succeeds?",
        (
            Choice("Both: gaps may be anywhere.", "The range must start in a VMA; with a gap first it is `EFAULT`, and nothing has changed.", lambda seen: seen == (None, None)),
            Choice("Only the first.", "It is the other way round: the start is looked up, the end is not.", lambda seen: seen == (None, "EFAULT")),
            Choice("Only the second.", "The range must start in a VMA. A gap at the end is allowed, and what lies at the destination under it survives as well: the canary at page 68.", lambda seen: seen == ("EFAULT", None)),
        ),
        "c",
        _edges,
        "So a single VMA with a gap behind it can be moved with one call, too. Linux 6.16 gave `EFAULT` for that, and emptied the destination.",
    ),
    MultipleChoice(
        "04-last",
        "Two ordinary VMAs, then one of `/dev/zero`. The call fails with `EFAULT`. What has moved?",
        (
            Choice("Nothing: the kernel looks at the whole range before it begins.", "It looks at each VMA when its turn comes.", lambda ran: ran.ranges == [(0, 2), (2, 4), (4, 6)]),
            Choice("The first two.", "Each VMA is checked when its turn comes. By then those before it have moved, and nobody moves them back.", lambda ran: ran.errno == "EFAULT" and ran.ranges == [(4, 6), (64, 66), (66, 68)]),
            Choice("Everything.", "Then the call would not have failed.", lambda ran: ran.row(0) is None and ran.row(4) is None),
        ),
        "b",
        on("6.17", "mmap(0, 2) mmap(2, 2, r) mmap(4, 2, rw, zero) mremap(0, 6, 6, maymove fixed, 64)"),
    ),
    MultipleChoice(
        "04-alone",
        "Now the range holds just the two pages of `/dev/zero`. And then: the same VMA, with two pages of gap behind it. Which call succeeds?",
        (
            Choice("Neither.", "Alone, such a mapping moves as it always did.", lambda seen: seen == ("EFAULT", "EFAULT")),
            Choice("Both.", "If the range goes on behind the VMA, even with nothing but a gap, this is a move of many.", lambda seen: seen == (None, None)),
            Choice("Only the one without the gap.", "A VMA that covers the range to its end moves as on every kernel before. If the range goes on behind it, even with nothing but a gap, this is a move of many, and it is refused.", lambda seen: seen == (None, "EFAULT")),
        ),
        "c",
        _alone,
    ),
    MultipleChoice(
        "04-halfway",
        "Three VMAs, and the second one is sealed. What does the call do?",
        (
            Choice("It moves the first and the third, and skips the second.", "There is no skipping: the caller could not tell what is missing.", lambda ran: ran.row(0) is None and ran.row(6) is None),
            Choice("It fails, and puts the first one back.", "There is no rollback. To move back what has moved could fail as well, and then the mess would be greater; lesson 05 takes that argument apart.", lambda ran: ran.errno is not None and ran.row(0) is not None),
            Choice("It fails, and the first one stays where it has gone.", "There is no rollback.", lambda ran: ran.errno == "EPERM" and ran.ranges == [(3, 5), (6, 8), (64, 66)]),
        ),
        "c",
        on("6.17", "mmap(0, 2) touch(0, 2) mmap(3, 2, r) mmap(6, 2) mseal(3, 2) mremap(0, 8, 8, maymove fixed, 64)"),
        "When the man page says that the move is atomic, it means that no other `mmap`, `munmap` or `mremap` of the process comes in between, not that it is all or nothing. Loads and stores of other threads can come in between: one VMA has arrived, the next one has not left.",
    ),
    MultipleChoice(
        "04-arrive",
        "Linux 6.17 moves all nine pages to page 97 with one call. How many VMAs arrive?",
        (
            Choice("3", "So it is at any other target: try `page(90)`.", lambda ran: ran.count == 3),
            Choice("2", "What holds for one side of the middle piece holds for the other.", lambda ran: ran.count == 2),
            Choice("1", "At page 97 the middle piece comes to lie on page 100, where its `vm_pgoff` is at home. The outer two were never written, and such a VMA takes the `vm_pgoff` of wherever it arrives. So all three continue one another, and merge.",
                   lambda ran: ran.errno is None and ran.count == 1),
        ),
        "c",
        on("6.17", "mmap(0, 9) mremap(3, 3, 3, maymove fixed, 100) touch(100, 1) mremap(100, 3, 3, maymove fixed, 3) mremap(0, 9, 9, maymove fixed, 97)"),
    ),
)  # fmt: skip
