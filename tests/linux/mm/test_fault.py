"""Faults: what a write or a read brings in, and which anon_vma the first write assigns (semantics 8.1 to 8.5)."""

from __future__ import annotations

import pytest

from tests.tiny_language import SPREAD, Little, at
from vmalab.errors import UsageError
from vmalab.linux.addr import PAGE
from vmalab.linux.mm.runs import Run
from vmalab.machines.model import Model

every_release = pytest.mark.parametrize("release", SPREAD)


def values(vm: Little, step: str) -> tuple[int | None, ...]:
    outcome = vm(step)
    assert outcome is not None and outcome.values is not None
    return outcome.values


# --- writing ----------------------------------------------------------------------------------------------------


@every_release
def test_a_write_is_read_back(release: str) -> None:
    vm = Little(release, "map 0-4; touch 1-3 7")
    assert {1: 7000, 2: 7001} == vm.contents()
    assert (0, 7000, 7001, 0) == values(vm, "read 0-4")
    assert {0: 0, 1: 7000, 2: 7001, 3: 0} == vm.contents()  # reading brought the zero page in
    vm("touch 2-4 8")
    assert (0, 7000, 8000, 8001) == values(vm, "read 0-4")


@every_release
def test_a_touch_counts_over_vmas(release: str) -> None:
    vm = Little(release, "map 0-2; map 2-4 shared; map 4-6 file; touch 0-6 3")
    assert {n: 3000 + n for n in range(6)} == vm.contents()


@every_release
def test_writing_past_the_end_of_a_file(release: str) -> None:
    # 4096 pages in all: the third page is SIGBUS, those before it are written
    vm = Little(release, "map 0-4 sharedfile @4094; touch 0-4 3 !BUS")
    assert {0: 3000, 1: 3001} == vm.contents()
    vm("touch 2 !BUS")
    assert (None, None) == values(vm, "read 2-4 !BUS")


# --- shared memory and the page cache ---------------------------------------------------------------------------


@every_release
def test_shared_mappings_of_one_file_see_each_other(release: str) -> None:
    vm = Little(release, "map 0-2 sharedfile @4; map 10-14 sharedfile @2; touch 1 7")
    assert (0, 0, 0, 7000) == values(vm, "read 10-14")
    vm("touch 12 8")
    assert (8000, 7000) == values(vm, "read 0-2")


@every_release
def test_private_copies_hide_the_file(release: str) -> None:
    vm = Little(release, "map 0-2 file; map 10-12 sharedfile; touch 10-12 7")
    assert (7000, 7001) == values(vm, "read 0-2")
    vm("touch 0 5; touch 10-12 8")
    assert (5000, 8001) == values(vm, "read 0-2")
    assert (8000, 8001) == values(vm, "read 10-12")


@every_release
def test_an_alias_is_part_of_what_a_write_changed(release: str) -> None:
    # both mappings have the page; the step of the write must show both
    vm = Little(
        release, "map 0-2 sharedfile; map 10-12 sharedfile; map 20-22 file; read 0-2; read 10-12; read 20-22; touch 0 9"
    )
    assert {0: 9000, 1: 0, 10: 9000, 11: 0, 20: 9000, 21: 0} == vm.contents()


# --- reading ----------------------------------------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("program", "step", "expected"),
    [
        ("map 0-2", "read 0-2", (0, 0)),
        ("map 0-2 none", "read 0-2 !SEGV", (None, None)),
        ("map 0-1; map 2-3", "read 0-3 !SEGV", (0, None, 0)),
        ("map 0-2; uffd 0-1", "read 0-2 !UFFD", (None, 0)),
        ("map 0-2 file @4095", "read 0-2 !BUS", (0, None)),
        ("map 0-2 file @4095; map 3-4", "read 0-4 !BUS", (0, None, None, 0)),  # the first failure names it
        ("map 0-2 zero @9000", "read 0-2", (0, 0)),  # no file has an end that is /dev/zero
        ("map 0-2 x", "read 0-2 !SEGV", (None, None)),
    ],
)
def test_reading(release: str, program: str, step: str, expected: tuple[int | None, ...]) -> None:
    assert expected == values(Little(release, program), step)


@every_release
def test_a_registered_page_that_is_there_is_read(release: str) -> None:
    assert (5000, None) == values(Little(release, "map 0-2; touch 0 5; uffd 0-2"), "read 0-2 !UFFD")
    # a page of a memfd that is in the page cache is not missing
    program = "map 0-2 sharedfile; map 10-12 sharedfile; touch 10 5; uffd 0-2"
    assert (5000, None) == values(Little(release, program), "read 0-2 !UFFD")


@every_release
def test_a_read_fault_maps_the_neighbours_that_are_cached(release: str) -> None:
    # up to 16 pages around, aligned, inside the VMA, and only what the page cache has
    vm = Little(release, "map 100-140 sharedfile; touch 100-120 3; map 0-40 file; read 2")
    assert set(range(16)) == {page for page in vm.contents() if page < 100}
    vm = Little(release, "map 100-140 sharedfile; touch 103-105 3; map 0-40 file; read 2")
    assert {2: 0, 3: 3000, 4: 3001} == {page: value for page, value in vm.contents().items() if page < 100}
    vm = Little(release, "map 100-140 sharedfile; touch 100-140 3; map 3-6 file; read 4")
    assert {3, 4, 5} == {page for page in vm.contents() if page < 100}
    # the end of the file ends it, too
    vm = Little(release, "map 100-102 sharedfile @4094; touch 100-102 3; map 0-8 file @4094; read 0")
    assert {0: 3000, 1: 3001} == {page: value for page, value in vm.contents().items() if page < 100}


@every_release
def test_reading_assigns_no_anon_vma(release: str) -> None:
    vm = Little(release, "map 0-2; map 2-4 file; read 0-4; lock 0-2; unlock 0-2")
    assert vm.row(2).anon_vma is None
    assert vm.row(0).anon_vma is not None  # mlock writes to writable memory, which was only read before


@every_release
def test_the_zero_page_is_replaced_by_a_write(release: str) -> None:
    vm = Little(release, "map 0-4; read 0-4")
    assert ["zero"] == [run.kind for run in vm.mm.pagetable]
    vm("touch 1 5")
    assert ["zero", "anon", "zero"] == [run.kind for run in vm.mm.pagetable]


# --- which anon_vma: semantics 8.4, 8.5 -------------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("program", "shares"),
    [
        ("map 0-2; map 2-4 rwx", [0]),  # AAbb: flags differ only in rwx
        ("map 2-4 rwx; map 4-6", [4]),
        ("map 0-2; map 2-4 rwx; map 4-6", [4]),  # both fit: the next one is asked first
        ("map 0-2; map 2-4 rwx; map 4-6 noreserve", [0]),
        ("map 0-1; map 2-4 rwx; map 5-6", []),  # apart
        ("map 0-2 noreserve; map 2-4", []),  # other flags
        ("map 0-2; advise 0-2 dontfork; map 2-4", []),
        ("map 0-2 file; map 2-4 file @9", []),  # the offsets do not continue
        ("map 0-2 file; map 2-4 rwx file @2", [0]),
        ("map 0-2 file; map 2-4 file f1 @2", []),
        ("map 0-2 shared; map 2-4", []),  # has none
    ],
)
def test_the_first_write_may_share_a_neighbours_anon_vma(release: str, program: str, shares: list[int]) -> None:
    vm = Little(release, program)
    others = [page for page in (0, 4) if f"map {page}-" in program]
    for page in others:
        vm(f"touch {page}")
    vm("touch 2")
    assert shares == [page for page in others if vm.row(page).anon_vma == vm.row(2).anon_vma]


@every_release
def test_an_inherited_neighbour_is_not_shared(release: str) -> None:
    # its chain is longer than one
    vm = Little(release, "map 0-2; touch 0; child; map 2-4 rwx; touch 2")
    assert vm.row(0).anon_vma != vm.row(2).anon_vma
    assert ((1, 2), (3,)) == (vm.row(0).chain, vm.row(2).chain)


@every_release
def test_pieces_split_before_the_first_write_can_join_later(release: str) -> None:
    vm = Little(release, "map 0-4; protect 0-2 rwx; touch 0; touch 2; protect 0-2 rw")
    assert "[0-4]" == vm.layout
    # written while apart they can not, even when the hole is filled
    vm = Little(release, "map 0-2; touch 0; map 4-6; touch 4; map 2-4 rwx; touch 2; protect 2-4 rw")
    assert "[0-2][2-6]" == vm.layout


@every_release
@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("map 0-2; touch 0", True),
        ("map 0-2; read 0-2", False),
        ("map 0-2; lock 0-2", True),
        ("map 0-2 r; lock 0-2", False),
        ("map 0-2 file; touch 0", True),  # copy on write
        ("map 0-2 file; read 0", False),
        ("map 0-2 shared; touch 0", False),
        ("map 0-2 sharedfile; touch 0", False),
        ("map 0-2 zero; touch 0", True),
        ("map 0-2; touch 0-2; advise 0-2 dontneed", True),
        ("map 0-2; lock 0-2; unlock 0-2; protect 0-2 none", True),
        ("map 0-2; lock 0-2; resize 0-2 to 4", True),
    ],
)
def test_what_assigns_an_anon_vma(release: str, program: str, expected: bool) -> None:
    assert expected == (Little(release, program).row(0).anon_vma is not None)


@every_release
def test_no_memory_for_an_anon_vma(release: str) -> None:
    vm = Little(release, "map 0-2; map 2-4 rx")
    vm.mm.faults_to_inject["anon_vma_prepare"] = 1
    vm("touch 0 !ENOMEM")
    assert ({}, None) == (vm.contents(), vm.row(0).anon_vma)


# --- the cost follows the runs ----------------------------------------------------------------------------------


def test_a_terabyte_costs_a_few_runs() -> None:
    # 2**28 pages: written, moved, cut, locked read-only, kept, forked; counted in runs, not in time
    vm = Little("6.18", "map 0-268435456; touch 0-268435456 1")
    assert 1 == len(vm.mm.pagetable)
    vm("move 0-268435456 to 300000000")
    assert 1 == len(vm.mm.pagetable)
    vm("advise 300001000-300002000 dontneed; protect 300100000-300200000 r; keep 300000000-300100000 to 0")
    assert (3, 4) == (len(vm.mm.pagetable), vm.mm.map_count)
    vm("child; touch 100-200 5; fork")
    assert 5 == len(vm.mm.pagetable)
    vm("map 600000000-868435456 r; lock 600000000-868435456 !ENOMEM")  # RLIMIT_MEMLOCK
    vm.mm.limits.memlock = 1 << 40
    vm("lock 600000000-868435456")
    assert Run(0x1000000 + 600000000, 0x1000000 + 868435456, "zero") in list(vm.mm.pagetable)
    assert 6 == len(vm.mm.pagetable)
    told = [step for outcome in [vm("unmap 0-900000000")] if outcome for step in outcome.steps]
    assert ([], 0) == (list(vm.mm.pagetable), vm.mm.total_vm)
    assert len(told) < 10


def test_a_large_shared_mapping_costs_a_few_runs() -> None:
    vm = Little(
        "6.18", "map 0-268435456 shared; touch 0-268435456 1; move 0-268435456 to 300000000; copy 300000000 to 0-1000"
    )
    (_, backing) = vm.mm.vmas()
    assert backing.file is not None
    assert (1, 1) == (len(vm.mm.pagetable), len(backing.file.cache))
    assert (1999,) == values(vm, "read 999")


def test_a_read_maps_sixteen_pages_from_the_start_of_the_vma_where_that_is_nearer() -> None:
    # the window of fault-around is 16 pages from max(aligned page, vm_start): found by fuzzing against 6.18.44
    vm = Little("6.18", "map 0-40 sharedfile; touch 0-40; map 1028-1068 sharedfile; read 1031")
    (run,) = [run for run in vm.mm.pagetable if run.start >= at(1028) >> 12]
    assert (1028, 1044) == (run.start - (at(0) >> 12), run.end - (at(0) >> 12))


# --- odd lengths ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, 1, 2, 8, 40])
@pytest.mark.parametrize("call", ["touch", "read", "mlock", "munlock", "madvise", "mprotect", "mseal"])
def test_no_bytes_change_nothing(call: str, first: int) -> None:
    model = Model("6.18")
    model.mmap(at(0), 8 * PAGE)
    model.touch(at(2), PAGE)
    arguments = {"madvise": ("dontneed",), "mprotect": ("r",)}.get(call, ())
    outcome = getattr(model, call)(at(first), 0, *arguments)
    model.mm.validate()
    assert (None, outcome.before) == (outcome.errno, outcome.after)
    assert (() if call == "read" else None) == outcome.values


def test_terabytes_are_written_in_one_run_and_read_in_parts() -> None:
    model = Model("6.18")
    model.mmap(at(0), PAGE << 32)
    model.touch(at(0), PAGE << 32)
    assert 1 == len(model.mm.pagetable)
    with pytest.raises(UsageError, match=r"at most 65,536 pages; this one is of 4,294,967,296"):
        model.read(at(0), PAGE << 32)
    assert (2000, 2001) == model.read(at(0), 2 * PAGE).values
