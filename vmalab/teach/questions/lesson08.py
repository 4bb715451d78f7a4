"""The questions of lesson 08."""

from __future__ import annotations

from typing import Any

from vmalab.teach.questions.question import Choice, MultipleChoice
from vmalab.teach.questions.ran import Ran, on, on_each
from vmalab.teach.rules import where_kept

MOVE = "maymove fixed"
LOCAL, FIELD = "a local variable of remap_move", "a field of the record"


def _errnos(seen: dict[str, Ran]) -> list[str | None]:
    return [one.errno for one in seen.values()]


def _locals() -> tuple[bool, bool]:
    """Whether seen_vma and vmi_needs_reset are local variables of the move that was merged."""
    return where_kept("seen_vma")[LOCAL], where_kept("vmi_needs_reset")[LOCAL]


def _garbage() -> Any:
    from vmalab.linux.addr import PAGE, page
    from vmalab.machines.model import Model

    vm = Model("v3")
    vm.mmap(page(0), 2 * PAGE)
    return vm.mremap(page(0), 2 * PAGE, 2 * PAGE, 0, 2**47)


QUESTIONS = (
    MultipleChoice(
        "08-single",
        "The fifth promise. A VMA covers pages 0 and 1, and behind it nothing is mapped. A program asks to move pages 0 to **3**. Linux 6.16 answers `EFAULT`. And version 3?",
        (
            Choice("`EFAULT`: it is a single VMA, so it is as before.", "The fifth promise holds for a range *within* one VMA. This one runs past its end.", lambda ran: ran.errno == "EFAULT"),
            Choice("It succeeds.", "The patch reads the range as a VMA and a gap, and gaps may be moved. So the fifth promise holds for a range *within* one VMA; a range that begins in one and runs past its end had always failed, and now works.", lambda ran: ran.errno is None),
        ),
        "b",
        on("v3", f"mmap(0, 2) mremap(0, 4, 4, {MOVE}, 64)"),
        "Nobody minds here, but hold on to the question. It returns in section 4.",
    ),
    MultipleChoice(
        "08-gap",
        "A canary lies on pages 65 to 68, and version 3 moves two VMAs with a gap of one page between them to page 64. What is at page 66 afterwards?",
        (
            Choice("Nothing.", "Then a gap would replace what it meets. Only VMAs do.", lambda ran: ran.at(66) is None),
            Choice("The canary's page.", "Each VMA of the range is moved by a call of the function that moves one, and that function unmaps the place of one.", lambda ran: ran.errno is None and ran.at(66) == "canary"),
        ),
        "b",
        on("v3", f"mmap(0, 2) mmap(3, 2, r) mmap(65, 4, r, sharedfile canary) mremap(0, 5, 5, {MOVE}, 64)"),
    ),
    MultipleChoice(
        "08-first",
        "Now the mapping that may not take part, one of `/dev/zero`, is the **first** of two. What does version 3 do?",
        (
            Choice("It fails, and nothing has moved.", "So does the released kernel. Version 3 did not yet know that the first one is not alone.", lambda ran: ran.errno == "EFAULT" and ran.row(0) is not None),
            Choice("It fails, and the first VMA has moved.", "Such a mapping may move alone (promise 5). Whether it is alone is not known before the next VMA turns up, so version 3 moved the first one, made a note, and acted on the note when it met a second.",
                   lambda ran: ran.errno == "EFAULT" and ran.row(0) is None and ran.at(64) == "/dev/zero"),
            Choice("It moves both.", "The note says that a mapping was met which may not take part, and the second VMA calls for it.", lambda ran: ran.errno is None),
        ),
        "b",
        on("v3", f"mmap(0, 2, rw, zero) mmap(2, 2) mremap(0, 4, 4, {MOVE}, 64)"),
    ),
    MultipleChoice(
        "08-first-gap",
        "The mapping of `/dev/zero` once more, with nothing behind it but two pages of gap. The range covers both. What do Linux 6.16, version 3 and Linux 6.17 answer?",
        (
            Choice("`EFAULT`, success, `EFAULT`", "In version 3 no second VMA turns up, so the note is never acted on. On 8 August the reviewer of the mend asked whether this is refused now. It is, on purpose: before 6.17 it was refused as well. The price is that the same call, with ordinary memory in it, succeeds (section 2).",
                   lambda seen: _errnos(seen) == ["EFAULT", None, "EFAULT"]),
            Choice("`EFAULT`, success, success", "The released kernel knows that a VMA which ends before the range does is not alone.", lambda seen: _errnos(seen) == ["EFAULT", None, None]),
            Choice("`EFAULT`, `EFAULT`, `EFAULT`", "Version 3 refuses at the second VMA, and there is none.", lambda seen: _errnos(seen) == ["EFAULT"] * 3),
        ),
        "a",
        on_each(f"mmap(0, 2, rw, zero) mremap(0, 4, 4, {MOVE}, 64)", "6.16", "v3", "6.17"),
    ),
    MultipleChoice(
        "08-local",
        "Which one? `remap_move()` walks through the range. For each VMA it calls a function, which calls another, which copies the VMA; there the walk may lose its place.",
        (
            Choice("`seen_vma`", "`seen_vma` is set and read in `remap_move()` alone. It was merged as a local variable. A field of a record can be changed by every function that the record is given to, and whoever reads the code has to look at all of them; a local variable can't.", lambda seen: seen == (True, False)),
            Choice("`vmi_needs_reset`", "It is set where the VMA is copied and read where the walk goes on, so it has to travel.", lambda seen: seen == (False, True)),
            Choice("both", "`vmi_needs_reset` is set where the VMA is copied and read where the walk goes on, so it has to travel.", lambda seen: seen == (True, True)),
        ),
        "a",
        _locals,
    ),
    MultipleChoice(
        "08-merged",
        "How many VMAs are there afterwards?",
        (
            Choice("3: pages 0 and 1; 4 and 5, which arrived; 6 and 7.", "The copy fits between what is left of the VMA on both sides.", lambda ran: ran.count == 3),
            Choice("2", "The copy fits between what is left of the VMA on both sides, its own source included, so all become one. Out of that one the old place is cut. So *not the same record any more* means: the source **was** merged into the new VMA.",
                   lambda ran: ran.ranges == [(0, 2), (4, 8)]),
            Choice("1: nothing has changed that a reader could see.", "Pages 2 and 3 are no longer mapped: a move leaves a gap.", lambda ran: ran.count == 1),
        ),
        "b",
        on("6.17", f"mmap(0, 8) mremap(2, 2, 2, {MOVE}, 4)"),
    ),
    MultipleChoice(
        "08-walk",
        "Pages 0 to 4 hold A (0 and 1), a gap (2), and B (3 and 4), none of it written. They move to page 5. What is there afterwards?",
        (
            Choice("A on pages 5 and 6, B on 8 and 9.", "When A arrives at page 5, it merges with B into one VMA, pages 3 to 6. That is what the walk finds when it goes on. But the range ends before page 5, so only pages 3 and 4 of that VMA are a piece of it.", lambda ran: ran.ranges == [(5, 7), (8, 10)]),
            Choice("B has become longer by then, and moves as a whole: pages 8 to 11.", "It has become longer indeed. But the range ends before page 5, and of each VMA only what lies in the range is moved.", lambda ran: (8, 12) in ran.ranges),
            Choice("The walk meets what it has moved, and moves it again.", "What was moved lies behind the end of the range, and the walk stops there.", lambda ran: (10, 12) in ran.ranges),
        ),
        "a",
        on("6.17", f"mmap(0, 2) mmap(3, 2) mremap(0, 5, 5, {MOVE}, 5)"),
    ),
    MultipleChoice(
        "08-garbage",
        "A call without `MREMAP_FIXED` and with equal sizes has nothing to do. Its fifth argument is ignored, so it may be garbage, such as an address that no program can have. Version 3 answers",
        (
            Choice("the old address, as all kernels do;", "So did all before, and so do all since. Version 3 checked it first.", lambda outcome: outcome.errno is None),
            Choice("`EINVAL`.", "A program that leaves the fifth argument out passes whatever happens to be in that register. It would have failed, now and then.", lambda outcome: outcome.errno == "EINVAL"),
        ),
        "b",
        _garbage,
    ),
)  # fmt: skip
