"""The exercises of lesson 00: read a picture, and mend a call that fails."""

from __future__ import annotations

import itertools
from typing import Any

from vmalab.linux.addr import PAGE, page
from vmalab.machines.model import Model
from vmalab.programs.calltext import call_text
from vmalab.teach.exercises.checking import Feedback, not_yet, pages_of, solved
from vmalab.teach.exercises.submission import calls_in, numbers_in
from vmalab.words.explain import clause


def start_1() -> Model:
    """Four VMAs with two gaps, and three pages present."""
    vm = Model("6.17")
    vm.mmap(page(0), 3 * PAGE)
    vm.mmap(page(3), 2 * PAGE, "r")
    vm.mmap(page(9), 4 * PAGE)
    vm.mmap(page(40), 2 * PAGE, "rw", "sharedfile", file="log")
    vm.touch(page(1), PAGE)
    vm.touch(page(10), 2 * PAGE)
    return vm


QUESTIONS_1 = ("the VMAs", "the pages of the smaller gap", "the pages that are present")


def check_1(answer: Any) -> Feedback:
    """Three numbers: VMAs, pages in the smaller gap, present pages."""
    asks = "Write three numbers, such as (2, 5, 1): VMAs, pages in the smaller gap, pages present."
    given = numbers_in(answer, 3, asks, "Write three numbers, such as (2, 5, 1).")
    if isinstance(given, Feedback):
        return given
    rows = start_1().snapshot().rows
    gaps = [(low.end, high.start) for low, high in itertools.pairwise(rows) if low.end < high.start]
    wanted = (
        len(rows),
        min(end - start for start, end in gaps) // PAGE,
        sum(len(row.contents()) for row in rows),
    )
    if given == wanted:
        return solved("You can read the pictures.")
    good = [name for name, ours, theirs in zip(QUESTIONS_1, given, wanted, strict=True) if ours == theirs]
    said = [f"Right: {' and '.join(good)}." if good else "None of the three is right yet."]
    if given[0] != wanted[0]:
        said.append("The VMAs are the boxes with a letter. Two boxes that touch are two VMAs.")
    if given[1] != wanted[1]:
        said.append("A gap is the stretch between two boxes; its pages are written above the line.")
    if given[2] != wanted[2]:
        said.append(
            "A present page is a filled cell at the foot of a box; an empty cell is mapped, but has no page yet."
        )
    return not_yet(*said)


def start_2() -> Model:
    """A VMA with another one right behind it, so that it can't grow where it is."""
    vm = Model("6.17")
    vm.mmap(page(0), 2 * PAGE)
    vm.touch(page(0), 2 * PAGE)
    vm.mmap(page(2), PAGE, "r")
    return vm


NEEDS_2 = "Give check the model that you made your call on, or your CallBuilder."


def check_2(answer: Any) -> Feedback:
    """A model on which `[0 to 1 rw]` was grown to four pages; its contents and its neighbour are still there."""
    calls = calls_in(answer, start_2, "0.2", "Make the call, then check again.", NEEDS_2)
    if isinstance(calls, Feedback):
        return calls
    replay = start_2()
    before = pages_of(replay.snapshot())
    outcomes = [replay.do(call) for call in calls]
    last = outcomes[-1]
    if last.errno:
        why = f": {clause(last.rule)}" if last.rule is not None else ""
        return not_yet(
            f"{call_text(last.call)} fails with {last.errno}{why}.", "Which flag lets the kernel choose another place?"
        )
    after = pages_of(replay.snapshot())
    if after.get(2) != before[2]:
        return not_yet("The read-only VMA at page 2 is gone; it should stay.")
    grown = [row for row in replay.snapshot() if row.pages == 4 and row.perms == "rw-p"]
    if not grown:
        return not_yet("No writable VMA of four pages is there yet.")
    if sorted(grown[0].contents().values()) != sorted(word for *_, word in before.values() if word is not None):
        return not_yet("The VMA has four pages, but what was written is not in it any more.")
    return solved("The VMA has moved to a place with room for four pages, and its two written pages went with it.")


EXERCISES = {"1": (start_1, check_1), "2": (start_2, check_2)}
