"""The exercises of lesson 05: half a move drawn and provoked; code that finishes it, undoes it, foresees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Mremap
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Snapshot
from vmalab.teach.exercises.cases import (
    FIXED,
    Case,
    Layout,
    canary,
    check_layout,
    covers,
    drawn,
    first_failure,
    hindered,
    last_of,
    moved_wrong,
    page_in,
    why,
)
from vmalab.teach.exercises.checking import (
    Feedback,
    Watched,
    asked,
    listed,
    no_answer,
    not_yet,
    pages_of,
    solved,
)
from vmalab.teach.exercises.submission import Trial, calls_of, program_in

RELEASE = "6.17"

# --- 5.1: draw half a move -----------------------------------------------------------------------------------


def start_1() -> Model:
    """Four VMAs, the third of /dev/zero, and a canary everywhere at the destination of `MOVE_1`."""
    vm = Model(RELEASE)
    vm.mmap(page(0), 4 * PAGE)
    vm.mmap(page(5), 2 * PAGE, "rx")
    vm.mmap(page(8), 2 * PAGE, kind="zero")
    vm.mmap(page(10), 2 * PAGE, "r")
    canary(vm, 64, 12)
    return vm


MOVE_1 = Mremap(page(2), 10 * PAGE, 10 * PAGE, FIXED, page(66))


def check_1(answer: Any) -> Feedback:
    """The VMAs after `MOVE_1`."""
    return check_layout(
        answer, start_1().do(MOVE_1).after, MISTAKES_1,
        "What had arrived before C's turn stays where it is, C and D stay where they were, and the canary is gone only "
        "where A and B arrived.",
    )  # fmt: skip


MISTAKES_1: Sequence[tuple[Callable[[Layout], bool], str]] = (
    (lambda given: (0, 4, "rw") in given,
     "A is whole in your answer. Its last two pages had moved before the call failed: does anybody move them back?"),
    (lambda given: not covers(given, 0),
     "The range starts at page 2, in the middle of A. What becomes of the pages before it?"),
    (lambda given: not covers(given, 8),
     "C is the VMA of /dev/zero. It may not move together with others, so it is still there."),
    (lambda given: not covers(given, 10) or (74, 76, "r") in given,
     "D stands behind C in the range. Does the kernel go on after the VMA at which it fails?"),
    (lambda given: (5, 7, "rx") in given,
     "B stands before C, and nothing is wrong with it. Had it had its turn when the call failed?"),
    (lambda given: not covers(given, 72) or not covers(given, 73),
     "Pages 72 and 73 lie where C would have arrived. It was refused before anything was unmapped for it."),
    (lambda given: not covers(given, 68),
     "Page 68 lies under the gap between A and B. Does a gap unmap anything?"),
    (lambda given: (64, 76, "r") in given,
     "The canary is whole in your answer. MREMAP_FIXED replaces what lies where a VMA arrives, and two have arrived."),
)  # fmt: skip


# --- 5.2: let it stop ----------------------------------------------------------------------------------------


def start_2() -> Model:
    """Nothing: the program is the learner's."""
    return Model(RELEASE)


def check_2(answer: Any) -> Feedback:
    """A program whose last call fails after two VMAs or more have arrived, and something is gone where none arrived."""
    vm = program_in(answer, "Map what is to be moved, put something in its way, and then make the call that fails.")
    if isinstance(vm, Feedback):
        return vm
    last = vm.history[-1]
    if not isinstance(last, Mremap) or last.flags & FIXED != FIXED or last.old_len != last.new_len:
        return not_yet("The last call has to be a move: mremap with MREMAP_MAYMOVE | MREMAP_FIXED and equal lengths.")
    outcome = last_of(vm, RELEASE)
    if outcome.errno is None:
        return not_yet("The move succeeds. What might stop it when two VMAs have arrived?")
    count = len(outcome.moves)
    if count < 2:
        came = "nothing had moved" if not count else "one VMA had arrived"
        return not_yet(f"It fails with {outcome.errno} when {came}: {why(outcome)}.", "Two have to arrive before that.")
    lost = _lost_for_nothing(outcome, last)
    if not lost:
        return not_yet(
            f"It fails with {outcome.errno} when {count} VMAs have arrived: good. But where none arrived, nothing is "
            "gone.",
            "Is something mapped where the next VMA should go? And does the call fail before it is unmapped, or after?",
        )
    return solved(
        f"It fails with {outcome.errno} when {count} VMAs have arrived, and {listed(lost)} had been unmapped for a VMA "
        "that never came."
    )


def _lost_for_nothing(outcome: Outcome, call: Mremap) -> set[int]:
    """Pages of the destination that are gone and on which nothing has arrived."""
    first, end = page_in(call.new_addr), page_in(call.new_addr + call.new_len)
    came = {
        number
        for move in outcome.moves
        for number in range(page_in(move.target), page_in(move.target + move.end - move.start))
    }
    after = pages_of(outcome.after)
    return {number for number in pages_of(outcome.before) if first <= number < end} - came - after.keys()


# --- 5.3: finish it ------------------------------------------------------------------------------------------

CASES_3 = (
    Case("a private mapping of /dev/zero between two others, and a canary under a gap",
         ((0, 2, "rw", "anon"), (3, 5, "rw", "zero"), (6, 8, "r", "anon")), 0, 8, 64, (66, 67)),
    Case("the last VMA registered with userfaultfd, and a range that starts and ends inside VMAs",
         ((0, 4, "rw", "anon"), (4, 6, "rx", "anon"), (7, 11, "rw", "anon")), 1, 8, 64, (69,), watched=((7, 11),)),
    Case("two private mappings of /dev/zero", ((0, 2, "rw", "anon"), (2, 4, "rw", "zero"), (4, 6, "r", "zero")),
         0, 6, 64),
    Case("a private mapping of /dev/zero first, so that nothing has moved", ((0, 2, "rw", "zero"), (3, 5, "r", "anon")),
         0, 5, 64, (66,)),
    Case("a gap at the end of the range and a VMA behind it",
         ((0, 2, "rw", "anon"), (2, 4, "rw", "zero"), (8, 9, "rw", "anon")), 0, 6, 64, (69,)),
)  # fmt: skip


def start_3() -> Model:
    """The first case, after the call that fails."""
    return _half_moved(CASES_3[0])


def check_3(answer: Any, cases: Sequence[Case] = CASES_3) -> Feedback:
    """`finish(vm, start, length, target)`: after a move that failed half-way, the rest is at its target too."""
    calls = calls_of(answer, "finish", map(_trial_3, cases))
    if isinstance(calls, Feedback):
        return calls
    return solved(
        f"In all {len(cases)} address spaces the move is whole now, with {calls} calls in all.",
        "Whatever was still in the old range had not moved yet, so nothing else had to be known.",
    )


def _trial_3(case: Case) -> Trial:
    vm = _half_moved(case)
    given = len(vm.history)
    return Trial(f"With {case.name}", vm, case.range, lambda _: moved_wrong(case, RELEASE, vm, vm.outcomes[given:]))


def unseen_3(answer: Any, random: Random) -> Feedback:
    """The same on address spaces that nobody has seen; in each of them the one call fails."""
    return check_3(answer, _failing(drawn(random, 40)))


def _failing(cases: Sequence[Case]) -> list[Case]:
    return [case for case in cases if _half_moved(case).outcomes[-1].errno]


def _half_moved(case: Case) -> Watched:
    vm = case.prepare(RELEASE)
    start, length, target = case.range
    vm.mremap(start, length, length, FIXED, target)
    return vm


# --- 5.4: undo it --------------------------------------------------------------------------------------------

CASES_4 = (
    Case("the third VMA sealed, and a canary under a gap",
         ((0, 2, "rw", "anon"), (3, 5, "rw", "anon"), (6, 8, "r", "anon")), 0, 8, 64, (66,), sealed=((6, 8),)),
    Case("a range that starts inside a VMA, and the second one sealed",
         ((0, 4, "rw", "anon"), (5, 7, "rx", "anon"), (7, 9, "rw", "anon")), 2, 7, 64, (66, 68), sealed=((5, 7),)),
    Case("something sealed where the second VMA should arrive",
         ((0, 2, "rw", "anon"), (2, 4, "r", "anon")), 0, 4, 64, (66,), sealed=((66, 67),)),
    Case("the first VMA sealed, so that nothing has moved", ((0, 2, "rw", "anon"), (2, 4, "r", "anon")),
         0, 4, 64, (64, 67), sealed=((0, 2),)),
    Case("a mapping of /dev/zero that stopped it, and a canary where it should have arrived",
         ((0, 2, "rw", "anon"), (3, 4, "r", "anon"), (5, 7, "rw", "zero")), 0, 7, 64, (65, 66, 68, 69)),
)  # fmt: skip


def start_4() -> Model:
    """The first case, after the call that fails."""
    return _half_moved(CASES_4[0])


def check_4(answer: Any, cases: Sequence[Case] = CASES_4) -> Feedback:
    """`undo(vm, before, start, length, target)`: what has arrived is back, and nothing else has changed."""
    calls = calls_of(answer, "undo", map(_trial_4, cases))
    if isinstance(calls, Feedback):
        return calls
    return solved(
        f"In all {len(cases)} address spaces everything is where it was, with {calls} calls in all.",
        "What the half move had replaced at its destination stays lost: nobody can undo that.",
    )


def _trial_4(case: Case) -> Trial:
    vm = _half_moved(case)
    given, before = len(vm.history), vm.outcomes[-1].before
    return Trial(f"With {case.name}", vm, (before, *case.range), lambda _: _undone_wrong(case, before, vm, given))


def unseen_4(answer: Any, random: Random) -> Feedback:
    """The same on address spaces that nobody has seen; in each of them the one call fails half-way."""
    moved = [case for case in _failing(hindered(random, 40)) if _half_moved(case).outcomes[-1].moves]
    return check_4(answer, moved)


def _undone_wrong(case: Case, before: Snapshot, vm: Watched, given: int) -> list[str]:
    """What is wrong where each page of `before` should be in its place, but for those that the failed call replaced."""
    failed = vm.outcomes[given - 1]
    was, half, now = pages_of(before), pages_of(failed.after), pages_of(vm.snapshot())
    replaced = {number for number in case.canaries if half.get(number) != was[number]}
    wanted = {number: what for number, what in was.items() if number not in replaced}
    if now == wanted:
        return []
    away = {number for number in wanted if number not in case.canaries and now.get(number) != was[number]}
    dead = {number for number in case.canaries if number in wanted and now.get(number) != was[number]}
    said = []
    if away:
        said.append(f"Not back in its place: {listed(away)}.")
    if dead:
        said.append(f"The canary at {listed(dead)} had never moved, and it is not there now.")
    if extra := now.keys() - wanted.keys():
        said.append(f"Mapped, though it was not: {listed(extra)}.")
    return [*said, *first_failure(vm.outcomes[given:])]


# --- 5.5: foresee it -----------------------------------------------------------------------------------------

TWO = ((0, 2, "rw", "anon"), (3, 5, "rw", "anon"))
CASES_5 = (
    Case("two VMAs and a gap", TWO, 0, 5, 64),
    Case("a range that begins in a gap", TWO, 2, 3, 64),
    Case("a range that begins and ends inside VMAs", TWO, 1, 3, 64),
    Case("a range with nothing in it", TWO, 8, 2, 64),
    Case("a gap at the end", TWO, 3, 5, 64),
    Case("the second VMA of /dev/zero", (TWO[0], (3, 5, "rw", "zero")), 0, 5, 64),
    Case("a VMA of /dev/zero alone", (TWO[0], (3, 5, "rw", "zero")), 3, 2, 64),
    Case("a VMA of /dev/zero with a gap behind it", (TWO[0], (3, 5, "rw", "zero")), 3, 4, 64),
    Case("a VMA of /dev/zero behind the range", (TWO[0], (3, 5, "rw", "zero")), 0, 3, 64),
    Case("the second VMA registered with userfaultfd", TWO, 0, 5, 64, watched=((3, 5),)),
    Case("a part of a VMA that is registered with userfaultfd", TWO, 4, 1, 64, watched=((3, 5),)),
    Case("the second VMA sealed", TWO, 0, 5, 64, sealed=((3, 5),)),
    Case("a sealed VMA alone", TWO, 3, 1, 64, sealed=((3, 5),)),
    Case("a canary at the destination", TWO, 0, 5, 64, (64,)),
    Case("a sealed canary under the gap", TWO, 0, 5, 64, (66,), sealed=((66, 67),)),
    Case("a sealed canary where the second VMA arrives", TWO, 0, 5, 64, (68,), sealed=((68, 69),)),
    Case("a sealed canary behind the destination", TWO, 0, 5, 64, (69,), sealed=((69, 70),)),
)  # fmt: skip


def start_5() -> Model:
    """One of the cases to look at, with flags to read."""
    vm = CASES_5[11].prepare(RELEASE)
    vm.uffd(page(0), 2 * PAGE)
    return vm


def check_5(answer: Any, cases: Sequence[Case] = CASES_5) -> Feedback:
    """`foresee(vm, start, length, target)`: whether one call would move the whole range, without making it."""
    if not callable(answer):
        return no_answer("Give check the function itself: check(…, foresee).")
    right, said, answered = 0, None, False
    for case in cases:
        vm = case.prepare(RELEASE)
        given = len(vm.history)
        told, wrong = asked(answer, vm, *case.range)
        if wrong:
            return not_yet(f"With {case.name}:", wrong)
        if len(vm.history) > given:
            return not_yet("foresee has made a call on vm. It should only look: for row in vm.snapshot().")
        answered = answered or told not in (None, ...)
        start, length, target = case.range
        outcome = vm.mremap(start, length, length, FIXED, target)
        if bool(told) == outcome.ok:
            right += 1
        elif said is None:
            came = "succeeds" if outcome.ok else f"fails with {outcome.errno}: {why(outcome)}"
            said = f"With {case.name} you say {'yes' if told else 'no'}, and the call {came}."
    if not answered:
        return no_answer("foresee should give True or False.")
    if said is not None:
        return not_yet(f"Right in {right} of {len(cases)} address spaces.", said)
    return solved(
        f"Right in all {len(cases)} address spaces.",
        "What is left are limits, which a program can read, and memory for page tables, which nobody can foresee.",
    )


def unseen_5(answer: Any, random: Random) -> Feedback:
    """The same on address spaces that nobody has seen."""
    return check_5(answer, hindered(random, 40))


EXERCISES = {
    "1": (start_1, check_1),
    "2": (start_2, check_2),
    "3": (start_3, check_3, unseen_3),
    "4": (start_4, check_4, unseen_4),
    "5": (start_5, check_5, unseen_5),
}
