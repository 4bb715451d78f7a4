"""The exercises of lesson 02: aim one page, predict errnos, swap two VMAs, one memory at two places, grow anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product, starmap
from random import Random
from typing import Any

from attrs import frozen

from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Call, Mmap, Mremap
from vmalab.linux.flags import MREMAP_FIXED, MREMAP_MAYMOVE
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.programs.calltext import call_text, place
from vmalab.teach.exercises.cases import CANARY, canary, why
from vmalab.teach.exercises.checking import (
    Feedback,
    Watched,
    backed,
    letters,
    listed,
    not_yet,
    pages_of,
    solved,
)
from vmalab.teach.exercises.submission import Trial, by_name, calls_in, calls_of, program_in

# --- 2.1: aim one page ---------------------------------------------------------------------------------------


def start_1() -> Model:
    """Six written pages, and a canary of two."""
    vm = Model("6.17")
    vm.mmap(page(0), 6 * PAGE)
    vm.touch(page(0), 6 * PAGE)
    canary(vm, 16, 2)
    return vm


def check_1(answer: Any) -> Feedback:
    """One call that brings page 3 to page 16, and nothing else anywhere."""
    calls = calls_in(answer, start_1, "2.1")
    if isinstance(calls, Feedback):
        return calls
    if len(calls) > 1:
        return not_yet(f"You made {len(calls)} calls; one is enough. Undo them, or run the cell again.")
    vm = start_1()
    before = pages_of(vm.snapshot())
    outcome = vm.do(calls[0])
    if outcome.errno:
        return not_yet(f"{outcome.errno}: {why(outcome)}.")
    now = pages_of(outcome.after)
    if now.get(17, ("", None, None))[1] != CANARY:
        return not_yet("The canary's second page, 17, is gone. The target is as long as new_len says.")
    if now.get(16) != before[3]:
        return not_yet("Page 16 does not hold what was on page 3.")
    wanted = {number: what for number, what in before.items() if number != 3} | {16: before[3]}
    if lost := {number for number in wanted if now.get(number) != wanted[number]}:
        return not_yet(f"Page 3 has arrived: good. But {listed(lost)} should be as before.")
    if 3 in now:
        return not_yet("Page 3 has arrived: good. But something is still mapped at page 3.")
    return solved(
        "One page of the middle moved and replaced one page of the canary. There are four VMAs now, where two were."
    )


# --- 2.2: errnos ---------------------------------------------------------------------------------------------


def start_2() -> Model:
    """`[0 to 1 rw][2 r]`, a sealed VMA, and shared memory."""
    vm = Model("6.17")
    vm.mmap(page(0), 2 * PAGE)
    vm.mmap(page(2), PAGE, "r")
    vm.mmap(page(8), 2 * PAGE)
    vm.mseal(page(8), 2 * PAGE)
    vm.mmap(page(16), 2 * PAGE, "rw", "shared")
    return vm


CALLS_2: Mapping[str, Mremap] = {
    "a": Mremap(page(0), 2 * PAGE, 4 * PAGE),
    "b": Mremap(page(0), 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE),
    "c": Mremap(page(0), 2 * PAGE, 2 * PAGE, MREMAP_FIXED, page(32)),
    "d": Mremap(page(8), 2 * PAGE, 2 * PAGE),
    "e": Mremap(page(0), 0, 2 * PAGE, MREMAP_MAYMOVE),
    "f": Mremap(page(16), 0, 2 * PAGE, MREMAP_MAYMOVE),
    "g": Mremap(page(0), 10 * PAGE, PAGE),
    "h": Mremap(page(0), 6 * PAGE, PAGE),
}
WORKS = "works"
HOW_2 = 'Fill in each letter: "works", or the errno, such as "EINVAL".'


def check_2(answer: Any) -> Feedback:
    """For each of `CALLS_2`, made on a fresh `start_2`, its errno, or that it works."""
    given = by_name(answer, HOW_2)
    if isinstance(given, Feedback):
        return given
    right = {letter: start_2().do(call) for letter, call in CALLS_2.items()}
    wrong = [
        letter
        for letter, outcome in right.items()
        if letter in given and _errno_said(given[letter]) != (outcome.errno or WORKS).lower()
    ]
    missing = [letter for letter in right if letter not in given]
    if not wrong and not missing:
        return solved(f"All {len(right)} are right.")
    said = [f"{len(right) - len(wrong) - len(missing)} of {len(right)} are right."]
    said += [f"{letter}) Look again: {_hint(right[letter])}." for letter in wrong[:3]]
    said += [f"Not answered: {', '.join(missing)}."] if missing else []
    return not_yet(*said)


def _errno_said(word: Any) -> str:
    """What was said, in small letters; all the ways to say that it works are `works`."""
    said = str(word).strip().lower()
    return WORKS if said in {"ok", "works", "0", "success", "succeeds", "yes", "true"} else said


def _hint(outcome: Outcome) -> str:
    return why(outcome) if outcome.errno else "nothing forbids it"


# --- 2.3: swap -----------------------------------------------------------------------------------------------


def start_3() -> Model:
    """Two written VMAs of four pages, with a gap of four between them, and a neighbour behind each."""
    vm = Model("6.17")
    vm.mmap(page(0), 4 * PAGE)
    vm.touch(page(0), 4 * PAGE)
    vm.mmap(page(4), PAGE, "rx")
    vm.mmap(page(8), 4 * PAGE)
    vm.touch(page(8), 4 * PAGE)
    vm.mmap(page(12), PAGE, "rx")
    return vm


def check_3(answer: Any) -> Feedback:
    """Pages 0 to 3 and 8 to 11 have changed places, by mremap alone; everything else is as it was."""
    calls = calls_in(answer, start_3, "2.3")
    if isinstance(calls, Feedback):
        return calls
    vm = start_3()
    before = pages_of(vm.snapshot())
    outcomes = [vm.do(call) for call in calls]
    if others := sorted({call.name for call in calls if not isinstance(call, Mremap)}):
        return not_yet(f"Use mremap alone; you used {', '.join(others)}, too.")
    now = pages_of(vm.snapshot())
    swap = {number: number + 8 for number in range(4)} | {number + 8: number for number in range(4)}
    wanted = {swap.get(number, number): what for number, what in before.items()}
    if now == wanted:
        return solved(
            f"They have changed places, with {len(calls)} calls, and not one byte was copied."
            + (" (Three calls are enough.)" if len(calls) > 3 else "")
        )
    said = []
    words = {what[2] for what in now.values()}
    if gone := {number for number, what in before.items() if what[2] is not None and what[2] not in words}:
        said.append(f"What was on {listed(gone)} is nowhere any more: something was moved onto it.")
    elif off := {number for number in wanted if now.get(number) != wanted[number]}:
        said.append(f"Nothing is lost: good. Not yet as it should be: {listed(off)}.")
    if extra := set(now) - set(wanted):
        said.append(f"Something is mapped that was not before: {listed(extra)}.")
    said += [f"{call_text(one.call)} fails with {one.errno}: {why(one)}." for one in outcomes if one.errno][:1]
    return not_yet(*said)


# --- 2.4: twice ----------------------------------------------------------------------------------------------


def start_4() -> Model:
    """Nothing: the program is the learner's."""
    return Model("6.17")


def check_4(answer: Any) -> Feedback:
    """A program with one mmap, after which what is written at one address is read at another."""
    vm = program_in(answer)
    if isinstance(vm, Feedback):
        return vm
    if (maps := sum(isinstance(call, Mmap) for call in vm.history)) != 1:
        return not_yet(f"The program calls mmap {maps} times; it should be once. mremap makes the second mapping.")
    found = _seen_twice(vm)
    if found is not None:
        return solved(f"What is written at {place(found[0])} is read at {place(found[1])}: one page, two addresses.")
    last = next((call for call in reversed(vm.history) if isinstance(call, Mremap)), None)
    if last is None:
        return not_yet("No call of the program is mremap.")
    outcome = _replayed(vm.history)[vm.history.index(last)]
    if outcome.errno:
        return not_yet(f"{call_text(last)} fails with {outcome.errno}: {why(outcome)}.")
    if last.old_len:
        return not_yet("The memory has moved, and is at one place still. Which old_len asks for a second mapping?")
    return not_yet("No two addresses show the same page.")


def _replayed(calls: list[Call]) -> list[Outcome]:
    vm = Watched("6.17")
    for call in calls:
        vm.do(call)
    return vm.outcomes


def _seen_twice(vm: Model) -> tuple[int, int] | None:
    """Two addresses that show one page, found by writing at each VMA's start and reading at all others."""
    for row in (row for row in vm.snapshot() if "w" in row.perms):
        probe = vm.copy()
        probe.touch(row.start, PAGE, 987)
        for other in (other for other in vm.snapshot() if other.start != row.start):
            seen = probe.read(other.start, other.pages * PAGE).values or ()
            if 987_000 in seen:
                return row.start, other.start + seen.index(987_000) * PAGE
    return None


# --- 2.5: grow anything --------------------------------------------------------------------------------------

SPARE = 64


@frozen
class Case:
    """One address space to try `grow` on.  `vmas`: (first, end, prot); all in pages."""

    name: str
    vmas: tuple[tuple[int, int, str], ...]
    start: int
    old: int
    new: int
    canaries: tuple[int, ...] = ()

    def prepare(self, release: str) -> Watched:
        vm = Watched(release)
        for first, end, prot in self.vmas:
            vm.mmap(page(first), (end - first) * PAGE, prot)
            if "w" in prot:
                vm.touch(page(first), (end - first) * PAGE)
        for number in (*self.canaries, SPARE + self.new):
            canary(vm, number)
        return vm


RELEASES_5 = ("6.16", "6.17")
CASES_5 = (
    Case("one VMA and room behind it", ((0, 4, "rw"),), 0, 4, 6),
    Case("one VMA and a canary right behind it", ((0, 4, "rw"),), 0, 4, 6, (4,)),
    Case("one VMA and a canary after one page of room", ((0, 4, "rw"),), 0, 4, 6, (5,)),
    Case("two VMAs and room behind them", ((0, 2, "r"), (2, 4, "rw")), 0, 4, 6),
    Case("two VMAs and a canary right behind them", ((0, 2, "r"), (2, 4, "rw")), 0, 4, 6, (4,)),
    Case("a region that is the middle of a VMA", ((0, 8, "rw"),), 2, 3, 5),
)


def start_5() -> Model:
    """The fifth case: two VMAs, and no room."""
    return CASES_5[4].prepare("6.17")


def check_5(answer: Any, cases: Sequence[Case] = CASES_5) -> Feedback:
    """`grow(vm, start, old_len, new_len, spare)`: the region where it is or at `spare`, longer; returns its start."""
    calls = calls_of(answer, "grow", starmap(_trial_5, product(cases, RELEASES_5)))
    if isinstance(calls, Feedback):
        return calls
    return solved(
        f"All {len(cases)} address spaces come out right, on Linux 6.16 and 6.17, with {calls} calls in all.",
        "That is what realloc does for large blocks, except that a block is one VMA, and the kernel finds the place.",
    )


def _trial_5(case: Case, release: str) -> Trial:
    vm = case.prepare(release)
    return Trial(
        f"On Linux {release}, with {case.name}", vm,
        (page(case.start), case.old * PAGE, case.new * PAGE, page(SPARE)),
        lambda came: _grown_wrong(case, release, vm, came),
    )  # fmt: skip


def unseen_5(answer: Any, random: Random) -> Feedback:
    """The same on regions that nobody has seen."""
    return check_5(answer, [_drawn(random, f"case {number} of 10") for number in range(1, 11)])


def _drawn(random: Random, name: str) -> Case:
    """One to three VMAs that touch; a region in them that ends where they do or earlier; a canary behind, or none."""
    vmas, at = [], 0
    for prot in random.sample(("rw", "r", "rx"), random.randint(1, 3)):
        vmas.append((at, at + random.randint(2, 4), prot))
        at = vmas[-1][1]
    start, end = random.randrange(vmas[0][1]), at - random.choice((0, 0, 1))
    old = max(end - start, 1)
    canaries = random.choice(((), (at + random.randint(0, 3),)))
    return Case(name, tuple(vmas), start, old, old + random.randint(1, 4), canaries)


def _grown_wrong(case: Case, release: str, vm: Watched, came: object) -> list[str]:
    before, now = pages_of(case.prepare(release).snapshot()), pages_of(vm.snapshot())
    if came not in (page(case.start), page(SPARE)):
        return ["grow has to return where the region starts now: start, or spare."]
    at = case.start if came == page(case.start) else SPARE
    region = {number: before[number] for number in range(case.start, case.start + case.old)}
    said = []
    if dead := set(_canaries(before)) - backed(vm.snapshot(), CANARY):
        said.append(f"The canary at {listed(dead)} is gone.")
    shifted = {number + at - case.start: what for number, what in region.items()}
    if lost := {number for number, what in shifted.items() if now.get(number) != what}:
        said.append(f"Not as it was in the region: {listed(lost)}.")
    added = range(at + case.old, at + case.new)
    perms = letters(region[case.start + case.old - 1][0])
    if lacking := {number for number in added if letters(now.get(number, ("", None, None))[0]) != perms}:
        said.append(f"The region should reach further, with the permissions of its last page: {listed(lacking)}.")
    elsewhere = {number: what for number, what in before.items() if number not in region}
    if other := {number for number, what in elsewhere.items() if now.get(number) != what and what[1] != CANARY}:
        said.append(f"Outside of the region, {listed(other)} changed.")
    if not said and at != case.start and (rest := set(region) & set(now)):
        said.append(f"The region is at spare now, but something is left of the old one: {listed(rest)}.")
    if not said and at != case.start and _room(case, before):
        said.append("There was room behind it, and it could have grown where it was.")
    return said


def _canaries(pages: Mapping[int, tuple[str, str | None, int | None]]) -> list[int]:
    return [number for number, (_, backing, _) in pages.items() if backing == CANARY]


def _room(case: Case, before: Mapping[int, object]) -> bool:
    return not any(number in before for number in range(case.start + case.old, case.start + case.new))


EXERCISES = {
    "1": (start_1, check_1),
    "2": (start_2, check_2),
    "3": (start_3, check_3),
    "4": (start_4, check_4),
    "5": (start_5, check_5, unseen_5),
}
