"""A program run for a question: what came of its calls, as the few things that questions ask for, in pages."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from vmalab.linux.addr import ARENA_BASE, PAGE, page
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Row
from vmalab.teach.problems.read_program import read_program

ANON = "anon"


@frozen
class Ran:
    """What came of a program.  Pages are those of the arena."""

    vm: Model
    outcomes: tuple[Outcome, ...]

    @property
    def last(self) -> Outcome:
        """The outcome of the last call."""
        return self.outcomes[-1]

    @property
    def errno(self) -> str | None:
        """The errno of the last call; None where it succeeded."""
        return self.last.errno

    @property
    def rows(self) -> tuple[Row, ...]:
        """The VMAs at the end."""
        return self.vm.snapshot().rows

    @property
    def count(self) -> int:
        """How many VMAs there are at the end."""
        return len(self.rows)

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """First page and page after the last, of each VMA at the end."""
        return [((row.start - ARENA_BASE) // PAGE, (row.end - ARENA_BASE) // PAGE) for row in self.rows]

    def row(self, number: int) -> Row | None:
        """The VMA on page `number` at the end."""
        return self.vm.snapshot().at(page(number))

    def at(self, number: int) -> str | None:
        """What is behind page `number` at the end: `"anon"`, a file's name; None where nothing is mapped."""
        row = self.row(number)
        return None if row is None else row.backing or ANON

    def value(self, number: int) -> int | None:
        """What a program reads on page `number` (the first 64 bits); None where it can't."""
        return (self.vm.copy().read(page(number)).values or (None,))[0]


def on(release: str, program: str) -> Callable[[], Ran]:
    """What runs `program` (calls as `read_program` takes them, in pages) on the model of `release`.

    >>> on("6.17", "mmap(0, 2) mremap(0, 2, 2, maymove fixed, 64)")().ranges
    [(64, 66)]
    """

    def run() -> Ran:
        vm = Model(release, trace=True)
        return Ran(vm, tuple(vm.do(call) for call in read_program(program)))

    return run


def on_each(program: str, *releases: str) -> Callable[[], dict[str, Ran]]:
    """The same on several releases."""
    return lambda: {release: on(release, program)() for release in releases}
