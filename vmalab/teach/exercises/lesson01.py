"""The exercises of lesson 01: read maps, cut a VMA to shape, a call that stops half-way, look-alikes, over gaps."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from attrs import frozen

from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Mprotect
from vmalab.linux.flags import PROT_READ
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Row
from vmalab.programs.calltext import call_text
from vmalab.teach.exercises.cases import Layout, check_layout, drawn, why
from vmalab.teach.exercises.checking import (
    Feedback,
    Watched,
    enumerated,
    letters,
    listed,
    not_yet,
    pages_of,
    solved,
    spelled,
)
from vmalab.teach.exercises.submission import Trial, calls_in, calls_of, numbers_in, program_in
from vmalab.teach.merges import neighbours

# --- 1.1: read maps ------------------------------------------------------------------------------------------


def start_1() -> Model:
    """`[0 to 3 rw][4 to 6 rx]`, a gap, and a file from its page 2 on."""
    vm = Model("6.17")
    vm.mmap(page(0), 4 * PAGE)
    vm.mmap(page(4), 3 * PAGE, "rx")
    vm.mmap(page(16), 2 * PAGE, "rw", "sharedfile", file="log", pgoff=2)
    vm.mmap(page(18), 2 * PAGE, "")
    return vm


QUESTIONS_1 = (
    "the VMAs",
    "the pages of the second VMA",
    "the pages of the gap",
    "the page of the file where the third VMA starts",
)
MISTAKES_1 = (
    "Each line is a VMA.",
    "The end of a range is the first byte behind it, and a page is 0x1000 bytes: subtract, and leave three zeros out.",
    "A gap is what lies between the end of one line and the start of the next. Mind that the digits are hexadecimal.",
    "The third column is the offset in the file, in bytes.",
)


def check_1(answer: Any) -> Feedback:
    """Four numbers, as `QUESTIONS_1` has them."""
    asks = "Write four numbers, such as (2, 5, 1, 0)."
    given = numbers_in(answer, len(QUESTIONS_1), asks, asks)
    if isinstance(given, Feedback):
        return given
    rows = start_1().snapshot().rows
    gap = next(high.start - low.end for low, high in itertools.pairwise(rows) if low.end < high.start)
    wanted = (len(rows), rows[1].pages, gap // PAGE, rows[2].pgoff)
    if given == wanted:
        return solved("You read maps as the kernel wrote it.")
    good = [name for name, ours, theirs in zip(QUESTIONS_1, given, wanted, strict=True) if ours == theirs]
    wrong = [words for words, ours, theirs in zip(MISTAKES_1, given, wanted, strict=True) if ours != theirs]
    return not_yet(f"Right: {enumerated(good)}." if good else "None of the four is right yet.", *wrong)


# --- 1.2: cut to shape ---------------------------------------------------------------------------------------

SHAPE_2 = ((0, 2, "rw"), (2, 4, "r"), (4, 6, "rw"), (7, 8, "rw"))


def start_2() -> Model:
    """One VMA of eight pages, all of them written."""
    vm = Model("6.17")
    vm.mmap(page(0), 8 * PAGE)
    vm.touch(page(0), 8 * PAGE)
    return vm


def check_2(answer: Any) -> Feedback:
    """A model or a builder on which the VMA was cut to `SHAPE_2`, with its contents."""
    calls = calls_in(answer, start_2, "1.2")
    if isinstance(calls, Feedback):
        return calls
    replay = start_2()
    before = pages_of(replay.snapshot())
    outcomes = [replay.do(call) for call in calls]
    now = pages_of(replay.snapshot())
    wanted = {number: perms for start, end, perms in SHAPE_2 for number in range(start, end)}
    said = []
    if extra := set(now) - set(wanted):
        said.append(f"Mapped, but should not be: {listed(extra)}.")
    if missing := set(wanted) - set(now):
        said.append(f"Not mapped any more: {listed(missing)}.")
    both = set(now) & set(wanted)
    if wrong := {number for number in both if letters(now[number][0]) != wanted[number]}:
        said.append(f"Other permissions than asked for: {listed(wrong)}.")
    if lost := {number for number in both if now[number][2] != before[number][2]}:
        said.append(f"What was written is not there any more: {listed(lost)}. mprotect keeps contents, mmap does not.")
    said += [_failed(outcome) for outcome in outcomes if outcome.errno][:1]
    rows = replay.snapshot().rows
    if not said and len(rows) != len(SHAPE_2):
        said.append(f"Each page is right, but they are {len(rows)} VMAs: {' '.join(map(spelled, rows))}.")
    if said:
        return not_yet(*said)
    more = "" if len(calls) <= 2 else f" You made {len(calls)} calls; two are enough."
    return solved(f"One VMA became four: mprotect made two cuts, and munmap one hole.{more}")


def _failed(outcome: Outcome) -> str:
    return f"{call_text(outcome.call)} fails with {outcome.errno}: {why(outcome)}."


# --- 1.3: half-way -------------------------------------------------------------------------------------------


def start_3() -> Model:
    """`[0 to 3 rw][4 to 5 r]  [8 to 9 rw]`: two VMAs, a gap, and a third."""
    vm = Model("6.17")
    vm.mmap(page(0), 4 * PAGE)
    vm.mmap(page(4), 2 * PAGE, "r")
    vm.mmap(page(8), 2 * PAGE)
    return vm


CALL_3 = Mprotect(page(2), 8 * PAGE, PROT_READ)


def _holds(given: Layout, number: int, perms: str) -> bool:
    return any(start <= number < end and found == perms for start, end, found in given)


MISTAKES_3: Sequence[tuple[Callable[[Layout], bool], str]] = (
    (lambda given: _holds(given, 8, "r"), "mprotect stops at the gap. What lies behind it is not reached."),
    (lambda given: _holds(given, 2, "rw"),
     "The call fails, but only when it comes to the gap. What has it changed by then?"),
    (lambda given: any(4 in (start, end) for start, end, _ in given),
     "Pages 2 and 3 become read-only, and right behind them lies a read-only VMA that is alike in everything."),
    (lambda given: not _holds(given, 0, "rw"), "The range starts at page 2, inside of A. What of the pages before it?"),
)  # fmt: skip


def check_3(answer: Any) -> Feedback:
    """The VMAs after `CALL_3`."""
    return check_layout(
        answer, start_3().do(CALL_3).after, MISTAKES_3,
        "Pages 2 and 3 joined the read-only VMA behind them, which only moved a boundary; at the gap the call ended "
        "with ENOMEM, and what it had done stayed done.",
    )  # fmt: skip


# --- 1.4: look-alikes ----------------------------------------------------------------------------------------


def start_4() -> Model:
    """Nothing: the program is the learner's."""
    return Model("6.17")


def check_4(answer: Any) -> Feedback:
    """A program that ends with three VMAs that touch and look alike in maps."""
    vm = program_in(answer)
    if isinstance(vm, Feedback):
        return vm
    rows = vm.snapshot().rows
    best = max((run for run in _alike(rows)), key=len, default=[])
    if len(best) >= 3:
        reasons = {row[-1].removeprefix("no: ") for row in neighbours(vm).rows}
        kinds = ", ".join(sorted(ABSENT[reason] for reason in reasons if reason in ABSENT))
        return solved(
            f"{' '.join(map(spelled, best))}: /proc/self/maps shows no difference. What keeps them apart: {kinds}.",
            "smaps would show the flags; vm_pgoff of anonymous memory and anon_vma it does not show at all.",
        )
    if len(rows) == 1:
        return not_yet(
            f"There is one VMA, {spelled(rows[0])}: whatever you mapped side by side was alike and became one.",
            "Which calls change something of a VMA that maps does not print?",
        )
    said = [f"There are {' '.join(map(spelled, rows))}."] if rows else ["Nothing is mapped."]
    if any(low.end != high.start for low, high in itertools.pairwise(rows)):
        said.append("They have to touch: no gap between them.")
    if len({letters(row.perms) for row in rows}) > 1:
        said.append("Their permissions differ, and maps prints those. All three have to be rw.")
    if behind := next((row for row in rows if row.backing is not None), None):
        said.append(f"{spelled(behind)} is of {behind.backing}. All three should have nothing behind them.")
    if len(best) == 2:
        said.append("Two of them look alike and touch: good. One more.")
    return not_yet(*said)


ABSENT = {
    "flags": "flags that maps does not print",
    "pgoff": "vm_pgoff",
    "anon_vma": "an anon_vma of their own",
    "file": "a file of their own",
    "faulted": "one written, the other not",
    "inherited": "memory inherited over fork",
}


def _alike(rows: Sequence[Row]) -> list[list[Row]]:
    """The VMAs in runs that touch and print alike, all `rw-p` with nothing behind them."""
    runs: list[list[Row]] = []
    for row in rows:
        last = runs[-1][-1] if runs else None
        if row.perms != "rw-p" or row.backing is not None:
            continue
        if last is not None and last.end == row.start:
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


# --- 1.5: over gaps ------------------------------------------------------------------------------------------


@frozen
class Case:
    """One address space to try `protect_all` on.  `vmas`: (first, end, prot); the range in pages."""

    name: str
    vmas: tuple[tuple[int, int, str], ...]
    start: int
    length: int

    def prepare(self) -> Watched:
        vm = Watched("6.17")
        for first, end, prot in self.vmas:
            vm.mmap(page(first), (end - first) * PAGE, prot)
            if "w" in prot:
                vm.touch(page(first), (end - first) * PAGE)
        return vm


CASES_5 = (
    Case("one VMA", ((0, 4, "rw"),), 0, 4),
    Case("a gap in the middle of the range", ((0, 2, "rw"), (4, 6, "rw")), 0, 6),
    Case("a range that starts and ends inside VMAs", ((0, 4, "rw"), (5, 9, "rw")), 2, 5),
    Case("gaps at both ends of the range", ((3, 5, "rw"), (5, 6, "rx")), 0, 10),
    Case("nothing mapped in the range", ((0, 2, "rw"),), 8, 4),
)


def start_5() -> Model:
    """The third case: two VMAs, each half in the range."""
    return CASES_5[2].prepare()


def check_5(answer: Any, cases: Sequence[Case] = CASES_5) -> Feedback:
    """`protect_all(vm, start, length, prot)`: every mapped page of the range, and no call that fails."""
    calls = calls_of(answer, "protect_all", map(_trial_5, cases))
    if isinstance(calls, Feedback):
        return calls
    return solved(f"All {len(cases)} address spaces come out right, with {calls} calls in all, and none of them fails.")


def _trial_5(case: Case) -> Trial:
    vm = case.prepare()
    given, before = len(vm.history), pages_of(vm.snapshot())

    def wrong(_: Any) -> list[str]:
        failed = [_failed(outcome) for outcome in vm.outcomes[given:] if outcome.errno]
        return _protected_wrong(case, before, vm) + failed[:1]

    return Trial(f"With {case.name}", vm, (page(case.start), case.length * PAGE, "r"), wrong)


def unseen_5(answer: Any, random: Random) -> Feedback:
    """The same on address spaces that nobody has seen."""
    cases = [
        Case(one.name, tuple((first, end, prot) for first, end, prot, _ in one.vmas), one.start, one.length)
        for one in drawn(random)
    ]
    return check_5(answer, cases)


def _protected_wrong(case: Case, before: dict[int, tuple[str, str | None, int | None]], vm: Watched) -> list[str]:
    after = pages_of(vm.snapshot())
    inside = {number for number in before if case.start <= number < case.start + case.length}
    said = []
    if lost := {number for number in before if number not in after or after[number][2] != before[number][2]}:
        said.append(f"What was there before is lost: {listed(lost)}.")
    elif still := {number for number in inside if letters(after[number][0]) != "r"}:
        said.append(f"Not read-only: {listed(still)}.")
    elif others := {number for number in set(before) - inside if after[number] != before[number]}:
        said.append(f"Outside of the range, but changed: {listed(others)}.")
    return said


EXERCISES = {
    "1": (start_1, check_1),
    "2": (start_2, check_2),
    "3": (start_3, check_3),
    "4": (start_4, check_4),
    "5": (start_5, check_5, unseen_5),
}
