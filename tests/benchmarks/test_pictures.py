"""Pages that play: what twice the calls of a program, or twice the VMAs of a move, cost in time and in bytes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from time import process_time

from tests.benchmarks.conftest import Table
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Mmap
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.pictures.export import outcome_page, program_page
from vmalab.programs.scenario import Scenario

AIM = 2.3
Timed = Callable[..., float]


def measured(make: Callable[[], str]) -> tuple[float, int]:
    """Seconds of processor time and bytes of a page, the better of two."""
    seconds = []
    for _ in range(2):
        start = process_time()
        text = make()
        seconds.append(process_time() - start)
    return min(seconds), len(text.encode())


def compared(table: Table, what: str, found: dict[int, tuple[float, int]]) -> None:
    for small, large in pairwise(found):
        (brief, few), (long, many) = found[small], found[large]
        name = f"{what} of {large:,} against {small:,}"
        table.add(f"{name}, time", f"{long:.2f} s", f"{brief:.2f} s", long / brief, AIM)
        table.add(f"{name}, bytes", f"{many / 1e6:.2f} MB", f"{few / 1e6:.2f} MB", many / few, AIM)


def program(calls: int) -> str:
    steps = tuple(Mmap(page(2 * number), PAGE) for number in range(calls))
    return program_page(Model("6.18").run(Scenario("many", steps)))


def move(vmas: int) -> Outcome:
    vm = Model("6.18")
    for number in range(vmas):
        vm.mmap(page(2 * number), PAGE)
        vm.touch(page(2 * number), PAGE)
    return vm.mremap(page(0), 2 * vmas * PAGE, 2 * vmas * PAGE, 3, page(1 << 17))


def test_a_page_of_a_program(timed: Timed, table: Table) -> None:
    timed(lambda: program(20))
    compared(
        table, "page of calls", {calls: measured(lambda calls=calls: program(calls)) for calls in (500, 1000, 2000)}
    )


def test_a_page_of_a_move(timed: Timed, table: Table) -> None:
    timed(lambda: outcome_page(move(8)))
    sizes = (64, 128, 256, 512)
    compared(
        table, "page of VMAs moved", {vmas: measured(lambda vmas=vmas: outcome_page(move(vmas))) for vmas in sizes}
    )
