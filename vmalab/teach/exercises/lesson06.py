"""The exercises of lesson 06: what is read, where a copy finds room, two releases told apart, a collector's pause."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product, starmap
from random import Random
from typing import Any

from attrs import evolve

from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Limit, Mremap
from vmalab.linux.flags import MREMAP_DONTUNMAP
from vmalab.machines.model import Model
from vmalab.machines.outcome import Snapshot
from vmalab.programs.calltext import call_text
from vmalab.teach.exercises.cases import FIXED, Case, drawn, first_failure, last_of, page_in, why
from vmalab.teach.exercises.checking import (
    Feedback,
    Watched,
    listed,
    not_yet,
    pages_of,
    solved,
    spelled,
)
from vmalab.teach.exercises.submission import Trial, calls_in, calls_of, numbers_in, program_in

KEEP = FIXED | MREMAP_DONTUNMAP

# --- 6.1: what is read ---------------------------------------------------------------------------------------

KINDS_1 = {"A": ("anon", 0), "B": ("shared", 2), "C": ("file", 4)}
"""VMA → its kind and its first page."""
MOVE_1 = Mremap(page(0), 6 * PAGE, 6 * PAGE, KEEP, page(64))


def start_1() -> Model:
    """Private anonymous memory, shared memory and a private file mapping, two pages each, all written."""
    vm = Model("6.17")
    for kind, first in KINDS_1.values():
        vm.mmap(page(first), 2 * PAGE, "rw", kind)
    for value, (_, first) in enumerate(KINDS_1.values(), 1):
        vm.touch(page(first), 2 * PAGE, value)
    return vm


def check_1(answer: Any) -> Feedback:
    """Six numbers: what is read at the first page of A, B and C at their old places, then at the new ones."""
    asks = "Write six numbers: what is read at pages 0, 2, 4, and then at pages 64, 66, 68."
    given = numbers_in(answer, 6, asks, "Write six numbers, such as (1, 2, 3, 4, 5, 6).")
    if isinstance(given, Feedback):
        return given
    vm = start_1()
    vm.do(MOVE_1)
    places = [first + shift for shift in (0, 64) for _, first in KINDS_1.values()]
    wanted = [(vm.read(page(number)).values or (None,))[0] for number in places]
    wrong = [number for number, ours, theirs in zip(places, given, wanted, strict=True) if ours != theirs]
    if not wrong:
        return solved(
            "Only private pages are lost to the old place. What is shared or comes from a file is behind both places."
        )
    right = 6 - len(wrong)
    return not_yet(f"{right} of 6 are right.", *(SAID_1[number] for number in wrong[:2]))


SAID_1 = {
    0: "Page 0: A is private anonymous memory, and its pages have gone. What does such memory give where no page is?",
    2: "Page 2: B is shared memory. Its pages belong to the object behind it, and the old VMA is still mapped on that.",
    4: "Page 4: C is private and of a file. Its own copies of pages have gone; the file is still behind the old VMA.",
    64: "Page 64: this is where A's pages went. Is anything copied or changed by a move?",
    66: "Page 66: the copy of B is mapped on the same object as before.",
    68: "Page 68: C's own copy of the page came along, with what was written to it.",
}


# --- 6.2: make room ------------------------------------------------------------------------------------------


def start_2() -> Model:
    """A heap of four pages, a buffer that nobody needs, and no room in RLIMIT_AS."""
    vm = Model("6.17")
    vm.mmap(page(0), 4 * PAGE)
    vm.touch(page(0), 4 * PAGE)
    vm.mmap(page(32), 4 * PAGE)
    vm.touch(page(32), 4 * PAGE)
    vm.limit("as", 0)
    return vm


def check_2(answer: Any) -> Feedback:
    """The heap's contents at page 64; pages 0 to 3 empty, and mapped writable at every moment."""
    calls = calls_in(answer, start_2, "6.2", "Make your calls on vm, then check again.")
    if isinstance(calls, Feedback):
        return calls
    if any(isinstance(call, Limit) for call in calls):
        return not_yet("You have set the limit anew. Make do with the room that there is.")
    replay = start_2()
    outcomes = [replay.do(call) for call in calls]
    was, now = pages_of(outcomes[0].before), pages_of(replay.snapshot())
    holes = [one for one in outcomes if any(number not in pages_of(one.after) for number in range(4))]
    said = []
    if any(now.get(number + 64) != was[number] for number in range(4)):
        said.append("What the heap holds is not at pages 64 to 67 yet.")
    if holes:
        said.append(
            f"After {call_text(holes[0].call)} pages 0 to 3 were not all mapped. In that moment another thread may map "
            "something of its own there."
        )
    elif any(now[number] != ("rw-p", None, None) for number in range(4)):
        said.append("Pages 0 to 3 should be mapped as they were, and hold nothing.")
    if said:
        return not_yet(*said, *first_failure(outcomes))
    return solved(f"With {len(calls)} calls. The process was never larger than it may be, and the heap never unmapped.")


# --- 6.3: tell two kernels apart -----------------------------------------------------------------------------


def start_3() -> Model:
    """Nothing: the program is the learner's."""
    return Model("7.1")


def check_3(answer: Any) -> Feedback:
    """A program with MREMAP_DONTUNMAP that leaves other VMAs on Linux 7.2 than on 7.1."""
    vm = program_in(answer, "Map something, and then make the calls that leave different VMAs on the two releases.")
    if isinstance(vm, Feedback):
        return vm
    if not any(isinstance(call, Mremap) and call.flags & MREMAP_DONTUNMAP for call in vm.history):
        return not_yet("There is no mremap with MREMAP_DONTUNMAP in your program.")
    old, new = (last_of(vm, release) for release in ("7.1", "7.2"))
    left = [_cut(outcome.after) for outcome in (old, new)]
    if left[0] == left[1]:
        failed = f" The last call fails with {old.errno}: {why(old)}." if old.errno else ""
        return not_yet(
            f"Both leave {' '.join(map(spelled, old.after)) or 'nothing'}.{failed}",
            "Linux 7.2 changed what may merge with what stays behind: think of memory that was never written, of "
            "memory that was written elsewhere, and of locked memory of which only a part moves.",
        )
    return solved(
        f"Linux 7.1 leaves {' '.join(map(spelled, old.after))}, Linux 7.2 {' '.join(map(spelled, new.after))}."
    )


def _cut(snapshot: Snapshot) -> list[tuple[int, int, str, str | None]]:
    return [(row.start, row.end, row.perms, row.backing) for row in snapshot]


# --- 6.4: a collector's pause --------------------------------------------------------------------------------

BOTH = ("6.17", "6.16")
CASES_4 = (
    Case("a heap of one VMA", ((0, 4, "rw", "anon"),), 0, 4, 64),
    Case("a heap of two VMAs with a gap, and a canary under it", ((0, 2, "rw", "anon"), (3, 5, "rwx", "anon")),
         0, 5, 64, (66,)),
    Case("a heap that is a part of a larger VMA", ((0, 8, "rw", "anon"),), 2, 4, 64),
    Case("a heap of which the second VMA is registered already", ((0, 2, "rw", "anon"), (2, 4, "rwx", "anon")),
         0, 4, 64, watched=((2, 4),)),
)  # fmt: skip


def start_4() -> Model:
    """The second case: two VMAs with a gap."""
    return CASES_4[1].prepare("6.17")


def check_4(answer: Any, cases: Sequence[Case] = CASES_4) -> Feedback:
    """`pause(vm, start, length, shadow)`: pages to the shadow, the heap mapped, empty, registered; on 6.16 and 6.17."""
    calls = calls_of(answer, "pause", starmap(_trial_4, product(cases, BOTH)))
    if isinstance(calls, Feedback):
        return calls
    return solved(
        f"All {len(cases)} heaps are in the shadow, on Linux 6.16 and 6.17, with {calls} calls in all.",
        "From now on the first touch of each page waits for the collector.",
    )


def _trial_4(case: Case, release: str) -> Trial:
    vm = case.prepare(release)
    given = len(vm.history)
    return Trial(
        f"On Linux {release}, with {case.name}", vm, case.range, lambda _: _pause_wrong(case, release, vm, given)
    )


def unseen_4(answer: Any, random: Random) -> Feedback:
    """The same on heaps that nobody has seen."""
    written = {"rw": "rw", "r": "rw", "rx": "rwx"}
    heaps = [
        evolve(case, vmas=tuple((first, end, written[prot], "anon") for first, end, prot, _ in case.vmas))
        for case in drawn(random)
    ]
    return check_4(answer, heaps)


def _pause_wrong(case: Case, release: str, vm: Watched, given: int) -> list[str]:
    was, now = pages_of(case.prepare(release).snapshot()), pages_of(vm.snapshot())
    heap = {number for number in was if case.start <= number < case.start + case.length}
    shift = case.target - case.start
    said = []
    if absent := {number for number in heap if now.get(number + shift) != was[number]}:
        said.append(f"What was on {listed(absent)} is not on {listed({number + shift for number in absent})}.")
    if holes := heap - now.keys():
        said.append(f"Not mapped any more: {listed(holes)}. The program would end there with SIGSEGV.")
    elif full := {number for number in heap if now[number][2] is not None}:
        said.append(f"Still present in the heap: {listed(full)}.")
    if case.canaries and any(now.get(number) != was[number] for number in case.canaries):
        said.append(f"The canary at {listed(set(case.canaries))} is gone: no page of the heap belongs there.")
    bare = _pages_without(vm.snapshot(), heap - holes)
    if not said and bare:
        said.append(f"Not registered with userfaultfd: {listed(bare)}. A touch there gives a page of zeros at once.")
    others = was.keys() - heap - set(case.canaries)
    if others and any(now.get(number) != was[number] for number in others):
        said.append("Outside of the heap something has changed.")
    return [*said, *first_failure(vm.outcomes[given:])] if said else []


def _pages_without(snapshot: Snapshot, numbers: set[int]) -> set[int]:
    """Those of `numbers` that lie in no VMA registered with userfaultfd."""
    watched: Sequence[tuple[int, int]] = [
        (page_in(row.start), page_in(row.end)) for row in snapshot if "um" in row.flags
    ]
    return {number for number in numbers if not any(start <= number < end for start, end in watched)}


EXERCISES = {
    "1": (start_1, check_1),
    "2": (start_2, check_2),
    "3": (start_3, check_3),
    "4": (start_4, check_4, unseen_4),
}
