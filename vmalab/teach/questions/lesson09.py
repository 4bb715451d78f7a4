"""The questions of lesson 09."""

from __future__ import annotations

from functools import cache
from typing import Any

from vmalab.teach.evidence import agreement_table
from vmalab.teach.questions.question import Choice, MultipleChoice
from vmalab.teach.questions.ran import Ran, on, on_each
from vmalab.teach.signatures import signed_table
from vmalab.teach.suspects import fault_of, hunt, suspect

MOVE = "maymove fixed"


@cache
def _hunted() -> Any:
    return hunt(suspect(1))


@cache
def _left() -> int:
    """How many calls are left of the program that was found."""
    return len(_hunted().shrunk().program.steps)


def _two_models_no_difference() -> dict[str, bool]:
    """Whether the programs show no difference; and whether others show none of a model that is wrong."""
    blind = hunt(suspect(1), blind=True, programs=20)
    return {
        "no difference": set(agreement_table(60)["programs that differ"]) == {"0"},
        "nor of a wrong model": blind.program is None,
    }


def _fitting() -> float:
    """The part of the steps that fit nothing today."""
    table = signed_table(40)
    return sum(map(int, table["fit nothing"])) / sum(map(int, table["steps"]))


HOME = f"mmap(0, 2) touch(0, 2) mremap(0, 2, 2, {MOVE}, 64) mmap(2, 2) mremap(64, 2, 2, {MOVE}, 0)"

QUESTIONS = (
    MultipleChoice(
        "09-no-difference",
        "No difference in all of them. What does that show?",
        (
            Choice("The model is right.", "A wrong model, too, may show no difference in the programs that one happens to try. You will see one.", lambda seen: not seen["nor of a wrong model"]),
            Choice("The model is right for programs like these.", "That says more than is known: *like these* has no meaning that could be checked.", lambda seen: not seen["nor of a wrong model"]),
            Choice("Nobody has found a difference with these programs.", "Strictly, nothing more. Whoever wrote the programs had certain faults in mind, and the programs look for those. What lies elsewhere was not looked at.", lambda seen: all(seen.values())),
        ),
        "c",
        _two_models_no_difference,
    ),
    MultipleChoice(
        "09-how-many",
        "Your own guess: after how many programs?",
        (
            Choice("fewer than 10", "Some of the other suspects show up so soon.", lambda found: found.programs < 10),
            Choice("10 to 100", "For this one. It depends on the fault: some of the others show up within ten programs, some take hundreds. Nobody knows beforehand, and so one goes on for as long as there is time.", lambda found: 10 <= found.programs <= 100),
            Choice("more than 100", "Some of the other suspects take hundreds.", lambda found: found.programs > 100),
        ),
        "b",
        _hunted,
    ),
    MultipleChoice(
        "09-small",
        "How many calls will be left of it?",
        (
            Choice("one", "A single call finds nothing mapped.", lambda left: left == 1),
            Choice("two", "Not only were the others left out; the two that are left were made plainer as well: shorter, without options. What is left is what the fault needs.", lambda left: left == 2),
            Choice("about half of them", "Most calls of a random program have nothing to do with the fault.", lambda left: left > 3),
        ),
        "b",
        _left,
    ),
    MultipleChoice(
        "09-which-rule",
        "Suspect 1 has, or lacks,",
        (
            Choice("`multi_vma_move`", "With that turned round nothing could span several VMAs, and the program of section 3 above would have failed.", lambda rule: rule == "multi_vma_move"),
            Choice("`eligibility_checked_late`", "A mapping of `/dev/zero` at the start of the range, and nothing but a gap behind it: Linux refuses, the suspect moves it. That is what version 3 of the patch did (lesson 08).", lambda rule: rule == "eligibility_checked_late"),
            Choice("`dontunmap_stays_apart`", "The small program does not use `MREMAP_DONTUNMAP`.", lambda rule: rule == "dontunmap_stays_apart"),
        ),
        "b",
        lambda: fault_of(1),
    ),
    MultipleChoice(
        "09-blind",
        "400 programs of 14 calls each choose their addresses among 4096 pages, without looking. Do they find the fault of suspect 1?",
        (
            Choice("Yes, in about as many programs.", "Then it would not matter where a program steps.", lambda found: found.program is not None and found.programs <= 2 * _hunted().programs),
            Choice("Yes, but it takes longer.", "Much longer than 400 programs.", lambda found: found.program is not None),
            Choice("No.", "Not in 400, and probably not in a day. A call at a random address meets nothing that is mapped, fails with `EFAULT`, and both sides agree on that. Whoever writes a generator decides what it can find.", lambda found: found.program is None),
        ),
        "c",
        lambda: hunt(suspect(1), blind=True, programs=100),
    ),
    MultipleChoice(
        "09-account",
        "On which of the four kernels do the new page and the VMA left behind merge?",
        (
            Choice("on all four", "On one of them the VMA that was left behind has lost its `ac`.", lambda seen: _merge(seen) == [True] * 4),
            Choice("on all but 6.16", "A rewrite of `mremap` for 6.15 lost the flag, and 6.17.6 brought it back. What is worse than a VMA too many: when such a VMA is unmapped, what it was charged is never given back.", lambda seen: _merge(seen) == [False, True, True, True]),
            Choice("on 7.3 alone", "It was mended long before.", lambda seen: _merge(seen) == [False, False, False, True]),
        ),
        "b",
        on_each(f"mmap(0, 2) mremap(0, 2, 2, {MOVE} dontunmap, 64) mmap(2, 1)", "6.16", "6.17", "6.18", "7.3"),
    ),
    MultipleChoice(
        "09-child",
        "A child moves an inherited, written VMA away, maps fresh memory behind its old place, and moves it back. How many VMAs are there on Linux 6.17.13?",
        (
            Choice("1", "And that is the bug: since 6.18.8 there are two again, as there had been before 6.16.", lambda ran: ran.count == 1),
            Choice("2", "So it should be, and so it was before 6.16 and is again since 6.18.8.", lambda ran: ran.count == 2),
        ),
        "a",
        on("6.17", f"mmap(0, 2) touch(0, 2) fork_child() mremap(0, 2, 2, {MOVE}, 64) mmap(2, 2) mremap(64, 2, 2, {MOVE}, 0)"),
    ),
    MultipleChoice(
        "09-forgotten",
        "After all that, on Linux 6.17.13: how many VMAs are there at page 100?",
        (
            Choice("one", "One on 6.16 and 6.17.13, two since 6.18.8. The layout of the VMAs is the only trace that a program sees. In the model the cause is plain: look at `anon_vma` before the last call.", lambda ran: ran.count == 1),
            Choice("two", "So it should be, and so it is since 6.18.8: memory that was written keeps its `vm_pgoff`.", lambda ran: ran.count == 2),
        ),
        "a",
        on("6.17", f"{HOME} mremap(0, 4, 4, {MOVE}, 100) mmap(104, 2)"),
    ),
    MultipleChoice(
        "09-locked",
        "A process may lock four pages. It locks two, moves them with `MREMAP_DONTUNMAP`, unmaps everything, and then asks to lock four. What does Linux 6.18.44 answer?",
        (
            Choice("0: nothing was locked any more.", "Nothing is. But the kernel still counts two pages that are not even mapped.", lambda ran: ran.errno is None),
            Choice("`ENOMEM`", "The kernel still counts two pages that are not even mapped. It is right again since 7.2.", lambda ran: ran.errno == "ENOMEM"),
        ),
        "b",
        on("6.18", f"limit(memlock, 4) mmap(0, 2) mlock(0, 2) mremap(0, 2, 2, {MOVE} dontunmap, 64) munmap(0, 66) mmap(0, 4) mlock(0, 4)"),
    ),
    MultipleChoice(
        "09-sealed",
        "Six pages; pages 2 and 3 are sealed, then all six. How many VMAs on Linux 6.17.13?",
        (
            Choice("one", "So it should be: all six are sealed alike. It is so again on 6.18.44.", lambda ran: ran.count == 1),
            Choice("two", "Two, where there should be one; mended by 6.18.44. Nobody is hurt by it. It is here because it shows how small the things are that a comparison of every VMA finds.", lambda ran: ran.count == 2),
            Choice("three", "The first two do become one with the middle, or the middle with the last: only one of the two joints is missed.", lambda ran: ran.count == 3),
        ),
        "b",
        on("6.17", "mmap(0, 6) mseal(2, 2) mseal(0, 6)"),
    ),
    MultipleChoice(
        "09-signed",
        "The model's steps are held against the kernel's own traces. How many of them fit nothing in the trace today?",
        (
            Choice("none", "It was not always so. When the model was first held against traces, one or two steps in a hundred did not fit, although no answer was wrong.", lambda part: part == 0),
            Choice("one or two in a hundred", "So it was when the model was first held against traces, although no answer was wrong.", lambda part: 0 < part < 0.05),
            Choice("one in ten", "Not even at first, when it was one or two in a hundred.", lambda part: 0.05 < part),
        ),
        "a",
        _fitting,
        "A write to a page that is present was told as a page fault, where the processor writes and no function of the kernel runs at all. A split was told as `split_vma`, which on 7.3 is another function. What an unmap clears was named after a function that 6.12 no longer calls. "
        "None of that showed in an answer; all of it would have misled whoever read the steps.",
    ),
)  # fmt: skip


def _merge(seen: dict[str, Ran]) -> list[bool]:
    return [(0, 3) in one.ranges for one in seen.values()]
