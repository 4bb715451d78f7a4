"""How far a move of three VMAs comes, obstacle by obstacle: each tried on the models and held against recordings."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Call, Limit, Mmap, Mremap, Mseal, Touch, Uffd
from vmalab.linux.flags import MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, PROT_READ
from vmalab.machines.outcome import Outcome
from vmalab.machines.program import scenario_of
from vmalab.pictures.table import Table
from vmalab.teach.exercises.checking import backed, pages_of
from vmalab.teach.trials import Tried

_FIXED = MREMAP_MAYMOVE | MREMAP_FIXED
CANARY = "canary"
PIECES = {"A": 0, "B": 3, "C": 6}
"""The VMAs that are to move, two pages each, and their first pages."""
SHIFT = 64
UNDER = {name: first + SHIFT + 1 for name, first in PIECES.items()}
"""Where a canary of one page lies at the destination, under the second page of each."""


@frozen
class Obstacle:
    """Why a move stops.  `zero`: which VMA is of /dev/zero; `then`: calls before the move; the move from `first`."""

    name: str
    then: tuple[Call, ...] = ()
    zero: str = ""
    first: int = 0
    target: int = SHIFT
    keep: bool = False

    def program(self) -> tuple[Call, ...]:
        """The whole program: three VMAs, each written; three canaries; the obstacle; the move."""
        calls: list[Call] = []
        for name, first in PIECES.items():
            calls.append(Mmap(page(first), 2 * PAGE, kind="zero" if name == self.zero else "anon"))
            calls.append(Touch(page(first), 2 * PAGE))
        calls += [Mmap(page(number), PAGE, PROT_READ, "sharedfile", CANARY) for number in UNDER.values()]
        length = (8 - self.first) * PAGE
        flags = _FIXED | (MREMAP_DONTUNMAP if self.keep else 0)
        return (*calls, *self.then, Mremap(page(self.first), length, length, flags, page(self.target)))


OBSTACLES = (
    Obstacle("the ranges overlap", target=7),
    Obstacle("too many VMAs (vm.max_map_count)", (Limit("map_count", 3),)),
    Obstacle("the range begins with a gap", first=2),
    Obstacle("A is a private mapping of /dev/zero", zero="A"),
    Obstacle("A is sealed", (Mseal(page(0), 2 * PAGE),)),
    Obstacle("B is a private mapping of /dev/zero", zero="B"),
    Obstacle("B is registered with userfaultfd", (Uffd(page(3), 2 * PAGE),)),
    Obstacle("B is sealed", (Mseal(page(3), 2 * PAGE),)),
    Obstacle("what lies where B should arrive is sealed", (Mseal(page(UNDER["B"]), PAGE),)),
    Obstacle("DONTUNMAP, and RLIMIT_AS has room for one page more", (Limit("as", 1),), keep=True),
    Obstacle("DONTUNMAP, and RLIMIT_AS has room for two pages more", (Limit("as", 2),), keep=True),
)
"""What may stop a move, in the order in which the kernel comes upon it."""


def stops(release: str = "6.17") -> Table:
    """A move of three VMAs, A, B and C, with one obstacle each time: what came back, what arrived, what is gone."""
    tried, rows = Tried(), []
    for obstacle in OBSTACLES:
        outcome = tried.on(release, scenario_of(obstacle.program()))
        rows.append((obstacle.name, outcome.errno or "it works", _names(arrived(outcome)), _names(gone(outcome))))
    heads = ("obstacle", "answer", "arrived", "gone under")
    return Table(f"Moving A, B and C on Linux {release}: how far the call comes", heads, rows, tried.verdict)


def arrived(outcome: Outcome) -> list[str]:
    """The VMAs whose contents are at their destination after the move."""
    before, after = pages_of(outcome.before), pages_of(outcome.after)
    return [
        name
        for name, first in PIECES.items()
        if all(after.get(number + SHIFT) == before[number] for number in (first, first + 1))
    ]


def gone(outcome: Outcome) -> list[str]:
    """The VMAs under whose destination a canary is gone."""
    there = backed(outcome.after, CANARY)
    return [name for name, number in UNDER.items() if number not in there]


def _names(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"
