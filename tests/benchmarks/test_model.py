"""The model against the real calls of this machine, and what a VMA costs as they become many.

`outcome` is a call of the public Model, with its steps and both sides kept; `steps` the same below it, on the address
space; `plain` without steps.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from time import process_time

import pytest

from tests.benchmarks.conftest import Table
from tests.tiny_language import MOVE, at
from vmalab.linux.addr import PAGE
from vmalab.linux.call import Call, Mmap, Mprotect, Mremap, Touch
from vmalab.linux.mm import AddressSpace, perform
from vmalab.linux.profile import profile
from vmalab.machines.model import Model

COUNT = 1000
RELEASE = "6.18"
AIMS = {"outcome": None, "steps": 8, "plain": 10}

Timed = Callable[..., float]

CALLS: dict[str, tuple[Call, Call]] = {
    "mmap": (Mmap(at(100), PAGE), Mmap(at(100), PAGE)),
    "mprotect": (Mprotect(at(4), PAGE, 1), Mprotect(at(4), PAGE, 3)),
    "move": (Mremap(at(100), PAGE, PAGE, MOVE, at(200)), Mremap(at(200), PAGE, PAGE, MOVE, at(100))),
}
"""A call, and the one that takes it back."""


def microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} us"


def compared(table: Table, name: str, seconds: float, real: float | None, aim: float | None) -> None:
    if real is None:
        pytest.skip("this kernel moves one VMA a call, or its vm.max_map_count is too low")
    table.add(name, microseconds(seconds), f"{real:.1f} us", seconds * 1e6 / real, aim)


@pytest.mark.parametrize("how", AIMS)
@pytest.mark.parametrize("name", CALLS)
def test_a_call(timed: Timed, table: Table, real: dict[str, float | None], name: str, how: str) -> None:
    model = Model(RELEASE)
    mm = AddressSpace(profile(RELEASE), trace=how == "steps")
    run: Callable[[Call], object] = model.do if how == "outcome" else lambda call: perform(mm, call)
    run(Mmap(at(0), 16 * PAGE))
    run(Mmap(at(100), PAGE))
    there, back = CALLS[name]

    def both_ways() -> None:
        model.history.clear()
        for _ in range(COUNT // 2):
            run(there)
            run(back)

    compared(table, f"{name}, {how}", timed(both_ways) / COUNT, real[name], AIMS[how])


def many(vmas: int, *, trace: bool) -> AddressSpace:
    """So many VMAs of one page each, side by side, that can't merge."""
    mm = AddressSpace(profile(RELEASE), trace=trace)
    for number in range(vmas):
        perform(mm, Mmap(at(number), PAGE, 3 if number & 1 else 1))
    assert vmas == mm.map_count
    return mm


UP, DOWN = (0, 200_000), (200_000, 0)
"""Where all of them move from and to."""


def moving(mm: AddressSpace, vmas: int, *ways: tuple[int, int]) -> Callable[[], None]:
    def move() -> None:
        for source, target in ways:
            assert None is perform(mm, Mremap(at(source), vmas * PAGE, vmas * PAGE, MOVE, at(target))).errno

    return move


@pytest.mark.parametrize("how", ["steps", "plain"])
@pytest.mark.parametrize("vmas", [10, 1000, 60000])
def test_a_move_of_many(timed: Timed, table: Table, real: dict[str, float | None], vmas: int, how: str) -> None:
    mm = many(vmas, trace=how == "steps")
    gc.collect()
    gc.freeze()
    seconds = timed(moving(mm, vmas, UP, DOWN), rounds=2 if vmas > 1000 else 5) / 2
    gc.unfreeze()
    compared(table, f"move of {vmas:,} VMAs, {how}", seconds, real[f"move of {vmas}"], AIMS[how])


@pytest.mark.parametrize("how", ["steps", "plain"])
def test_the_cost_of_a_vma_does_not_grow_with_their_number(timed: Timed, table: Table, how: str) -> None:
    costs = {}
    for vmas, repeat in ((100, 50), (60000, 2)):
        mm = many(vmas, trace=how == "steps")
        times: dict[tuple[int, int], list[float]] = {UP: [], DOWN: []}
        for _ in range(repeat):
            for way in (UP, DOWN):
                start = process_time()
                moving(mm, vmas, way)()
                times[way].append((process_time() - start) / vmas)
        costs[vmas] = {way: min(found) for way, found in times.items()}
    timed(moving(many(100, trace=how == "steps"), 100, UP, DOWN))
    for way, name in ((UP, "upwards"), (DOWN, "downwards")):
        large, small = costs[60000][way], costs[100][way]
        table.add(
            f"a VMA of 60,000 against 100, {name}, {how}", microseconds(large), microseconds(small), large / small, 1.5
        )


def test_memory_of_a_vma(timed: Timed, table: Table) -> None:
    # against the kernel's own record: struct vm_area_struct has 192 bytes on x86-64 since 6.16
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    mm = many(20000, trace=False)
    taken = (tracemalloc.get_traced_memory()[0] - before) / 20000
    tracemalloc.stop()
    timed(mm.vmas)
    table.add("memory of a VMA", f"{taken:.0f} bytes", "192 bytes", taken / 192)


def test_a_terabyte_costs_what_a_page_costs(timed: Timed, table: Table) -> None:
    def move_back_and_forth(pages: int) -> Callable[[], None]:
        mm = AddressSpace(profile(RELEASE), trace=False)
        perform(mm, Mmap(at(0), pages * PAGE))
        perform(mm, Touch(at(0), pages * PAGE))

        def there_and_back() -> None:
            for _ in range(COUNT // 2):
                perform(mm, Mremap(at(0), pages * PAGE, pages * PAGE, MOVE, at(1 << 29)))
                perform(mm, Mremap(at(1 << 29), pages * PAGE, pages * PAGE, MOVE, at(0)))

        return there_and_back

    page = move_back_and_forth(1)
    times = []
    for _ in range(5):
        start = process_time()
        page()
        times.append(process_time() - start)
    terabyte = timed(move_back_and_forth(1 << 28))
    table.add("moving a written TiB against a page", microseconds(terabyte / COUNT), microseconds(min(times) / COUNT),
              terabyte / min(times), 1.5)  # fmt: skip
