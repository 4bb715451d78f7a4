"""What exercises on moves share: canaries, address spaces to try a learner's function on, layouts to compare."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from attrs import evolve, field, frozen

from vmalab.linux.addr import ARENA_BASE, PAGE, page
from vmalab.linux.flags import MREMAP_FIXED, MREMAP_MAYMOVE
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Row, Snapshot
from vmalab.programs.calltext import call_text, vma_text
from vmalab.teach.exercises.checking import Feedback, Watched, letters, listed, no_answer, not_yet, pages_of, solved
from vmalab.teach.predictions import HOW
from vmalab.words.explain import clause

FIXED = MREMAP_MAYMOVE | MREMAP_FIXED
CANARY = "canary"
Layout = set[tuple[int, int, str]]
"""VMAs in an answer: first page, page after the last, permissions without dashes."""


def canary(vm: Model, first: int, pages: int = 1) -> None:
    """A shared file mapping that nobody moves: its name shows in the picture whether it has survived."""
    vm.mmap(page(first), pages * PAGE, "r", "sharedfile", file=CANARY)


def why(outcome: Outcome) -> str:
    """The rule by which a call was refused, as half a sentence."""
    return clause(outcome.rule) if outcome.rule is not None else "the call was refused"


def last_of(program: Model, release: str) -> Outcome:
    """The outcome of the last call of `program` under another release, with the failures that were injected."""
    vm = Watched(release)
    vm.replay(program.history, program.injected)
    return vm.outcomes[-1]


def within(rows: Sequence[Row], start: int, end: int) -> list[Row]:
    """The rows that have a byte in [start, end)."""
    return [row for row in rows if row.start < end and start < row.end]


def page_in(address: int) -> int:
    """The page of the arena at a byte address."""
    return (address - ARENA_BASE) // PAGE


# --- a layout, drawn in numbers ------------------------------------------------------------------------------


def covers(given: Layout, number: int) -> bool:
    """Whether page `number` is in one of the VMAs."""
    return any(start <= number < end for start, end, _ in given)


_SPELLED = re.compile(r"\[\s*(\d+)(?:\s*to\s*(\d+))?\s*([rwxps-]*)\s*\]", re.IGNORECASE)


def layout_in(answer: Any) -> Layout | None:
    """The VMAs of an answer, in any order: as pictures and tables write them, `"[0 to 1 rw] [4 r]"`, or as triples of
    first page, last page and permissions.
    """
    if isinstance(answer, str):
        answer = _SPELLED.findall(answer) if not _SPELLED.sub("", answer).strip(" ,;") else None
    try:
        return {
            (int(first), int(first if last == "" else last) + 1, _permissions(perms)) for first, last, perms in answer
        } or None
    except (TypeError, ValueError):
        return None


def _written(one: tuple[int, int, str]) -> str:
    return vma_text(page(one[0]), page(one[1]), one[2])


def _permissions(said: Any) -> str:
    """Permissions in the kernel's order, however they were written: `"WR"`, `"rw-p"`."""
    return "".join(letter for letter in "rwx" if letter in str(said).lower())


def check_layout(
    answer: Any, after: Snapshot, mistakes: Sequence[tuple[Callable[[Layout], bool], str]], praise: str
) -> Feedback:
    """A list of VMAs against those of `after`.  `mistakes`: whether a wrong answer shows it, and what to say to it."""
    if answer is ... or answer is None or answer == []:
        return no_answer(f"Write the VMAs in one text: {HOW}.")
    given = layout_in(answer)
    if given is None:
        return not_yet(f"Write the VMAs in one text: {HOW}.")
    wanted = {(page_in(row.start), page_in(row.end), letters(row.perms)) for row in after}
    if given == wanted:
        return solved(praise)
    hits = len(given & wanted)
    if len({(start, end - 1, perms) for start, end, perms in given} & wanted) > hits:
        one = _written(sorted(given - wanted)[0])
        return not_yet(f"The second number is the last page that belongs to the VMA: {one} is a page too long.")
    said = [f"Right so far: {hits} of your {len(given)} VMAs." if hits else "None of these VMAs is there afterwards."]
    said += [words for wrong, words in mistakes if wrong(given)]
    if len(said) == 1:
        odd, missing = sorted(given - wanted), len(wanted - given)
        lack = "One VMA is missing." if missing == 1 else f"{missing} VMAs are missing."
        said.append(f"Look again at {_written(odd[0])}." if odd else lack)
    return not_yet(*said[:3])


# --- address spaces to try a function on ---------------------------------------------------------------------


@frozen
class Case:
    """One address space, and a range of it to move.  In pages; `vmas`: (first, end, prot, kind).

    `canaries`: pages where one lies.  `sealed`, `watched`: ranges (first, end) that are sealed, or registered with
    userfaultfd.
    """

    name: str
    vmas: tuple[tuple[int, int, str, str], ...]
    start: int
    length: int
    target: int
    canaries: tuple[int, ...] = ()
    sealed: tuple[tuple[int, int], ...] = field(default=(), kw_only=True)
    watched: tuple[tuple[int, int], ...] = field(default=(), kw_only=True)

    def prepare(self, release: str) -> Watched:
        """The address space on a kernel; every writable page is written."""
        vm = Watched(release)
        for first, end, prot, kind in self.vmas:
            vm.mmap(page(first), (end - first) * PAGE, prot, kind)
            if "w" in prot:
                vm.touch(page(first), (end - first) * PAGE)
        for number in self.canaries:
            canary(vm, number)
        for first, end in self.watched:
            vm.uffd(page(first), (end - first) * PAGE)
        for first, end in self.sealed:
            vm.mseal(page(first), (end - first) * PAGE)
        return vm

    @property
    def range(self) -> tuple[int, int, int]:
        """Start, length and target in bytes, as a learner's function gets them."""
        return page(self.start), self.length * PAGE, page(self.target)


def drawn(random: Random, count: int = 10) -> list[Case]:
    """Moves to try: VMAs of two kinds that touch or not, ranges that cut them or start in a gap, canaries under gaps.

    What `moved_wrong` asks for can be done in each of them, by one call for each VMA.
    """
    cases = []
    for number in range(1, count + 1):
        vmas, at = [], random.randrange(3)
        for _ in range(random.randint(2, 5)):
            end = at + random.randint(1, 4)
            vmas.append((at, end, random.choice(("rw", "r", "rx")), random.choice(("anon", "anon", "anon", "zero"))))
            at = end + random.choice((0, 0, 1, 3))
        start = random.randint(max(0, vmas[0][0] - 1), vmas[0][1] - 1)
        length = random.randint(vmas[1][0] + 1, vmas[-1][1] + 2) - start
        target = random.randint(64, 80)
        free = [at for at in range(start, start + length) if not any(first <= at < end for first, end, *_ in vmas)]
        canaries = [at - start + target for at in sorted(random.sample(free, min(2, len(free))))]
        cases.append(Case(f"case {number} of {count}", tuple(vmas), start, length, target, tuple(canaries)))
    return cases


def hindered(random: Random, count: int = 10) -> list[Case]:
    """As `drawn`, with seals and registrations with userfaultfd in the way of some of the moves."""
    cases = []
    for case in drawn(random, count):
        plain = [(first, end) for first, end, _, kind in case.vmas if kind == "anon"]
        fixed = [(first, end) for first, end, *_ in case.vmas[1:]] + [(at, at + 1) for at in case.canaries]
        watched = (random.choice(plain),) if plain and random.random() < 0.3 else ()
        sealed = (random.choice(fixed),) if random.random() < 0.4 else ()
        cases.append(evolve(case, watched=watched, sealed=sealed))
    return cases


def moved_wrong(case: Case, release: str, vm: Watched, outcomes: Sequence[Outcome]) -> list[str]:
    """What is wrong with `vm`, where all that was mapped in the range should have moved; `[]` if nothing is."""
    before, after = pages_of(case.prepare(release).snapshot()), pages_of(vm.snapshot())
    inside = {number for number in before if case.start <= number < case.start + case.length}
    shift = case.target - case.start
    wanted = {number: what for number, what in before.items() if number not in inside}
    wanted |= {number + shift: before[number] for number in inside}
    if after == wanted:
        return []
    said = []
    stayed = {number for number in inside if after.get(number) == before[number]}
    arriving = {number + shift for number in inside}
    dead = {number for number in case.canaries if after.get(number) != wanted[number]} - arriving
    absent = {number for number in inside if after.get(number + shift) != before[number] and number not in stayed}
    others = {number for number in before.keys() - inside if after.get(number) != wanted[number]} - dead - arriving
    if stayed:
        said.append(f"Not moved: {listed(stayed)}.")
    if dead:
        said.append(f"The canary at {listed(dead)} is gone; it lay under a gap of the range and should be there still.")
    if absent:
        said.append(f"What was on {listed(absent)} is not on {listed({number + shift for number in absent})} now.")
    if others:
        said.append(f"Outside of the range, {listed(others)} changed.")
    return [*said, *first_failure(outcomes)] or ["There is more mapped than before."]


def first_failure(outcomes: Sequence[Outcome]) -> list[str]:
    """The first call that failed, in a sentence; `[]` if none did."""
    failed = next((outcome for outcome in outcomes if outcome.errno), None)
    if failed is None:
        return []
    return [f"The first call that failed: {call_text(failed.call)}: {failed.errno}, {why(failed)}."]
