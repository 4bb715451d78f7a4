"""The exercises of lesson 07: count entries, aim for few of them, a cost model of one's own, which differences hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from attrs import frozen

from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Call, Mmap, Mremap, Touch
from vmalab.linux.flags import MREMAP_FIXED, MREMAP_MAYMOVE, PROT_READ
from vmalab.machines.measure import Result, recorded
from vmalab.machines.measure.plan import Entries
from vmalab.machines.measure.results import duration
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.programs.calltext import place
from vmalab.teach.exercises.checking import Feedback, asked, no_answer, not_yet, solved
from vmalab.teach.exercises.submission import calls_in, letters_in

MOVE = MREMAP_MAYMOVE | MREMAP_FIXED
RELEASE = "6.18"
LEVELS = ("pte", "pmd", "pud")


def entries_of(outcome: Outcome) -> tuple[int, ...]:
    """How many entries a call moved: PTE, PMD, PUD."""
    moved = [step.values for step in outcome.steps if step.key == "pages_moved"]
    return tuple(sum(values[level] for values in moved) for level in LEVELS)


# --- 7.1: count ----------------------------------------------------------------------------------------------


@frozen
class Asked:
    """A move to count: from page, pages, to page, written or not, a neighbour in front or not; and why it is so."""

    first: int
    pages: int
    target: int
    why: str
    written: bool = True
    neighbour: bool = False

    def counted(self) -> tuple[int, int]:
        """What the model counts: PTE and PMD entries."""
        calls: list[Call] = [Mmap(page(self.first), self.pages * PAGE)]
        calls += [Touch(page(self.first), self.pages * PAGE)] if self.written else []
        calls += [Mmap(page(self.first - 1), PAGE, PROT_READ)] if self.neighbour else []
        vm = Model(RELEASE)
        length = self.pages * PAGE
        move = Mremap(page(self.first), length, length, MOVE, page(self.target))
        pte, pmd, _ = entries_of([vm.do(call) for call in (*calls, move)][-1])
        return pte, pmd


ASKED_1 = {
    "a": Asked(0, 512, 1024, "both ends lie at boundaries of 2 MiB, so the one entry above the table moves"),
    "b": Asked(0, 512, 1025, "source and destination lie differently within their 2 MiB, so each PTE moves alone"),
    "c": Asked(0, 512, 1024, "nothing was written, so nothing is present, and nothing moves", written=False),
    "d": Asked(256, 1024, 4352, "the kernel starts at the boundary below, and at the end 256 pages are left over"),
    "e": Asked(1, 1023, 1025, "nothing is mapped at pages 0 and 1024, so the kernel starts at the boundary below"),
    "f": Asked(1, 1023, 1025, "page 0 is mapped, and its PTE is in the same table: that table has to stay",
               neighbour=True),
}  # fmt: skip


def check_1(answer: Any) -> Feedback:
    """PTE and PMD entries of six moves: `{"a": (512, 0), …}`."""
    wants = 'Write (PTEs, PMD entries) for each letter, such as {"a": (0, 4), "b": …}.'
    if not isinstance(answer, Mapping):
        return no_answer(wants) if answer in (..., None) else not_yet(wants)
    given = {str(letter).lower(): counted for letter, counted in answer.items() if counted not in (..., None)}
    if not given:
        return no_answer(wants)
    right, said = [], []
    for letter, counted in given.items():
        if letter not in ASKED_1:
            return not_yet(f"There is no move {letter!r}: they are {', '.join(ASKED_1)}.")
        try:
            pte, pmd = map(int, counted)
        except (TypeError, ValueError):
            return not_yet(f"{letter}: write two numbers, (PTEs, PMD entries), not {counted!r}.")
        wanted = ASKED_1[letter].counted()
        if (pte, pmd) == wanted:
            right.append(letter)
        else:
            half = " One of the two numbers is right." if pte == wanted[0] or pmd == wanted[1] else ""
            said.append(f"{letter}: not ({pte}, {pmd}).{half} Think of this: {ASKED_1[letter].why}.")
    missing = sorted(ASKED_1.keys() - given.keys())
    if not said and not missing:
        return solved("All six. Where the two places lie decides, far more than how much is moved.")
    if right:
        said.insert(0, f"Right: {', '.join(right)}.")
    if missing:
        said.append(f"Still to be counted: {', '.join(missing)}.")
    return not_yet(*said)


# --- 7.2: aim for few entries --------------------------------------------------------------------------------

FIRST_2, PAGES_2 = 3, 2045
WINDOW_2 = (8192, 16384)


def start_2() -> Model:
    """A written VMA of 2045 pages from page 3 on, with a read-only neighbour in front of it."""
    vm = Model(RELEASE)
    vm.mmap(page(0), FIRST_2 * PAGE, "r")
    vm.mmap(page(FIRST_2), PAGES_2 * PAGE)
    vm.touch(page(FIRST_2), PAGES_2 * PAGE)
    return vm


@cache
def fewest_2() -> int:
    """The least number of entries that any target in the window needs.  O(targets within 2 MiB)."""
    return min(_moved_2(Mremap(page(FIRST_2), PAGES_2 * PAGE, PAGES_2 * PAGE, MOVE, page(WINDOW_2[0] + n)))
               for n in range(512))  # fmt: skip


def _moved_2(call: Mremap) -> int:
    return sum(entries_of(start_2().do(call)))


def check_2(answer: Any) -> Feedback:
    """One call that brings the whole VMA into the window, and moves as few entries as can be."""
    calls = calls_in(answer, start_2, "7.2", "Make one mremap call on vm, then check again.")
    if isinstance(calls, Feedback):
        return calls
    if len(calls) > 1 or not isinstance(calls[0], Mremap):
        return not_yet("It has to be one call of mremap. Run the cell again: it starts afresh.")
    call, replay = calls[0], start_2()
    outcome = replay.do(call)
    if outcome.errno:
        return not_yet(f"The call fails with {outcome.errno}.")
    low, high = (page(number) for number in WINDOW_2)
    there = sum(row.pages for row in outcome.after if low <= row.start and row.end <= high)
    if there < PAGES_2:
        return not_yet(f"{there} of {PAGES_2} pages are in pages {WINDOW_2[0]} to {WINDOW_2[1] - 1} now.")
    moved = sum(entries_of(outcome))
    if moved > fewest_2():
        apart = (call.new_addr - call.addr) // PAGE % 512
        return not_yet(
            f"It arrives, and {moved} entries move. {fewest_2()} are enough.",
            f"Within their 2 MiB, source and destination lie {apart} pages apart. How far should that be?",
        )
    return solved(f"{moved} entries instead of {PAGES_2}: with the target {place(call.new_addr)} whole tables move.")


# --- 7.3: a cost model ---------------------------------------------------------------------------------------

CLOSE, ENOUGH = 0.25, 0.75


def check_3(answer: Any) -> Feedback:
    """`cost(entries)` in nanoseconds: within a quarter of three quarters of what was measured."""
    if not callable(answer):
        return no_answer("Give check the function itself: check(…, cost).")
    rows = [row for row in recorded().rows if row.entries is not None]
    off: list[tuple[float, Result]] = []
    for row in rows:
        told, wrong = asked(answer, row.entries)
        if wrong:
            return not_yet(f"For {_spelled(row.entries)}: {wrong}.")
        if told is None or told is ...:
            return no_answer("cost has returned nothing yet; it has to return nanoseconds.")
        try:
            off.append((float(told) / row.median - 1, row))
        except (TypeError, ValueError):
            return not_yet(f"cost has to return a number of nanoseconds, and returned {told!r}.")
    if any(by != by for by, _ in off):
        return not_yet("cost has returned nan, which is no number of nanoseconds.")
    good = sum(abs(by) <= CLOSE for by, _ in off)
    for unit, times in (("microseconds", 1000), ("milliseconds", 1_000_000)):
        if sum(abs((by + 1) * times - 1) <= CLOSE for by, _ in off) > max(good, len(rows) // 4):
            return not_yet(f"These are {unit}; cost has to return nanoseconds.")
    by, worst = max(off, key=lambda one: abs(one[0]))
    furthest = (
        f"Furthest off, by {by:+.0%}: {worst.case}, measured {duration(worst.median)} for {_spelled(worst.entries)}."
    )
    if good < ENOUGH * len(rows):
        return not_yet(f"{good} of {len(rows)} cases are within {CLOSE:.0%}; {ENOUGH:.0%} of them should be.", furthest)
    return solved(f"{good} of {len(rows)} cases are within {CLOSE:.0%}. {furthest}")


def _spelled(entries: Entries | None) -> str:
    assert entries is not None
    counts = (("call", entries.calls), ("VMA", entries.vmas), ("PTE", entries.pte), ("PMD", entries.pmd),
              ("PUD", entries.pud), ("table", entries.tables))  # fmt: skip
    return ", ".join(f"{count} {name}{'s' * (count != 1)}" for name, count in counts if count)


# --- 7.4: which differences hold? ----------------------------------------------------------------------------

PAIRS_4 = {
    "a": ("move/1/aligned", "move/1/a page off"),
    "b": ("move/512/aligned", "move/512/a page off"),
    "c": ("many/1/one call", "many/1/call each"),
    "d": ("many/3/one call", "many/3/call each"),
    "e": ("many/300/one call", "many/300/call each"),
    "f": ("many/1000/one call", "many/1000/call each"),
}


def apart(a: Result, b: Result) -> bool:
    """Whether the middle halves of two cases have nothing in common."""
    return a.q3 < b.q1 or b.q3 < a.q1


def check_4(answer: Any) -> Feedback:
    """The letters of the pairs whose middle halves lie apart."""
    given = letters_in(answer, PAIRS_4)
    if isinstance(given, Feedback):
        return given
    rows = {row.case: row for row in recorded().rows}
    wanted = {letter for letter, (a, b) in PAIRS_4.items() if apart(rows[a], rows[b])}
    said = [_why_4(letter, *(rows[name] for name in PAIRS_4[letter])) for letter in sorted(given ^ wanted)]
    if not said:
        return solved(
            "These three differ by more than they scatter. Of the others this run says nothing, neither that they "
            "differ nor that they do not: with more samples on a quiet machine it might."
        )
    right = given & wanted
    return not_yet(*([f"Right: {' and '.join(sorted(right))}."] if right else []), *said[:2])


def _why_4(letter: str, a: Result, b: Result) -> str:
    spans = [f"{duration(row.q1)} to {duration(row.q3)}" for row in (a, b)]
    verdict = "lie apart" if apart(a, b) else "overlap"
    return f"{letter}: half of the samples lie within {spans[0]}, and within {spans[1]}. Those {verdict}."


def start() -> Model:
    """Nothing: the exercise is about numbers."""
    return Model(RELEASE)


EXERCISES: Mapping[str, tuple[Callable[[], Model], Callable[[Any], Feedback]]] = {
    "1": (start, check_1),
    "2": (start_2, check_2),
    "3": (start, check_3),
    "4": (start, check_4),
}
