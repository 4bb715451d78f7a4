"""Outcomes to draw, for the tests of pictures and widgets: by hand, from the model, and at random."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from vmalab.differences.generate import random_scenario
from vmalab.linux.addr import ARENA_BASE, PAGE, PAGE_SHIFT, page
from vmalab.linux.call import Call, Mremap
from vmalab.linux.mm.runs import Run
from vmalab.machines.model import Model
from vmalab.machines.outcome import Move, Outcome, Row, Snapshot

FIRST = ARENA_BASE >> PAGE_SHIFT
Present = tuple[int, int, str, int]


def row(
    start: int, end: int, perms: str = "rw-p", backing: str | None = None, pgoff: int | None = None,
    present: Iterable[Present] = (), id: int | None = None,
) -> Row:  # fmt: skip
    """A VMA of pages [start, end) of the arena; `present`: (first page, end, kind, word of the first page)."""
    runs = tuple(Run(FIRST + a, FIRST + b, kind, value, 1) for a, b, kind, value in present)
    return Row(page(start), page(end), perms, backing, pgoff, (), runs, id=id)


def outcome(
    call: Call, value: int | None, errno: str | None, before: Sequence[Row], after: Sequence[Row],
    moves: Iterable[tuple[int, int, int]] = (), elsewhere: Snapshot | None = None, machine: str = "",
) -> Outcome:  # fmt: skip
    """An outcome as a machine without steps gives it; `moves`: (start, end, target) in pages."""
    return Outcome(
        call, value, errno, machine=machine, elsewhere=elsewhere,
        moves=tuple(Move(page(a), page(b), page(to)) for a, b, to in moves),
        before=lambda: Snapshot(tuple(before)), after=lambda: Snapshot(tuple(after)),
    )  # fmt: skip


def gap_move(release: str = "6.18") -> Outcome:
    """A (2 pages, written), a gap, B (2 pages, read only) to page 64, where C lies under the moved gap."""
    return gap_model(release).mremap(page(0), 5 * PAGE, 5 * PAGE, 3, page(64))


def gap_model(release: str = "6.18") -> Model:
    """The process before `gap_move`."""
    vm = Model(release)
    vm.mmap(page(0), 2 * PAGE)
    vm.mmap(page(3), 2 * PAGE, "r")
    vm.touch(page(0), 2 * PAGE)
    vm.mmap(page(66), PAGE, "r")
    return vm


def gap_program() -> Model:
    """`gap_move`, and a write where A is then."""
    vm = gap_model()
    vm.mremap(page(0), 5 * PAGE, 5 * PAGE, 3, page(64))
    vm.touch(page(64), PAGE)
    return vm


def many(count: int) -> Outcome:
    """Half of `count` VMAs move in one call; each has one page present."""
    rows = [row(3 * i, 3 * i + 2, ("rw-p", "r--p")[i % 2], present=[(3 * i, 3 * i + 1, "anon", i)], id=i)
            for i in range(count)]  # fmt: skip
    half = count // 2
    moved = [row(3 * i + 5000, 3 * i + 5002, ("rw-p", "r--p")[i % 2], id=i + 10_000) for i in range(half)]
    call = Mremap(page(0), 3 * half * PAGE, 3 * half * PAGE, 3, page(5000))
    moves = [(3 * i, 3 * i + 2, 3 * i + 5000) for i in range(half)]
    return outcome(call, page(5000), None, rows, rows[half:] + moved, moves)


@cache
def random_outcomes(programs: int = 60) -> tuple[Outcome, ...]:
    """Hundreds of outcomes of random programs on the model: the same ones every time."""
    return tuple(_random(programs))


def _random(programs: int) -> Iterator[Outcome]:
    for seed in range(programs):
        yield from Model("6.18").run(random_scenario(f"picture {seed}")).outcomes
