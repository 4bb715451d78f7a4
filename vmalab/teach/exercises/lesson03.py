"""The exercises of lesson 03: read vm_pgoff, count VMAs, look-alikes without a flag, mend what came back, lend."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from attrs import frozen

from vmalab.errors import described
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Call, Fork, ForkChild, Mmap, Mremap, Touch
from vmalab.machines.model import Model
from vmalab.machines.outcome import Snapshot
from vmalab.teach.exercises.cases import FIXED, first_failure
from vmalab.teach.exercises.checking import (
    Feedback,
    Watched,
    enumerated,
    listed,
    no_answer,
    not_yet,
    pages_of,
    ran,
    solved,
    spelled,
)
from vmalab.teach.exercises.submission import a_number, by_name, calls_in, program_in
from vmalab.teach.merges import neighbours
from vmalab.words.explain import merge_reason

RELEASE = "6.18"


def _move(vm: Model, source: int, pages: int, target: int) -> None:
    vm.mremap(page(source), pages * PAGE, pages * PAGE, FIXED, page(target))


# --- 3.1: read vm_pgoff --------------------------------------------------------------------------------------


def start_1() -> Model:
    """Four VMAs, all written: at home, moved since, moved before, and part of one that was moved since."""
    vm = Model(RELEASE)
    for first, pages in ((0, 2), (40, 2), (60, 2), (20, 4)):
        vm.mmap(page(first), pages * PAGE)
    vm.touch(page(0), 2 * PAGE)
    vm.touch(page(40), 2 * PAGE)
    vm.touch(page(20), 4 * PAGE)
    _move(vm, 40, 2, 4)
    _move(vm, 60, 2, 8)
    vm.touch(page(8), 2 * PAGE)
    _move(vm, 22, 2, 12)
    vm.munmap(page(20), 2 * PAGE)
    return vm


def check_1(answer: Any) -> Feedback:
    """For each VMA that has moved since its first write, the page where it was then."""
    how = 'Write the letters with pages, such as {"A": 5}: who has moved since the first write, and where it was then.'
    said_of = by_name(answer, how)
    if isinstance(said_of, Feedback):
        return said_of
    rows = dict(zip("ABCD", start_1().snapshot().rows, strict=True))
    home = {letter: row.start // PAGE for letter, row in rows.items()}
    right = {
        letter: row.vm_pgoff - page(0) // PAGE
        for letter, row in rows.items()
        if row.vm_pgoff is not None and row.vm_pgoff != home[letter]
    }
    given = {letter.upper(): a_number(number) for letter, number in said_of.items()}
    if None in given.values():
        return not_yet(how)
    if given == right:
        return solved("vm_pgoff remembers where a VMA was when it was first written.")
    said = [
        f"{letter} lies on page {home[letter] - page(0) // PAGE}, and its vm_pgoff is that of this page: it was first "
        "written here, wherever it was mapped."
        for letter in sorted(set(given) & set(rows) - set(right))
    ]
    said += [f"There is no VMA {letter}." for letter in sorted(set(given) - set(rows))]
    said += [
        f"{letter} has moved, but was not on page {given[letter]} then. Subtract 0x1000000 from its vm_pgoff; mind hex."
        for letter in sorted(set(given) & set(right))
        if given[letter] != right[letter]
    ]
    if missing := sorted(set(right) - set(given)):
        said.append(f"{len(missing)} more moved after the first write.")
    return not_yet(*said)


# --- 3.2: count ----------------------------------------------------------------------------------------------


def _map(first: int, pages: int) -> Mmap:
    return Mmap(page(first), pages * PAGE)


def _moved(source: int, pages: int, target: int) -> Mremap:
    return Mremap(page(source), pages * PAGE, pages * PAGE, FIXED, page(target))


PROGRAMS_2: Mapping[str, tuple[Call, ...]] = {
    "a": (_map(0, 4), Touch(page(0), 4 * PAGE), _moved(0, 2, 100), _moved(2, 2, 102)),
    "b": (_map(0, 4), Touch(page(0), 4 * PAGE), _moved(0, 2, 102), _moved(2, 2, 100)),
    "c": (_map(0, 2), _map(100, 2), Touch(page(0), PAGE), _moved(100, 2, 2)),
    "d": (_map(0, 2), _map(100, 2), Touch(page(100), PAGE), _moved(100, 2, 2)),
    "e": (_map(0, 2), Touch(page(0), PAGE), _map(3, 2), Touch(page(3), PAGE), _map(2, 1)),
    "f": (_map(0, 2), Touch(page(0), PAGE), Fork(), _map(2, 2)),
    "g": (_map(0, 2), Touch(page(0), PAGE), ForkChild(), _map(2, 2)),
}
"""Programs; the question is how many VMAs there are at the end of each."""


def start_2() -> Model:
    """Nothing: each program starts with an empty address space."""
    return Model(RELEASE)


def check_2(answer: Any) -> Feedback:
    """How many VMAs there are after each of `PROGRAMS_2`."""
    said_of = by_name(answer, "Fill in a number for each letter.")
    if isinstance(said_of, Feedback):
        return said_of
    given = {letter: a_number(number) for letter, number in said_of.items()}
    if odd := [letter for letter, number in given.items() if number is None]:
        return not_yet(f"{odd[0]}) A number of VMAs is asked for, and not {described(said_of[odd[0]])}.")
    said, right = [], 0
    for letter, calls in PROGRAMS_2.items():
        vm = Watched(RELEASE)
        for call in calls:
            vm.do(call)
        if given.get(letter) == len(vm.snapshot()):
            right += 1
        elif letter in given:
            whys = [step.values["why"] for step in vm.outcomes[-1].steps if step.key == "no_merge"]
            hint = merge_reason(whys[0]) if whys else "Compare flags, vm_pgoff and anon_vma: nothing keeps them apart."
            said.append(f"{letter}) {hint}")
    if right == len(PROGRAMS_2):
        return solved(f"All {right} are right.")
    missing = [letter for letter in PROGRAMS_2 if letter not in given]
    more = [f"Not answered: {', '.join(missing)}."] if missing else []
    return not_yet(f"{right} of {len(PROGRAMS_2)} are right.", *said[:3], *more)


# --- 3.3: look-alikes without a flag -------------------------------------------------------------------------

SHORTEST_3 = 3


def start_3() -> Model:
    """Nothing: the program is the learner's."""
    return Model(RELEASE)


def check_3(answer: Any) -> Feedback:
    """A program that ends with two anonymous VMAs that touch, with equal flags, and stay two."""
    vm = program_in(answer)
    if isinstance(vm, Feedback):
        return vm
    rows = vm.snapshot().rows
    pairs = [(low, high) for low, high in itertools.pairwise(rows) if low.end == high.start]
    alike = [(low, high) for low, high in pairs if low.perms == high.perms and low.backing is high.backing is None]
    flagless = [(low, high) for low, high in alike if low.flags == high.flags]
    if not rows:
        return not_yet("Nothing is mapped.")
    if not pairs:
        return not_yet(f"There are {' '.join(map(spelled, rows))}, and no two of them touch.")
    if not alike:
        low, high = pairs[0]
        if low.perms != high.perms:
            return not_yet(f"maps tells {spelled(low)} and {spelled(high)} apart: {low.perms} and {high.perms}.")
        what = "shared memory" if low.perms[3] == "s" else f"mapped from {low.backing}"
        return not_yet(f"{spelled(low)} and {spelled(high)} are {what}. Both should be private and anonymous, rw-p.")
    if not flagless:
        low, high = alike[0]
        differ = enumerated(sorted(set(low.flags) ^ set(high.flags)))
        return not_yet(f"{spelled(low)} and {spelled(high)} look alike in maps, but smaps tells them apart: {differ}.")
    low, high = flagless[0]
    reasons = {cells[0]: cells[-1] for cells in neighbours(vm).rows}
    why = next(reason for reason in reasons.values() if reason.split()[-1] in WHY_3)
    more = "" if len(vm.history) <= SHORTEST_3 else f" You needed {len(vm.history)} calls; three are enough."
    return solved(f"{spelled(low)} and {spelled(high)}: {WHY_3[why.split()[-1]]}.{more}")


WHY_3 = {
    "pgoff": "vm_pgoff does not continue from one to the other",
    "anon_vma": "each has an anon_vma of its own",
    "inherited": "one was inherited over fork",
    "faulted": "one was written, and the other was not",
    "yes": "nothing keeps them apart any more, and the next call that touches their flags may join them",
}


# --- 3.4: mend -----------------------------------------------------------------------------------------------


def start_4() -> Model:
    """Nine pages; the middle three were away, were written there, and have come back."""
    vm = Model(RELEASE)
    vm.mmap(page(0), 9 * PAGE)
    _move(vm, 3, 3, 100)
    vm.touch(page(100))
    _move(vm, 100, 3, 3)
    return vm


def check_4(answer: Any) -> Feedback:
    """By mremap alone, one VMA on pages 0 to 8, with what was written."""
    calls = calls_in(answer, start_4, "3.4")
    if isinstance(calls, Feedback):
        return calls
    if others := sorted({call.name for call in calls if not isinstance(call, Mremap)}):
        return not_yet(f"Use mremap alone; you used {enumerated(others)}, too.")
    replay = start_4()
    outcomes = [replay.do(call) for call in calls]
    rows = replay.snapshot().rows
    if len(rows) == 1 and (rows[0].start, rows[0].pages) == (page(0), 9):
        more = "" if len(calls) <= 2 else f" You needed {len(calls)} calls; two are enough on Linux 6.17 and later."
        if len(calls) and _written(replay.snapshot()) == {3: _written(start_4().snapshot())[3]}:
            return solved(f"One VMA, at its old place, with its page.{more}")
        return not_yet("It is one VMA, but what was written is lost.")
    said = [f"There are {' '.join(map(spelled, rows))}."]
    if len(rows) == 1:
        said.append("They have become one: good. It only has to come home.")
    elif len(rows) > 1:
        said.append("At which place does the written piece fit between its neighbours? Its vm_pgoff tells.")
    return not_yet(*said, *first_failure(outcomes))


def _written(snapshot: Snapshot) -> dict[int, int]:
    """The pages that hold something but zeros, and what."""
    return {number: word for number, (_, _, word) in pages_of(snapshot).items() if word}


# --- 3.5: lend -----------------------------------------------------------------------------------------------

TARGET = 100


@frozen
class Loan:
    """One address space to try `lend` on.  `written`: pages; the range in pages."""

    name: str
    pages: int
    start: int
    length: int
    written: tuple[int, ...] = ()

    def prepare(self) -> Watched:
        vm = Watched(RELEASE)
        vm.mmap(page(0), self.pages * PAGE)
        for number in self.written:
            vm.touch(page(number))
        return vm


LOANS = (
    Loan("nothing written", 9, 3, 3),
    Loan("a page written that stays", 9, 3, 3, (0,)),
    Loan("a page written that goes", 9, 3, 3, (4,)),
    Loan("the first page that goes written", 9, 3, 3, (3,)),
    Loan("the range at the end of the VMA", 6, 4, 2),
)


def start_5() -> Model:
    """The first case: nine pages that nobody has written."""
    return LOANS[0].prepare()


def check_5(answer: Any, loans: Sequence[Loan] = LOANS) -> Feedback:
    """`lend(vm, start, length, target)`: what it moved, written there and moved back, becomes one VMA again."""
    if not callable(answer):
        return no_answer("Give check the function itself: check(…, lend).")
    calls = 0
    for loan in loans:
        vm = loan.prepare()
        given = len(vm.history)
        before = _written(vm.snapshot())
        wrong = ran(answer, vm, page(loan.start), loan.length * PAGE, page(TARGET))
        calls += len(vm.history) - given
        if not calls and not wrong:
            return no_answer("lend has made no call on vm yet.")
        said = [wrong] if wrong else _lent_wrong(loan, vm, before)
        if said:
            return not_yet(f"With {loan.name}:", *said, *first_failure(vm.outcomes[given:]))
    return solved(
        f"All {len(loans)} come back and are one VMA again.",
        "Memory that has an anon_vma when it leaves keeps its vm_pgoff, and that fits when it comes back.",
    )


def unseen_5(answer: Any, random: Random) -> Feedback:
    """The same on address spaces that nobody has seen."""
    loans = []
    for number in range(1, 11):
        pages = random.randint(4, 12)
        start = random.randrange(pages)
        length = random.randint(1, pages - start)
        written = tuple(random.sample(range(pages), random.randint(0, 3)))
        loans.append(Loan(f"case {number} of 10", pages, start, length, written))
    return check_5(answer, loans)


def _lent_wrong(loan: Loan, vm: Watched, before: Mapping[int, int]) -> list[str]:
    there = TARGET - loan.start
    inside = range(loan.start, loan.start + loan.length)
    wanted = {number + there if number in inside else number: word for number, word in before.items()}
    mapped = set(pages_of(vm.snapshot()))
    if left := mapped & set(inside):
        return [f"Still at the old place: {listed(left)}."]
    if missing := {number + there for number in inside} - mapped:
        return [f"Not at the target: {listed(missing)}."]
    if (now := _written(vm.snapshot())) != wanted:
        said = ["What was written before has changed. lend must leave all contents as they are."]
        if any(number in wanted and now[number] == 1000 * wanted[number] for number in now):
            said.append("touch(…, value=n) writes n × 1000: what was read there is written back by n = word // 1000.")
        return said
    vm.touch(page(TARGET), PAGE, 777)
    _move(vm, TARGET, loan.length, loan.start)
    rows = vm.snapshot().rows
    if len(rows) > 1:
        came = f"The borrower wrote to page {TARGET} and it came back, as {' '.join(map(spelled, rows))}."
        return [came, *_why_apart(loan, vm)]
    return []


def _why_apart(loan: Loan, vm: Watched) -> list[str]:
    """What keeps apart what came back and its neighbours."""
    rows = vm.snapshot().rows
    row = next((row for row in rows if row.start == page(loan.start)), rows[0])
    differ = sorted({flag for other in rows for flag in set(other.flags) ^ set(row.flags)})
    if differ:
        return [f"smaps tells them apart by {enumerated(differ)}: lend has to leave all flags as they were, too."]
    if row.vm_pgoff != row.start // PAGE:
        at = (row.vm_pgoff or 0) - page(0) // PAGE
        return [
            f"{spelled(row)} has the vm_pgoff of page {at}, because it had no anon_vma when it left.",
            "Which calls give it one, and change no contents?",
        ]
    return ["Flags and vm_pgoff fit; their anon_vmas do not."]


EXERCISES = {
    "1": (start_1, check_1),
    "2": (start_2, check_2),
    "3": (start_3, check_3),
    "4": (start_4, check_4),
    "5": (start_5, check_5, unseen_5),
}
