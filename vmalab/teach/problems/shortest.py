"""The shortest program that leads from one layout to another: found by search, checked by running it.

What a call that succeeds does to the pages (which are mapped, with which permissions) needs no kernel to be known; what
becomes one VMA does.  So programs are looked for on pages alone, and those that fit are tried on the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from attrs import frozen

from vmalab.errors import UsageError, VmalabError
from vmalab.linux.call import Call, Mmap, Mprotect, Mremap, Munmap
from vmalab.linux.flags import MREMAP_FIXED, MREMAP_MAYMOVE, prot_from_letters
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Row, Snapshot
from vmalab.programs.calltext import call_text
from vmalab.teach.feedback import Feedback, no_answer, not_yet, solved
from vmalab.teach.misconceptions.layouts import outline
from vmalab.teach.predictions import layout_text
from vmalab.teach.problems.read_program import read_program
from vmalab.words.explain import reason
from vmalab.words.wording import number_of, say, word

Piece = tuple[int, int, str]
"""Pages alike: first byte, byte after the last, permissions such as `rw-`."""

Cells = tuple[Piece, ...]
"""What is mapped, wherever VMAs may end: pieces in order, neighbours never alike."""

MOST_CALLS = 20
"""So many calls an answer may have."""


@frozen
class Goal:
    """Where a program is to lead: `target` as text.  `setup`: the calls before it; `program`: a shortest one."""

    kernel: str
    setup: tuple[Call, ...]
    target: str
    program: tuple[Call, ...]

    @property
    def least(self) -> int:
        """How many calls are enough."""
        return len(self.program)

    @property
    def program_text(self) -> str:
        """A shortest program, as `check` takes it."""
        return "; ".join(call_text(call) for call in self.program)

    def check(self, answer: object) -> Feedback:
        """What there is to say to a program.  Raises UsageError for what is none."""
        calls = self._calls(answer)
        if not calls:
            return no_answer(word("quiz", "no_answer"))
        outcomes, after = _run(self.kernel, self.setup, calls)
        for number, outcome in enumerate(outcomes, 1):
            if outcome.errno:
                why = reason(outcome)
                said = say("quiz", "call_fails", number=number, call=call_text(outcome.call), why=why)
                return not_yet(said)
        found = layout_text(after)
        if outline(after) != outline(_run(self.kernel, self.setup, self.program)[1]):
            return not_yet(say("quiz", "not_reached", found=found or word("quiz", "nothing"), target=self.target))
        count = number_of("calls", len(calls))
        if len(calls) > self.least:
            return not_yet(say("quiz", "too_long", count=count, least=self.least))
        return solved(say("quiz", "reached", count=count))

    def _calls(self, answer: object) -> tuple[Call, ...]:
        if isinstance(answer, Model):
            calls = tuple(answer.history)
            if calls[: len(self.setup)] == self.setup:
                return calls[len(self.setup) :]
            raise UsageError("start from the problem's own model: vm = problem.model()")
        if isinstance(answer, str):
            return read_program(answer)
        given: tuple[object, ...] = tuple(answer) if isinstance(answer, Iterable) else (answer,)
        calls = tuple(call for call in given if isinstance(call, Call))
        if len(calls) < len(given) or len(calls) > MOST_CALLS:
            raise UsageError(
                f"a program is text, a list of calls (at most {MOST_CALLS}), or a model that has made them"
            )
        return calls


def shortest(kernel: str, setup: Sequence[Call], program: Sequence[Call]) -> tuple[Call, ...] | None:
    """A shortest program that leads where `program` does, from what `setup` has made; `program` itself if it is one.

    Looked for are mmap, munmap, mprotect and moves whose edges are edges of VMAs at the start or at the end.  None
    where `program` does not succeed.  O(calls possible ^ (length - 1)).
    """
    outcomes, after = _run(kernel, setup, program)
    if any(outcome.errno for outcome in outcomes):
        return None
    start, goal = _run(kernel, setup, ())[1], outline(after)
    if outline(start) == goal:
        return ()
    moves = any(isinstance(call, Mremap) for call in program)
    for length in range(1, len(program)):
        for found in _programs(cells(start), cells(after), length, moves):
            tried, end = _run(kernel, setup, found)
            if not any(outcome.errno for outcome in tried) and outline(end) == goal:
                return found
    return tuple(program)


def _run(kernel: str, setup: Sequence[Call], program: Sequence[Call]) -> tuple[list[Outcome], Snapshot]:
    vm = Model(kernel)
    for call in setup:
        vm.do(call)
    try:
        outcomes = [vm.do(call) for call in program]
    except VmalabError as error:
        raise UsageError(str(error)) from None
    return outcomes, vm.snapshot()


# --- pages alone ---------------------------------------------------------------------------------------------


def cells(rows: Snapshot | Iterable[Row]) -> Cells:
    """What is mapped, without the edges between VMAs that look alike."""
    return _merged([(row.start, row.end, row.perms[:3]) for row in rows])


def _merged(pieces: Iterable[Piece]) -> Cells:
    found: list[Piece] = []
    for start, end, perms in pieces:
        if found and found[-1][1] == start and found[-1][2] == perms:
            found[-1] = (found[-1][0], end, perms)
        else:
            found.append((start, end, perms))
    return tuple(found)


def _without(state: Cells, start: int, end: int) -> list[Piece]:
    found = []
    for low, high, perms in state:
        if low < start:
            found.append((low, min(high, start), perms))
        if end < high:
            found.append((max(low, end), high, perms))
    return found


def _within(state: Cells, start: int, end: int) -> list[Piece]:
    return [(max(low, start), min(high, end), perms) for low, high, perms in state if low < end and start < high]


def after_call(state: Cells, call: Call) -> Cells | None:
    """What is mapped after a call that succeeds; None where it can't succeed."""
    if isinstance(call, Mremap):
        start, end, by = call.addr, call.addr + call.old_len, call.new_addr - call.addr
        moved = [(low + by, high + by, perms) for low, high, perms in _within(state, start, end)]
        rest = _without(state, start, end)
        for low, high, _ in moved:
            rest = _without(tuple(rest), low, high)
        return _merged(sorted(rest + moved)) if moved and -(end - start) < abs(by) and abs(by) >= end - start else None
    assert isinstance(call, Mmap | Mprotect | Munmap)
    start, end = call.addr or 0, (call.addr or 0) + call.length
    inside = _within(state, start, end)
    rest = _without(state, start, end)
    if isinstance(call, Munmap):
        return _merged(rest) if inside else None
    perms = "".join(letter if call.prot >> bit & 1 else "-" for bit, letter in enumerate("rwx"))
    if isinstance(call, Mprotect):
        covered = sum(high - low for low, high, _ in inside)
        if covered < end - start:
            return None
    return _merged(sorted([*rest, (start, end, perms)]))


def _possible(state: Cells, goal: Cells, moves: bool) -> Iterator[Call]:
    """The calls whose edges are edges of `state` or of `goal`."""
    edges = sorted({edge for low, high, _ in (*state, *goal) for edge in (low, high)})
    prots = [prot_from_letters(perms.replace("-", "")) for perms in sorted({perms for *_, perms in goal})]
    for start, end in combinations(edges, 2):
        yield Munmap(start, end - start)
        for prot in prots:
            yield Mprotect(start, end - start, prot)
            yield Mmap(start, end - start, prot)
        if moves:
            count = end - start
            for to in sorted({*edges, *(edge - count for edge in edges)}):
                if to >= 0 and to != start:
                    yield Mremap(start, count, count, MREMAP_MAYMOVE | MREMAP_FIXED, to)


def _programs(state: Cells, goal: Cells, length: int, moves: bool) -> Iterator[tuple[Call, ...]]:
    """Every program of `length` possible calls that leads from `state` to `goal`, as far as pages tell."""
    for call in _possible(state, goal, moves):
        after = after_call(state, call)
        if after is None:
            continue
        if length == 1:
            if after == goal:
                yield (call,)
        else:
            for rest in _programs(after, goal, length - 1, moves):
                yield (call, *rest)
