"""`Model`: the machine of one process; its outcomes, scenarios, undo and injected failures."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.tiny_language import MOVE, SPREAD, Little, at
from vmalab.differences.generate import random_scenario
from vmalab.errors import NotModelled, ProfileError, UsageError
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Limit, Mmap, Mremap, Munmap, Read, Touch
from vmalab.linux.mm.runs import Run
from vmalab.linux.mm.space import ALLOCATIONS, ANYWHERE, MMAP_BASE
from vmalab.linux.profile import profile
from vmalab.machines.capture import Capture
from vmalab.machines.machine import Machine
from vmalab.machines.model import Model
from vmalab.machines.outcome import Move, Outcome
from vmalab.programs.scenario import Scenario

P = PAGE


def test_a_model_is_a_machine() -> None:
    vm = Model("6.17")
    assert isinstance(vm, Machine)
    assert ("model:6.17", "6.17", "<Model of Linux 6.17: 0 VMAs after 0 calls>") == (vm.name, vm.release, repr(vm))
    assert profile("6.18.44") is Model(profile("6.18.44")).profile
    with pytest.raises(ProfileError):
        Model("5.4")


CALLS: list[tuple[Callable[[Model], Outcome], str]] = [
    (lambda vm: vm.mmap(page(0), 4 * P), "[0-4 rw-p -]"),
    (lambda vm: vm.mmap(page(4), 2 * P, "r", "file", file="f1", pgoff=3), "[0-4 rw-p -][4-6 r--p f1]"),
    (lambda vm: vm.mprotect(page(0), P, 5), "[0-1 r-xp -][1-4 rw-p -][4-6 r--p f1]"),
    (lambda vm: vm.mprotect(page(0), P, "rw"), "[0-4 rw-p -][4-6 r--p f1]"),
    (lambda vm: vm.touch(page(1), value=7), "[0-4 rw-p -][4-6 r--p f1]"),
    (lambda vm: vm.read(page(1)), "[0-4 rw-p -][4-6 r--p f1]"),
    (lambda vm: vm.madvise(page(0), P, "dontneed"), "[0-4 rw-p -][4-6 r--p f1]"),
    (lambda vm: vm.mlock(page(0), P), "[0-1 rw-p -][1-4 rw-p -][4-6 r--p f1]"),
    (lambda vm: vm.munlock(page(0), P), "[0-4 rw-p -][4-6 r--p f1]"),
    (lambda vm: vm.mremap(page(0), 2 * P, 2 * P, MOVE, page(64)), "[2-4 rw-p -][4-6 r--p f1][64-66 rw-p -]"),
    (lambda vm: vm.mremap(page(2), P, P), "[2-4 rw-p -][4-6 r--p f1][64-66 rw-p -]"),
    (lambda vm: vm.fork(), "[2-4 rw-p -][4-6 r--p f1][64-66 rw-p -]"),
    (lambda vm: vm.fork_child(), "[2-4 rw-p -][4-6 r--p f1][64-66 rw-p -]"),
    (lambda vm: vm.limit("as", 5), "[2-4 rw-p -][4-6 r--p f1][64-66 rw-p -]"),
    (lambda vm: vm.uffd(page(2), P), "[2-3 rw-p -][3-4 rw-p -][4-6 r--p f1][64-66 rw-p -]"),
    (lambda vm: vm.munmap(page(3), 2 * P), "[2-3 rw-p -][5-6 r--p f1][64-66 rw-p -]"),
    (lambda vm: vm.mseal(page(2), P), "[2-3 rw-p -][5-6 r--p f1][64-66 rw-p -]"),
]


def test_every_call_by_its_name() -> None:
    little = Little("6.18")
    vm = little.model
    for number, (make, expected) in enumerate(CALLS, 1):
        outcome = make(vm)
        assert (None, expected) == (outcome.errno, little.show("perms", "backing").replace("None", "-")), number
    assert len(CALLS) == len(vm.history)


def test_undo_goes_back_call_by_call() -> None:
    little = Little("6.18")
    vm = little.model
    seen = []
    for make, _ in CALLS:
        seen.append(little.show("perms", "backing", "flags", "pgoff"))
        make(vm)
    while seen:
        vm.undo()
        assert (seen.pop(), len(seen)) == (little.show("perms", "backing", "flags", "pgoff"), len(vm.history))
        vm.mm.validate()
    vm.undo()  # nothing is left to take back
    assert [] == vm.history


def test_the_kernel_chooses() -> None:
    vm = Model("6.18")
    assert MMAP_BASE - P == vm.mmap(None, P).value
    assert page(5) == vm.mmap(page(5), P, fixed=False).value
    assert "EEXIST" == vm.mmap(page(5), P, noreplace=True).errno
    assert ("gd",) == vm.mmap(page(9), P, "r", growsdown=True).after.rows[1].flags
    assert ("nr",) == vm.mmap(page(20), P, noreserve=True).after.rows[2].flags


def test_an_outcome_keeps_both_sides() -> None:
    vm = Model("6.18")
    vm.mmap(page(0), 2 * P)
    first = vm.mremap(page(0), 2 * P, 2 * P, MOVE, page(9))
    vm.munmap(page(9), 2 * P)
    assert (["1000000000"], ["1000009000"]) == (
        [f"{row.start:x}" for row in first.before], [f"{row.start:x}" for row in first.after])  # fmt: skip
    assert first.frames[0].snapshot == first.before
    assert first.frames[-1].snapshot == first.after
    assert len(first.steps) + 1 == len(first.frames)
    assert [frame.index for frame in first.frames] == list(range(len(first.frames)))


def test_moves_are_read_off_the_steps() -> None:
    vm = Model("6.18")
    vm.mmap(page(0), 2 * P)
    vm.mmap(page(2), P, "r")
    vm.touch(page(0), P)
    assert (Move(at(0), at(2), at(9)), Move(at(2), at(3), at(11))) == vm.mremap(
        page(0), 3 * P, 3 * P, MOVE, page(9)
    ).moves
    assert (Move(at(9), at(11), at(0), True), Move(at(11), at(12), at(2), True)) == (
        vm.mremap(page(9), 3 * P, 3 * P, MOVE | 4, page(0)).moves
    )
    assert () == vm.mremap(page(0), P, P).moves
    # a duplicate moves nothing
    vm.mmap(page(20), P, kind="shared")
    assert () == vm.mremap(page(20), 0, P, MOVE, page(30)).moves


def test_a_copy_taken_back_is_no_move() -> None:
    vm = Model("6.18")
    for number, prot in enumerate(("rw", "r", "rwx")):
        vm.mmap(page(number), P, prot)
    vm.inject("move_page_tables", 3)
    outcome = vm.mremap(page(0), 3 * P, 3 * P, MOVE, page(9))
    assert ("ENOMEM", (Move(at(0), at(1), at(9)), Move(at(1), at(2), at(10)))) == (outcome.errno, outcome.moves)


# --- scenarios --------------------------------------------------------------------------------------------------


def test_a_scenario_runs_in_a_space_of_its_own() -> None:
    vm = Model("6.18")
    vm.mmap(page(0), P)
    scenario = Scenario("x", (Mmap(page(5), P), Touch(page(5), P), Munmap(page(9), 0)))
    played = vm.run(scenario)
    assert (scenario, "model:6.18", None, 3, 1) == (
        played.scenario, played.machine, played.error, len(played.outcomes), len(played.final))  # fmt: skip
    assert played.final == played.outcomes[-1].after
    assert 1 == len(vm.history)
    assert {0: 2000} == played.final.rows[0].contents()  # the step's number counts from 1


def test_unprivileged_is_what_the_scenario_says() -> None:
    steps = (Mmap(0, P),)
    assert None is Model("6.18").run(Scenario("x", steps)).outcomes[0].errno
    assert "EPERM" == Model("6.18").run(Scenario("x", steps, unprivileged=True)).outcomes[0].errno


def test_what_is_not_modelled_ends_the_scenario_with_a_sentence() -> None:
    played = Model("6.18").run(Scenario("x", (Mmap(page(0), P), Limit("stack", 1), Munmap(page(0), P))))
    assert (1, 0) == (len(played.outcomes), len(played.final))
    assert played.error is not None and "stack" in played.error


def test_elsewhere_is_shown_from_where_it_begins() -> None:
    # growth that moves out of the arena, beside another VMA there
    steps = (Mmap(page(0), 4 * P, kind="sharedfile", pgoff=2), Touch(page(0), 2 * P), Mremap(page(0), 2 * P, 6 * P, 1))
    scenario = Scenario("x", steps, arena_pages=64)
    outcome = Model("6.18").run(scenario).outcomes[-1]
    assert outcome.elsewhere is not None
    (row,) = outcome.elsewhere
    assert (0, 6 * P, 2, {0: 2000, 1: 2001}) == (row.start, row.end, row.pgoff, row.contents())
    # an address in the arena is nowhere else
    steps = (*steps[:1], Mremap(page(0), 4 * P, 4 * P, MOVE, page(9)))
    assert None is Model("6.18").run(Scenario("x", steps, arena_pages=64)).outcomes[-1].elsewhere
    outside = Scenario("x", (*steps[:1], Mremap(page(0), 4 * P, 4 * P, MOVE, page(64))), arena_pages=64)
    assert Model("6.18").run(outside).outcomes[-1].elsewhere is not None


def test_elsewhere_shows_the_range_alone() -> None:
    # the second mmap merges with the first: only its own page is shown, with its own offset
    steps = (
        Mmap(page(100), 4 * P, 1, "sharedfile", pgoff=5), Touch(page(90), P), Read(page(100), P),
        Mmap(page(104), 2 * P, 1, "sharedfile", pgoff=9),
    )  # fmt: skip
    outcome = Model("6.18").run(Scenario("x", steps, arena_pages=50)).outcomes[-1]
    assert outcome.elsewhere is not None
    assert [(0, 2 * P, 9, {})] == [(row.start, row.end, row.pgoff, row.contents()) for row in outcome.elsewhere]


def test_without_steps_the_answers_are_the_same() -> None:
    scenario = Scenario(
        "x", (Mmap(page(0), 2 * P), Touch(page(0), P), Mremap(page(0), P, P, MOVE, page(9)), Munmap(0, 1))
    )
    told, silent = Model("6.18").run(scenario), Model("6.18", trace=False).run(scenario)
    assert [(o.value, o.errno, o.after) for o in told.outcomes] == [
        (o.value, o.errno, o.after) for o in silent.outcomes
    ]
    assert [[]] * 4 == [list(outcome.steps) for outcome in silent.outcomes]


# --- rows -------------------------------------------------------------------------------------------------------


def test_a_snapshot_shows_what_a_user_sees() -> None:
    vm = Little("6.18", "map 0-2 sharedfile @3; touch 0 5; map 2-4; touch 2-4 6; map 4-6; advise 4 guard_install").model
    file, written, _ = Little("6.18", "map 0-2 sharedfile @3; touch 0 5; map 2-3; touch 2 6; map 4-6").model.snapshot()
    assert ("f0", 3, 3, None, (), ("sh",)) == (
        file.backing, file.pgoff, file.vm_pgoff, file.anon_vma, file.chain, file.flags)  # fmt: skip
    assert (None, None, at(2) // P, 1, (1,), ("ac",)) == (
        written.backing, written.pgoff, written.vm_pgoff, written.anon_vma, written.chain, written.flags)  # fmt: skip
    assert (Run(at(0) // P, at(0) // P + 1, "file", 5000, 1),) == file.runs
    # a guard is no page, and gu is not among the codes that are shown
    merged = vm.snapshot().at(at(4))
    assert merged is not None
    assert ({0: 6000, 1: 6001}, ("ac",)) == (merged.contents(), merged.flags)


def test_a_capture_is_as_it_was() -> None:
    vm = Little("6.18", "map 0-2; touch 0-2 5; map 4-6 sharedfile; touch 4 6")
    shown, later = Capture.of(vm.mm).snapshot, Capture.of(vm.mm)
    vm("touch 4 9; unmap 0-1; map 4-6 r")
    assert shown == later.snapshot
    assert {0: 5000, 1: 5001} == shown.rows[0].contents()
    assert {0: 6000} == shown.rows[1].contents()


@pytest.mark.parametrize("seed", range(20))
def test_rows_that_are_used_again_are_as_if_made_anew(seed: int) -> None:
    vm = Model("6.18")
    for call in random_scenario(f"rows {seed}").steps:
        before, now = Capture.of(vm.mm).snapshot, vm.snapshot()
        outcome = vm.do(call)
        assert before == now == outcome.before
        assert Capture.of(vm.mm).snapshot == outcome.after == vm.snapshot()


# --- injected failures ------------------------------------------------------------------------------------------

# One program for each place: its last step needs that memory.
PLACES = {
    "vm_area_dup": "map 0-4; unmap 1-2",
    "copy_vma": "map 0-4; move 0-4 to 9",
    "move_page_tables": "map 0-4; move 0-4 to 9",
    "anon_vma_prepare": "map 0-4; touch 1",
    "mmap_region": "map 0-4",
    "do_brk_flags": "brk 2050",
    "mprotect_fixup": "map 0-4 r; protect 0-4 rw",
    "vrm_calc_charge": "map 0-4; resize 0-4 to 9",
    "acct_stack_growth": "map 4-6 growsdown; touch 3",
}
ENDS_WITH = {"acct_stack_growth": "SEGV"}


@pytest.mark.parametrize("release", SPREAD)
@pytest.mark.parametrize("where", [*PLACES, ANYWHERE])
def test_every_place_can_be_short_of_memory(release: str, where: str) -> None:
    steps, _, last = PLACES.get(where, PLACES["copy_vma"]).rpartition(";")
    vm = Little(release, steps)
    vm.model.inject(where)
    errno = ENDS_WITH.get(where, "ENOMEM")
    assert errno == vm.errno(last)
    assert None is vm.errno("map 500-501 r")  # once
    vm.model.inject(where, lasting=True)
    assert [errno, errno] == [vm.errno(last), vm.errno(last)]


def test_the_table_of_places_is_whole() -> None:
    assert set(ALLOCATIONS) == set(PLACES)


def test_the_step_names_the_place() -> None:
    vm = Little("6.18", "map 0-4")
    vm.model.inject(ANYWHERE, 2)
    outcome = vm("unmap 1-2 !ENOMEM")
    assert outcome is not None and outcome.rule is not None
    assert ("vm_area_dup", "injected_failure") == (outcome.rule.func, outcome.rule.key)


@pytest.mark.parametrize("nth", range(1, 9))
def test_memory_is_short_from_the_nth_allocation_on(nth: int) -> None:
    # a move of four VMAs, wherever it stops: nothing is lost, and the call can be made again
    program = "map 0-1; map 1-2 r; map 2-3; map 3-4 r; touch 0 5; touch 2 6"
    vm = Little("6.18", program)
    vm.model.inject(ANYWHERE, nth, lasting=True)
    assert "ENOMEM" == vm.errno("move 0-4 to 50")
    assert (4, [5000, 6000]) == (vm.mm.total_vm, sorted(vm.contents().values()))
    assert "ENOMEM" == vm.errno("map 100-101")
    moved = sum(row.start >= at(50) for row in vm.model.snapshot())
    assert (nth - 1) // 2 == moved  # a record and page tables for each
    vm.mm.faults_to_inject.clear()
    vm(f"move {moved}-4 to {50 + moved}")
    assert {50: 5000, 52: 6000} == vm.contents()


def test_a_child_is_short_of_memory_too() -> None:
    vm = Little("6.18", "map 0-4")
    vm.model.inject("anon_vma_prepare", lasting=True)
    vm("child; touch 0 !ENOMEM; touch 0 !ENOMEM")


def test_undo_keeps_failures_in_their_place() -> None:
    vm = Little("6.18", "map 0-4")
    vm.model.inject("copy_vma")
    vm("move 0-4 to 9 !ENOMEM; move 0-4 to 20; unmap 20-21")
    vm.model.undo()
    assert "[20-24]" == vm.layout
    vm.model.undo()
    vm.model.undo()
    assert "[0-4]" == vm.layout
    vm("move 0-4 to 9 !ENOMEM")  # it is there again
    vm.model.reset()
    vm("map 0-4; move 0-4 to 9")


@pytest.mark.parametrize(("where", "nth"), [("kmalloc", 1), ("", 1), ("copy_vma", 0), ("copy_vma", -1)])
def test_places_and_counts_that_do_not_exist(where: str, nth: int) -> None:
    with pytest.raises((UsageError, NotModelled), match=r"where is one of vm_area_dup, .*|nth counts from 1"):
        Model("6.18").inject(where, nth)
