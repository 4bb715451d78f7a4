"""Questions of the kind "which of these calls succeeds on which release"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from attrs import evolve, frozen

from vmalab.linux.addr import PAGE
from vmalab.linux.call import Call, Mremap
from vmalab.linux.flags import MREMAP_DONTUNMAP, MREMAP_FIXED
from vmalab.teach.misconceptions import misconceptions
from vmalab.teach.problems.asked_calls import Asked, play
from vmalab.teach.problems.choices import FILLED, Choice, Held, choose, speaking
from vmalab.teach.problems.dice import Dice
from vmalab.teach.problems.difficulty import LEVELS
from vmalab.teach.problems.near import Near, NearMiss
from vmalab.teach.problems.topics import Topic
from vmalab.words.explain import one_line
from vmalab.words.wording import say, word

Marks = tuple[tuple[bool, ...], ...]
"""For each call, on which of the kernels it succeeds."""

MOST_CALLS, MOST_KERNELS = 3, 3


@frozen
class Table:
    """Calls, each made by itself behind the same setup, on several kernels."""

    calls: tuple[Call, ...]
    kernels: tuple[str, ...]
    cells: Mapping[tuple[int, int], Asked]

    def marks(self) -> Marks:
        """What really succeeds where."""
        return tuple(
            tuple(self.cells[row, column].last.ok for column in range(len(self.kernels)))
            for row in range(len(self.calls))
        )

    def believed(self, name: str) -> Marks:
        """What somebody who holds a misconception would say."""
        one = misconceptions()[name]
        found = []
        for row in range(len(self.calls)):
            cells = [self.cells[row, column] for column in range(len(self.kernels))]
            told = [one.expects_in(cell.case) for cell in cells]
            found.append(tuple(c.last.ok if e is None else e.errno is None for c, e in zip(cells, told, strict=True)))
        return tuple(found)

    def text(self, marks: Marks) -> str:
        """Marks in words."""
        told = [_where(row, self.kernels) for row in marks]
        if len(told) == 1:
            return told[0]
        return "; ".join(f"{number}: {where}" for number, where in enumerate(told, 1))


def _where(marks: Sequence[bool], kernels: Sequence[str]) -> str:
    if all(marks) or not any(marks):
        return word("quiz", "everywhere" if all(marks) else "nowhere")
    names = [name for mark, name in zip(marks, kernels, strict=True) if mark]
    return say("quiz", "only", releases=" and ".join(filter(None, (", ".join(names[:-1]), names[-1]))))


def table(setup: Sequence[Call], call: Call, level: int, together: Sequence[str], dice: Dice) -> Table | None:
    """A call, at higher levels with others like it, on two or three kernels.

    None where a setup fails, and where it is too much for the level.
    """
    count = dice.between(2, min(MOST_KERNELS, 1 + level))
    chosen = dice.shuffled(range(len(together)))[:count]
    kernels = tuple(together[index] for index in sorted(chosen))
    calls = [call]
    for other in dice.shuffled(list(_like(call))):
        if len(calls) < min(level - 1, MOST_CALLS) and other not in calls:
            calls.append(other)
    calls = dice.shuffled(calls)
    cells, steps = {}, 0
    for row, column in product(range(len(calls)), range(count)):
        asked = play([*setup, calls[row]], 1, kernels[column])
        if asked is None:
            return None
        cells[row, column] = asked
        steps += len(asked.last.steps)
        if steps > LEVELS[level][1]:
            return None
    return Table(tuple(calls), kernels, cells)


def _like(call: Call) -> Iterator[Call]:
    """Calls that differ from one in one thing."""
    if not isinstance(call, Mremap):
        return
    yield evolve(call, new_len=call.new_len + PAGE)
    if call.new_len > PAGE:
        yield evolve(call, new_len=call.new_len - PAGE)
    yield evolve(call, old_len=call.old_len + PAGE, new_len=call.new_len + PAGE)
    if call.old_len > PAGE < call.new_len:
        yield evolve(call, addr=call.addr + PAGE, old_len=call.old_len - PAGE, new_len=call.new_len - PAGE)
    if call.flags & MREMAP_FIXED:
        yield evolve(call, flags=call.flags ^ MREMAP_DONTUNMAP)
        yield evolve(call, new_addr=call.addr + PAGE)


def offered_for(found: Table, topic: Topic, dice: Dice, level: int) -> tuple[Choice, ...] | None:
    """The choices; None where no belief says otherwise.

    None too where the kernels all do the same: always if the topic is how they differ, otherwise mostly.
    """
    if all(len(set(row)) == 1 for row in found.marks()) and (topic.differs or dice.chance(0.7)):
        return None
    right = found.text(found.marks())
    believed: dict[str, list[Held]] = {}
    for name in speaking("releases"):
        text = found.text(found.believed(name))
        if text != right:
            believed.setdefault(text, []).append(Held(name))
    near = _near(found, dice) if level <= FILLED else iter(())
    return choose(right, believed, {}, near, dice, topic.beliefs)


def _near(found: Table, dice: Dice) -> Near:
    """One mark is another, or all are: the reason is what really happens there."""
    marks = found.marks()
    cells = dice.shuffled(list(product(range(len(found.calls)), range(len(found.kernels)))))
    others = [
        tuple(tuple(mark != ((i, j) == cell) for j, mark in enumerate(line)) for i, line in enumerate(marks))
        for cell in cells
    ]
    others += [tuple(tuple(where for _ in line) for line in marks) for where in (True, False)]
    for other in others:
        wrong = next((cell for cell in cells if marks[cell[0]][cell[1]] != other[cell[0]][cell[1]]), None)
        if wrong is not None:
            asked = found.cells[wrong]
            key = "releases" if len(found.calls) > 1 else "release"
            why = say("near", key, number=wrong[0] + 1, kernel=asked.kernel, told=one_line(asked.last))
            yield NearMiss(found.text(other), key, why)
