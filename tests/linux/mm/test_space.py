"""`AddressSpace`: finding VMAs, replacing them, counting, limits, and `validate()`, which sees every broken rule."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.tiny_language import Little, at
from vmalab.linux.addr import PAGE, TASK_SIZE
from vmalab.linux.flags import VM_GROWSDOWN, VM_LOCKED, VM_READ, VM_SHARED, VM_WRITE
from vmalab.linux.mm import VMA, AddressSpace, Limits
from vmalab.linux.mm.runs import Run
from vmalab.linux.mm.space import UNLIMITED, is_data_mapping
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.profile import profile

RW = VM_READ | VM_WRITE


def space(*ranges: tuple[int, int]) -> AddressSpace:
    """An address space with these page ranges mapped, and nothing else known about them."""
    mm = AddressSpace(profile("6.18"))
    for start, end in ranges:
        mm.replace("test", "test", (), (VMA(start * PAGE, end * PAGE, start, RW, id=mm.new_id()),))
        mm.vm_stat_account(RW, end - start)
    return mm


def starts(vmas: list[VMA]) -> list[int]:
    return [vma.start // PAGE for vma in vmas]


# --- finding ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "find", "lookup", "before"),
    [
        # ..AA.BBCC
        (0, 2, None, None),
        (2, 2, 2, None),
        (3, 2, 2, 2),
        (4, 5, None, 2),
        (5, 5, 5, 2),
        (6, 5, 5, 5),
        (7, 7, 7, 5),
        (8, 7, 7, 7),
        (9, None, None, 7),
    ],
)
def test_find_vma_and_its_kin(page: int, find: int | None, lookup: int | None, before: int | None) -> None:
    mm = space((2, 4), (5, 7), (7, 9))
    found = [mm.find_vma(page * PAGE), mm.vma_lookup(page * PAGE), mm.find_vma_prev(page * PAGE)]
    assert [find, lookup, before] == [None if vma is None else vma.start // PAGE for vma in found]
    # the last byte of the page belongs to it as well
    assert mm.find_vma(page * PAGE) == mm.find_vma(page * PAGE + PAGE - 1)


def test_neighbours() -> None:
    mm = space((2, 4), (5, 7), (7, 9))
    first, second, third = mm.vmas()
    assert (None, first, second) == tuple(mm.vma_prev(vma) for vma in (first, second, third))
    assert (second, third, None) == tuple(mm.vma_next(vma) for vma in (first, second, third))
    assert (3, 3) == (mm.map_count, len(mm))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, 2, []), (0, 3, [2]), (3, 5, [2]), (4, 5, []), (3, 6, [2, 5]), (0, 99, [2, 5, 7]), (6, 7, [5]), (9, 99, [])],
)
def test_intersecting(start: int, end: int, expected: list[int]) -> None:
    assert expected == starts(space((2, 4), (5, 7), (7, 9)).intersecting(start * PAGE, end * PAGE))


def test_nothing_in_an_empty_space() -> None:
    mm = space()
    assert (None, None, None, [], 0) == (
        mm.find_vma(0), mm.vma_lookup(5), mm.find_vma_prev(TASK_SIZE), mm.intersecting(0, TASK_SIZE), mm.map_count,
    )  # fmt: skip
    mm.validate()


# --- replacing --------------------------------------------------------------------------------------------------


def test_replacing_is_one_step() -> None:
    mm = space((2, 6))
    (old,) = mm.vmas()
    low, high = old.part(2 * PAGE, 4 * PAGE), old.part(4 * PAGE, 6 * PAGE, mm.new_id())
    mm.steps.clear()
    mm.replace("__split_vma", "split", (old,), (low, high), at=4)
    assert [low, high] == mm.vmas()
    (step,) = mm.steps
    assert ("__split_vma", "split", (old,), (low, high), {"at": 4}) == (
        step.func, step.key, step.removed, step.added, step.values)  # fmt: skip
    assert high is mm.current(high)
    mm.validate()


def test_numbers_go_on_in_a_child() -> None:
    mm, child = space((2, 4)), AddressSpace(profile("6.18"))
    child.share_numbers(mm)
    assert [1, 2, 3] == [mm.new_anon_vma(), child.new_anon_vma(), mm.new_anon_vma()]
    assert mm.new_id() + 1 == child.new_id()


# --- counting and limits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "expected"),
    [(RW, True), (VM_WRITE, True), (VM_READ, False), (RW | VM_SHARED, False), (RW | VM_GROWSDOWN, False)],
)
def test_what_counts_as_data(flags: int, expected: bool) -> None:
    assert expected == is_data_mapping(flags)
    mm = space()
    mm.vm_stat_account(flags, 5)
    mm.vm_stat_account(flags, -2)
    assert (3, 3 if expected else 0) == (mm.total_vm, mm.data_vm)


def test_room_to_expand() -> None:
    mm = space((2, 6))
    assert mm.may_expand_vm(RW, UNLIMITED - 4)
    mm.limits.address_space = 6
    assert [True, False] == [mm.may_expand_vm(VM_READ, pages) for pages in (2, 3)]
    mm.limits.address_space, mm.limits.data = UNLIMITED, 5
    assert [True, False] == [mm.may_expand_vm(RW, pages) for pages in (1, 2)]
    assert mm.may_expand_vm(VM_READ, 2)
    assert mm.may_expand_vm(RW | VM_SHARED, 2)


def test_the_default_limits_are_those_of_linux() -> None:
    assert (
        Limits(UNLIMITED, UNLIMITED, 8 << 20 >> 12, 8 << 20 >> 12, 65530, 65536, UNLIMITED)
        == AddressSpace(profile("6.18")).limits
    )


def test_a_charge_larger_than_all_memory() -> None:
    mm = space()
    mm.limits.total_ram = 10
    mm.charge("mmap_region", 10)
    with pytest.raises(Refusal) as refused:
        mm.charge("mmap_region", 11)
    assert ("ENOMEM", "commit_charge") == (refused.value.errno, refused.value.step.key)


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_the_nth_allocation_fails_and_those_after_it_do_not(nth: int) -> None:
    mm = space()
    mm.faults_to_inject["vm_area_dup"] = nth
    failed = []
    for number in range(1, 6):
        mm.alloc("copy_vma")  # another kind of allocation does not count
        try:
            mm.alloc("vm_area_dup")
        except Refusal as refusal:
            failed.append((number, refusal.errno, refusal.step.key))
    assert [(nth, "ENOMEM", "injected_failure")] == failed


# --- contents ---------------------------------------------------------------------------------------------------


def test_resolved_entries_show_what_a_user_reads() -> None:
    # the page table says which page of the file, the page cache what is in it
    vm = Little("6.18", "map 0-4 sharedfile @2; touch 1-3 7; map 8-9; touch 8 5")
    first = at(0) // PAGE
    found = vm.mm.resolved(first, first + 20)
    assert [(1, 3, "file", [7000, 7001]), (8, 9, "anon", [5000])] == [
        (run.start - first, run.end - first, run.kind, [run.at(n) for n in range(run.start, run.end)]) for run in found
    ]
    assert [7001] == [run.at(first + 2) for run in vm.mm.resolved(first + 2, first + 3)]


def test_steps_about_pages_are_told_only_where_something_changed() -> None:
    vm = Little("6.18", "map 0-4; touch 0-2")
    outcome = vm("advise 2-4 dontneed")
    assert outcome is not None
    assert [] == [step for step in outcome.steps if step.changes]


# --- validate() sees it ------------------------------------------------------------------------------------------


def written() -> AddressSpace:
    return Little("6.18", "map 0-2; touch 0-2; map 4-6 shared; touch 4; map 8-9 r; lock 8-9").mm


def change(index: int, **values: object) -> Callable[[AddressSpace], None]:
    def spoil(mm: AddressSpace) -> None:
        old = mm.vmas()[index]
        new = VMA(**{name: getattr(old, name) for name in old.__slots__ if name != "__weakref__"} | values)  # type: ignore[arg-type]
        mm.replace("test", "test", (old,), (new,))

    return spoil


def assign(**values: int) -> Callable[[AddressSpace], None]:
    def spoil(mm: AddressSpace) -> None:
        for name, value in values.items():
            setattr(mm, name, getattr(mm, name) + value)

    return spoil


def put(run: Run) -> Callable[[AddressSpace], None]:
    return lambda mm: mm.pagetable.put(run)


FIRST = at(0) // PAGE

BROKEN: dict[str, Callable[[AddressSpace], None]] = {
    "page aligned": change(0, end=at(2) - 1),
    "follows the VMA before it": change(0, end=at(5)),
    "within TASK_SIZE": change(2, end=TASK_SIZE + PAGE),
    "has a chain exactly if it has an anon_vma": change(0, anon_vma=None),
    "its anon_vma is in its chain": change(0, anon_vma=99),
    "is shared and has no anon_vma": change(1, anon_vma=7, chain=(7,)),
    "has an id of its own": change(1, id=1),
    "total_vm counts": assign(total_vm=1),
    "locked_vm counts": assign(locked_vm=1),
    "data_vm counts": assign(data_vm=-1),
    "and so an anon_vma": put(Run(FIRST + 8, FIRST + 9, "anon")),
    "and so a file": put(Run(FIRST + 8, FIRST + 9, "file")),
    "lies inside VMAs": put(Run(FIRST + 20, FIRST + 21, "zero")),
}


@pytest.mark.parametrize(("message", "spoil"), BROKEN.items(), ids=list(BROKEN))
def test_validate_names_what_is_broken(message: str, spoil: Callable[[AddressSpace], None]) -> None:
    mm = written()
    mm.validate()
    spoil(mm)
    with pytest.raises(AssertionError, match=message):
        mm.validate()


def test_validate_sees_a_half_covered_run() -> None:
    mm = written()
    mm.pagetable.put(Run(FIRST + 8, FIRST + 12, "zero"))
    with pytest.raises(AssertionError, match="lies inside VMAs"):
        mm.validate()


def test_validate_sees_locked_pages_that_are_not_counted() -> None:
    mm = written()
    old = mm.vmas()[0]
    mm.replace("test", "test", (old,), (old.with_flags(old.flags | VM_LOCKED),))
    with pytest.raises(AssertionError, match="locked_vm counts"):
        mm.validate()
