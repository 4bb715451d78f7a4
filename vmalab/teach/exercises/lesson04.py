"""The exercises of lesson 04: draw a layout, aim a call, tell two kernels apart, move without the new rule, heal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product, starmap
from random import Random
from typing import Any

from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Mremap
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.programs.calltext import call_text, place
from vmalab.teach.exercises.cases import (
    CANARY,
    FIXED,
    Case,
    Layout,
    canary,
    check_layout,
    covers,
    drawn,
    last_of,
    moved_wrong,
    page_in,
    why,
    within,
)
from vmalab.teach.exercises.checking import (
    Feedback,
    backed,
    listed,
    not_yet,
    pages_of,
    solved,
    spelled,
)
from vmalab.teach.exercises.submission import Trial, calls_in, calls_of, program_in
from vmalab.words.explain import merge_reason

# --- 4.1: draw the VMAs --------------------------------------------------------------------------------------


def start_1() -> Model:
    """`[0 to 3 rw][4 to 5 rx]  [8 to 9 rw]`, and a canary where the call of `MOVE_1` aims."""
    vm = Model("6.17")
    vm.mmap(page(0), 4 * PAGE)
    vm.mmap(page(4), 2 * PAGE, "rx")
    vm.mmap(page(8), 2 * PAGE)
    canary(vm, 69, 4)
    return vm


MOVE_1 = Mremap(page(1), 9 * PAGE, 9 * PAGE, FIXED, page(65))


def check_1(answer: Any) -> Feedback:
    """The VMAs after `MOVE_1`."""
    return check_layout(
        answer, start_1().do(MOVE_1).after, MISTAKES_1,
        "Both edges of the range cut a VMA or a gap as they fall, the gap keeps its two pages, and of the canary "
        "only that is gone where B and C arrived: pages 69 and 72.",
    )  # fmt: skip


MISTAKES_1: Sequence[tuple[Callable[[Layout], bool], str]] = (
    (lambda given: not covers(given, 0),
     "The range starts at page 1, in the middle of A. What becomes of the page before it?"),
    (lambda given: any(covers(given, number) for number in (1, 2, 3, 4, 5, 8, 9)),
     "After a move, is anything left in the old range (pages 1 to 9)? MREMAP_DONTUNMAP was not among the flags."),
    (lambda given: (70, 72, "rw") in given,
     "You have closed the gap up. Each VMA goes as far as the whole range does: 64 pages. Where does page 8 go, then?"),
    (lambda given: not any(covers(given, number) for number in (70, 71)),
     "Nothing is left on pages 70 and 71. They lie under the moved gap: does anything arrive there?"),
    (lambda given: any(end - start > 2 and perms == "r" for start, end, perms in given),
     "The canary was 4 pages long. MREMAP_FIXED replaces what lies where a VMA arrives: which of its pages are hit?"),
    (lambda given: (68, 72, "rx") in given or (68, 72, "r") in given,
     "B is private anonymous memory and the canary a file: they may touch, but they can't be one VMA."),
)  # fmt: skip


# --- 4.2: aim a call -----------------------------------------------------------------------------------------

CANARIES_2 = (67, 72)
WINDOW_2 = (64, 80)
PIECES_2 = ((0, 2), (3, 5), (8, 10))


def start_2() -> Model:
    """Three VMAs with gaps between them, and two canaries in the window that they are to go to."""
    vm = Model("6.17")
    for (first, end), prot in zip(PIECES_2, ("rw", "r", "rw"), strict=True):
        vm.mmap(page(first), (end - first) * PAGE, prot)
    for number in CANARIES_2:
        canary(vm, number)
    return vm


def check_2(answer: Any) -> Feedback:
    """One mremap that brings all three VMAs into the window and hits no canary."""
    calls = calls_in(answer, start_2, "4.2", "Make one mremap call on vm, then check again.")
    if isinstance(calls, Feedback):
        return calls
    if len(calls) > 1:
        return not_yet(f"You made {len(calls)} calls; one is enough. Run the cell again: it starts afresh.")
    call, replay = calls[0], start_2()
    if not isinstance(call, Mremap):
        return not_yet(f"{call.name} does not move VMAs.")
    outcome = replay.do(call)
    if outcome.errno:
        return not_yet(f"{outcome.errno}: {why(outcome)}.")
    hit = set(CANARIES_2) - backed(outcome.after, CANARY)
    mapped = set(pages_of(outcome.after)) - set(CANARIES_2)
    left = {number for number in mapped if number < 10}
    outside = {number for number in mapped if number >= 10 and not WINDOW_2[0] <= number < WINDOW_2[1]}
    said = []
    if left:
        said.append(f"Still at the old place: {listed(left)}. The range has to reach to the end of the third VMA.")
    if outside:
        low, high = WINDOW_2
        said.append(f"Outside of pages {low} to {high - 1}: {listed(outside)}.")
    for number in sorted(hit):
        came = number - (call.new_addr - call.addr) // PAGE
        said.append(f"The canary at page {number} is gone: page {came} of the range arrived there, and it is no gap.")
    if said:
        return not_yet(*said)
    return solved(
        f"With the target at {place(call.new_addr)} each canary lies under a gap, or outside of the range; nothing "
        "had to be saved and restored."
    )


# --- 4.3: tell two kernels apart -----------------------------------------------------------------------------


def start_3() -> Model:
    """Nothing: the program is the learner's."""
    return Model("6.16")


def check_3(answer: Any) -> Feedback:
    """A program whose last call fails on 6.16 and loses memory that the same call leaves alone on 6.17."""
    vm = program_in(answer, "Map something, and then make the call that loses it on Linux 6.16.")
    if isinstance(vm, Feedback):
        return vm
    call = vm.history[-1]
    if not isinstance(call, Mremap):
        return not_yet(f"The last call is {call.name}; it has to be the mremap that loses something.")
    old, new = (last_of(vm, release) for release in ("6.16", "6.17"))
    if old.errno is None:
        return not_yet(
            f"On Linux 6.16 {call_text(call)} succeeds, so what it replaced was replaced on purpose. Make it fail: "
            "what does a range over two VMAs do there?"
        )
    lost = _lost(old)
    if not lost:
        return not_yet(
            f"It fails on Linux 6.16 with {old.errno} ({why(old)}), but nothing is lost.",
            "Is anything mapped where the call aims? And is it refused before the destination is unmapped, or after?",
        )
    also = lost & _lost(new)
    if also:
        are = "is" if len(also) == 1 else "are"
        return not_yet(
            f"Linux 6.16 fails and loses {listed(lost)}: good. But on Linux 6.17 {listed(also)} {are} gone too, since "
            "a VMA arrives there. Put something under a gap, or choose a call that 6.17 refuses as well."
        )
    how = "succeeds, and under a gap nothing is unmapped."
    if new.errno is not None:
        how = f"fails with {new.errno} as well, but the source is checked before anything is unmapped."
    return solved(
        f"Linux 6.16 fails with {old.errno} and has lost {listed(lost)} by then. On Linux 6.17 the call {how}"
    )


def _lost(outcome: Outcome) -> set[int]:
    """Pages that the call took away: what was there is at its place no more, and did not move either."""
    before, after = pages_of(outcome.before), pages_of(outcome.after)
    came = {(number, gone) for move in outcome.moves
            for number, gone in ((page_in(at), page_in(at) + page_in(move.target) - page_in(move.start))
                                 for at in range(move.start, move.end, PAGE))}  # fmt: skip
    moved = {number for number, _ in came}
    return {number for number in before if after.get(number) != before[number] and number not in moved}


# --- 4.4: a move for every kernel ----------------------------------------------------------------------------


BOTH = ("6.17", "6.16")
CASES_4 = (
    Case("two VMAs that touch", ((0, 2, "rw", "anon"), (2, 4, "r", "anon")), 0, 4, 64),
    Case("two VMAs with a gap, and a canary under it",
         ((0, 2, "rw", "anon"), (3, 5, "r", "anon")), 0, 5, 64, (66,)),
    Case("a range that starts and ends inside VMAs", ((0, 4, "rw", "anon"), (6, 10, "r", "anon")), 2, 6, 64),
    Case("a private mapping of /dev/zero between two others",
         ((0, 2, "rw", "anon"), (3, 5, "rw", "zero"), (6, 8, "r", "anon")), 0, 8, 64, (66, 69)),
    Case("a private mapping of /dev/zero first", ((0, 2, "rw", "zero"), (2, 4, "rw", "anon")), 0, 4, 64),
    Case("a gap at the start of the range", ((1, 3, "rw", "anon"), (3, 4, "r", "anon")), 0, 5, 64, (64, 68)),
)  # fmt: skip


def start_4() -> Model:
    """The fourth case: what a single call can't do."""
    return CASES_4[3].prepare("6.17")


def check_4(answer: Any, cases: Sequence[Case] = CASES_4) -> Feedback:
    """`move_all(vm, start, length, target)`: everything moves, whatever it is, on every release; gaps stay gaps."""
    calls = calls_of(answer, "move_all", starmap(_trial_4, product(cases, BOTH)))
    if isinstance(calls, Feedback):
        return calls
    return solved(
        f"All {len(cases)} address spaces come out right, on Linux 6.16 and 6.17, with {calls} calls in all.",
        "One call for each VMA asks for nothing that 6.17 brought, and an ineligible VMA moves too, since it is alone.",
    )


def _trial_4(case: Case, release: str) -> Trial:
    vm = case.prepare(release)
    given = len(vm.history)
    return Trial(
        f"On Linux {release}, with {case.name}", vm, case.range,
        lambda _: moved_wrong(case, release, vm, vm.outcomes[given:]),
    )  # fmt: skip


def unseen_4(answer: Any, random: Random) -> Feedback:
    """The same on address spaces that nobody has seen."""
    return check_4(answer, drawn(random))


# --- 4.5: three become one -----------------------------------------------------------------------------------


def start_5() -> Model:
    """Nothing: the program is the learner's."""
    return Model("6.17")


def check_5(answer: Any) -> Feedback:
    """A program whose last call moves three VMAs or more, and they arrive as one."""
    vm = program_in(answer, "Make three VMAs that look alike and touch, and then move them with one call.")
    if isinstance(vm, Feedback):
        return vm
    last = vm.history[-1]
    if not isinstance(last, Mremap) or last.flags & FIXED != FIXED or last.old_len != last.new_len:
        return not_yet("The last call has to be the move: mremap with MREMAP_MAYMOVE | MREMAP_FIXED and equal lengths.")
    outcome = last_of(vm, "6.17")
    if outcome.errno:
        return not_yet(f"{outcome.errno}: {why(outcome)}.")
    pieces = within(outcome.before.rows, last.addr, last.addr + last.old_len)
    there = within(outcome.after.rows, last.new_addr, last.new_addr + last.new_len)
    if len(pieces) < 3:
        count = "one VMA" if len(pieces) == 1 else f"{len(pieces)} VMAs"
        return not_yet(
            f"Before the move the range holds {count}; make it three.",
            "Equal neighbours merge at once, unless the middle one was written while it was somewhere else.",
        )
    if len(there) > 1:
        refused = [merge_reason(step.values["why"]) for step in outcome.steps if step.key == "no_merge"]
        said = [f"{len(pieces)} VMAs were moved and {len(there)} arrived: {' '.join(map(spelled, there))}."]
        said += [f"Why a neighbour was refused: {refused[0]}"] if refused else []
        return not_yet(*said, "At which target does the written piece come to its natural place, vm_pgoff = page?")
    if there[0].pages != sum(row.pages for row in pieces):
        return not_yet(f"What arrived merged with something else too: {spelled(there[0])}.")
    return solved(
        f"{len(pieces)} VMAs left and one arrived, {spelled(there[0])}, in a program of {len(vm.history)} calls."
        + (" (Five calls are enough.)" if len(vm.history) > 5 else "")
    )


EXERCISES = {
    "1": (start_1, check_1),
    "2": (start_2, check_2),
    "3": (start_3, check_3),
    "4": (start_4, check_4, unseen_4),
    "5": (start_5, check_5),
}
