"""The exercises of lesson 10: count what a realloc costs, keep the map count low, move many VMAs at once."""

from __future__ import annotations

from typing import Any

from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Limit
from vmalab.machines.model import Model
from vmalab.machines.outcome import Snapshot
from vmalab.teach.exercises.checking import Feedback, not_yet, pages_of, solved
from vmalab.teach.exercises.submission import calls_in, numbers_in

MOVED, PAGES_MOVED = 4, 6660
"""Of grow.strace: how many of its mremap calls moved, and the pages whose entries they moved."""


def start_1() -> Model:
    """A buffer with a free range behind it as large as itself, as after a move; below something else."""
    vm = Model("6.18")
    vm.mmap(page(0), 4 * PAGE)
    vm.mmap(page(8), 2 * PAGE, "r")
    return vm


def check_1(answer: Any) -> Feedback:
    """Two numbers: how many calls moved, and how many pages they moved together."""
    asks = "Write two numbers, such as (3, 1000): calls that moved, and the pages that they moved together."
    given = numbers_in(answer, 2, asks, "Write two numbers, such as (3, 1000).")
    if isinstance(given, Feedback):
        return given
    if given[0] == 23:
        return not_yet(
            "There are 23 calls of mremap. Most return the address that they were given: they moved nothing."
        )
    if given[0] != MOVED:
        return not_yet("A call has moved where it returns another address than its first argument. Go line by line.")
    if given[1] != PAGES_MOVED:
        return not_yet("The pages are the old length of each call that moved, in pages of 4096 bytes. Add the four.")
    return solved("Four moves for 23 calls, 6660 pages for a buffer of 6145: each move finds room for twice as much.")


PAGES = 64


def start_2() -> Model:
    """One VMA of 64 pages, and room for two VMAs more."""
    vm = Model("6.18")
    vm.mmap(page(0), PAGES * PAGE)
    vm.do(Limit("map_count", 2))
    return vm


def check_2(answer: Any) -> Feedback:
    """Calls after which half of the pages have no access, and there are few VMAs."""
    calls = calls_in(answer, start_2, "10.2")
    if isinstance(calls, Feedback):
        return calls
    vm = start_2()
    vm.replay(calls)
    now = vm.snapshot()
    closed = sum(perms.startswith("---") for perms, _, _ in pages_of(now).values())
    if len(pages_of(now)) != PAGES:
        return not_yet(f"All {PAGES} pages are to stay mapped.")
    if closed != PAGES // 2:
        return not_yet(f"{closed} of the pages have no access now; half of them are to have none.")
    return solved(f"Half of the pages have no access, in {len(now)} VMAs: what is alike lies together.")


def start_3() -> Model:
    """Eight pages whose protection changes from page to page, on a kernel that moves many VMAs at once."""
    vm = Model("6.17")
    for number in range(8):
        vm.mmap(page(number), PAGE, "rw" if number % 2 else "r")
        if number % 2:
            vm.touch(page(number), PAGE)
    return vm


def check_3(answer: Any) -> Feedback:
    """The eight pages at page 64, by one call."""
    calls = calls_in(answer, start_3, "10.3")
    if isinstance(calls, Feedback):
        return calls
    vm = start_3()
    vm.replay(calls)
    wanted = {number + 64: seen for number, seen in pages_of(start_3().snapshot()).items()}
    if pages_of(vm.snapshot()) != wanted:
        return not_yet(f"Pages 0 to 7 are to lie at page 64, as they were. Now there are {_where(vm.snapshot())}.")
    if len(calls) > 1:
        return not_yet(f"They are there, after {len(calls)} calls. One does it since Linux 6.17.")
    return solved("One call for eight VMAs. On Linux 6.16 it would have been EFAULT.")


def _where(snapshot: Snapshot) -> str:
    numbers = sorted(pages_of(snapshot))
    return f"pages {numbers[0]} to {numbers[-1]}" if numbers else "none"


EXERCISES = {
    1: (start_1, check_1),
    2: (start_2, check_2),
    3: (start_3, check_3),
}
