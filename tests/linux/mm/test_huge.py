"""Huge pages: what brings one, what a write does to one, what splits one, what keeps it away (mm/huge_memory.c).

What is present was recorded on kernels from 6.1 to 7.3 with transparent_hugepage=madvise; what PMD entries map was
looked up as AnonHugePages in smaps, on 6.18.44.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tiny_language import MAYMOVE, SPREAD, Little, at, before, since
from vmalab.linux.addr import PAGE, PAGE_SHIFT, PMD_SIZE, PUD_SIZE
from vmalab.linux.arch import X86_64
from vmalab.linux.call import Mmap
from vmalab.linux.flags import VM_HUGEPAGE
from vmalab.linux.mm.huge import down, fillable, up
from vmalab.linux.mm.runs import Run
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.profile import profile

every_release = pytest.mark.parametrize("release", SPREAD)

TWO_MIB = "map 0-512; advise 0-512 hugepage"
FOUR_MIB = "map 0-1024; advise 0-1024 hugepage"


def runs(vm: Little, mm: AddressSpace | None = None) -> list[tuple[int, int, str, str]]:
    """(first page, end, kind, how PMD entries map it) of all that is present, in pages of the arena."""
    base = at(0) >> PAGE_SHIFT
    joined: list[tuple[int, int, str, str]] = []
    for run in (mm or vm.mm).pagetable:
        first, last = run.start - base, run.end - base
        if joined and joined[-1][1] == first and joined[-1][2:] == (run.kind, run.huge):
            first = joined.pop()[0]
        joined.append((first, last, run.kind, run.huge))
    return joined


def keys(vm: Little) -> list[str]:
    return [step.key for step in vm.mm.steps]


# --- what brings one --------------------------------------------------------------------------------------------


@every_release
def test_a_write_brings_2_mib(release: str) -> None:
    vm = Little(release, f"{TWO_MIB}; touch 137 3")
    assert [(0, 512, "anon", "own")] == runs(vm)
    assert {number: 3000 if number == 137 else 0 for number in range(512)} == vm.contents()
    assert ["anon_vma_new", "fault_huge"] == keys(vm)


@every_release
def test_a_read_brings_the_huge_page_of_zeros_and_an_anon_vma(release: str) -> None:
    vm = Little(release, f"{TWO_MIB}; read 137")
    assert [(0, 512, "zero", "own")] == runs(vm)
    assert vm.row(0).anon_vma is not None
    assert ["anon_vma_new", "fault_huge_zero"] == keys(vm)
    assert 0 == vm.row(0).anon_huge_pages  # AnonHugePages does not count it


@every_release
@pytest.mark.parametrize(
    ("program", "present"),
    [
        ("map 0-512; touch 5", 1),  # nobody asked
        ("map 0-512; advise 0-512 hugepage; advise 0-512 nohugepage; touch 5", 1),
        ("map 1-513; advise 1-513 hugepage; touch 5", 1),  # no 2 MiB between two boundaries
        ("map 1-1024; advise 1-1024 hugepage; touch 5", 1),  # its 2 MiB begin before the VMA
        ("map 1-1024; advise 1-1024 hugepage; touch 512", 512),
        ("map 0-511; advise 0-511 hugepage; touch 5", 1),
        ("map 0-512 shared; advise 0-512 hugepage; touch 5", 1),  # shmem_enabled is never
        ("map 0-512 file; advise 0-512 hugepage; touch 5", 1),
        ("map 0-512 zero; advise 0-512 hugepage; touch 5", 512),
        ("map 0-512; touch 5; advise 0-512 hugepage; touch 6", 2),  # there is a page of PTEs
        ("map 0-512; touch 5; unmap 0-512; map 0-512; advise 0-512 hugepage; touch 6", 512),  # it went
        ("map 0-512; touch 5; unmap 0-300; map 0-300; advise 0-512 hugepage; touch 6", 1),  # it stayed for the rest
        ("map 0-512; touch 5; advise 0-512 hugepage; advise 5 dontneed; touch 6", 1),
        ("map 0-512; touch 5; keep 0-512 to 1024; advise 0-512 hugepage; touch 6", 513),  # it moved whole
        ("map 0-512; touch 5; keep 0-512 to 1025; advise 0-512 hugepage; touch 6", 2),  # its PTE moved
        ("map 0-513; advise 0-513 hugepage; lock 0-513", 513),
        ("map 0-512 r; advise 0-512 hugepage; lock 0-512", 512),
    ],
)
def test_where_it_comes(release: str, program: str, present: int) -> None:
    assert present == len(Little(release, program).contents())


@pytest.mark.parametrize(("setting", "huge"), [("always", True), ("madvise", False), ("never", False)])
def test_the_setting_of_the_machine(setting: str, huge: bool) -> None:
    vm = Little("6.18", "map 0-512")
    vm.mm.limits.transparent_hugepage = setting
    vm("touch 5")
    assert huge is (len(vm.contents()) == 512)
    assert huge is vm.row(0).thp_eligible(setting)


def test_never_is_stronger_than_madvise() -> None:
    vm = Little("6.18", TWO_MIB)
    vm.mm.limits.transparent_hugepage = "never"
    vm("touch 5")
    assert [5] == list(vm.contents())


@pytest.mark.parametrize(
    ("program", "eligible"),
    [
        (TWO_MIB, True),
        ("map 0-512", False),
        ("map 1-513; advise 1-513 hugepage", False),
        ("map 1-1024; advise 1-1024 hugepage", True),
        ("map 0-512 shared; advise 0-512 hugepage", False),
        (f"{TWO_MIB}; touch 5; advise 0-512 nohugepage", False),
    ],
)
def test_thp_eligible(program: str, eligible: bool) -> None:
    (row,) = Little("6.18", program).model.snapshot()
    assert eligible is row.thp_eligible()


@every_release
def test_one_store_over_many(release: str) -> None:
    # pages 512 to 1535 hold two times 2 MiB; the rest of the VMA gets single pages
    vm = Little(release, "map 500-1600; advise 500-1600 hugepage; touch 505-1560 2")
    assert [(505, 512, "anon", ""), (512, 1536, "anon", "own"), (1536, 1560, "anon", "")] == runs(vm)
    assert {number: 2000 + number - 505 for number in range(505, 1560)} == vm.contents()


def test_a_tebibyte_of_huge_pages_is_one_run_and_the_word_written() -> None:
    pages = 1 << 28
    vm = Little("6.18", f"map 0-{pages}; advise 0-{pages} hugepage; touch 0-{pages} 1; keep 0-{pages} to {pages}")
    assert 1 == len(vm.mm.pagetable)
    step = next(step for step in vm.mm.steps if step.key == "pages_moved")
    assert (0, 0, pages * 4096 // PUD_SIZE) == (step.values["pte"], step.values["pmd"], step.values["pud"])
    vm("touch 5 7")
    assert 4 == len(vm.mm.pagetable)  # zeros, the word, zeros, and what moved


@every_release
def test_userfaultfd_is_asked_first(release: str) -> None:
    vm = Little(release, f"{TWO_MIB}; uffd 0-512; read 5 !UFFD")
    assert {} == vm.contents()
    assert vm.row(0).anon_vma is not None  # which comes before the question


@every_release
def test_a_fault_that_userfaultfd_holds_has_made_a_page_of_ptes(release: str) -> None:
    # the move drops the registration, and takes the page of PTEs along
    vm = Little(
        release, "map 0-512; uffd 0-512; read 5 !UFFD; move 0-512 to 1024; advise 1024-1536 hugepage; read 1030"
    )
    assert [1030] == list(vm.contents())


# --- what a write does to one -----------------------------------------------------------------------------------


@pytest.mark.parametrize("release", since("6.16"))
def test_a_write_to_the_page_of_zeros_brings_a_huge_page(release: str) -> None:
    vm = Little(release, f"{TWO_MIB}; read 5; touch 6")
    assert [(0, 512, "anon", "own")] == runs(vm)
    assert ["fault_huge_wp"] == keys(vm)


@pytest.mark.parametrize("release", before("6.16"))
def test_a_write_to_the_page_of_zeros_split_it(release: str) -> None:
    vm = Little(release, f"{TWO_MIB}; read 5; touch 6")
    assert [(0, 6, "zero", ""), (6, 7, "anon", ""), (7, 512, "zero", "")] == runs(vm)
    assert 512 == len(vm.contents())


@every_release
def test_the_second_write_needs_no_fault(release: str) -> None:
    vm = Little(release, f"{TWO_MIB}; touch 5; touch 6-8 9")
    assert ["stored"] == keys(vm)
    assert (9000, 9001) == (vm.contents()[6], vm.contents()[7])
    assert [(0, 512, "anon", "own")] == runs(vm)


@every_release
def test_after_a_fork_the_first_write_splits(release: str) -> None:
    vm = Little(release, f"{FOUR_MIB}; touch 5; touch 600; fork")
    assert [(0, 1024, "anon", "shared")] == runs(vm)
    vm("touch 7")
    assert [(0, 512, "anon", ""), (512, 1024, "anon", "shared")] == runs(vm)
    assert "huge_split" in keys(vm)


@every_release
def test_a_child_has_them_too(release: str) -> None:
    vm = Little(release, f"{FOUR_MIB}; touch 5 7; child")
    assert [(0, 512, "anon", "shared")] == runs(vm)
    vm("touch 600; touch 6")  # new ones are its own
    assert [(0, 512, "anon", ""), (512, 1024, "anon", "own")] == runs(vm)


@every_release
def test_wiped_and_left_out_areas_stay_the_parents_own(release: str) -> None:
    vm = Little(release, f"{FOUR_MIB}; touch 5; touch 600; advise 0-512 wipeonfork; advise 512-1024 dontfork; fork")
    assert [(0, 1024, "anon", "own")] == runs(vm)


@every_release
def test_a_child_gets_the_tables_that_are_empty(release: str) -> None:
    vm = Little(release, "map 0-512; touch 5; advise 0-512 hugepage; advise 5 dontneed; child; touch 6")
    assert [6] == list(vm.contents())


# --- what splits one, and what does not -------------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("protect 5-7 r", "edge"),
        ("advise 5-7 nohugepage", "edge"),
        ("unmap 500-512", "edge"),
        ("resize 0-512 to 300", "edge"),
        ("lock 0-1", "edge"),
        ("uffd 0-1", "edge"),
        ("map 100-101 r", "edge"),
        ("advise 5 dontneed", "drop"),
        ("move 5-7 to 1024", "move"),
        ("keep 0-511 to 1024", "move"),
        ("move 0-512 to 1025", "move"),
    ],
)
def test_what_splits(release: str, program: str, why: str) -> None:
    vm = Little(release, f"{TWO_MIB}; touch 5; {program}")
    assert [why] == [step.values["why"] for step in vm.mm.steps if step.key == "huge_split"]
    assert not any(run.huge for run in vm.mm.pagetable)
    assert 0 == sum(row.anon_huge_pages for row in vm.model.snapshot())


@every_release
@pytest.mark.parametrize(
    "program",
    [
        "protect 5-7 rw",  # which it has
        "protect 0-512 r",
        "advise 0-512 nohugepage",
        "advise 0-512 dontfork",
        "lock 0-512",
        "uffd 0-512",
        "move 0-512 to 1024",
        "keep 0-512 to 1024",
        "resize 0-512 to 600",
    ],
)
def test_what_keeps_it(release: str, program: str) -> None:
    vm = Little(release, f"{TWO_MIB}; touch 5 7; {program}")
    assert {("anon", "own")} == {(run.kind, run.huge) for run in vm.mm.pagetable}
    assert 512 == sum(row.anon_huge_pages for row in vm.model.snapshot())


@pytest.mark.parametrize("release", since("6.16"))
def test_guards_split_it(release: str) -> None:
    vm = Little(release, f"{TWO_MIB}; touch 5; advise 100-102 guard_install; advise 100-102 guard_remove")
    assert [(0, 100, "anon", ""), (102, 512, "anon", "")] == runs(vm)


@every_release
def test_a_merge_that_moves_an_edge_splits(release: str) -> None:
    # the first 5 pages join the neighbour before them: the edge between the two moves into the 2 MiB
    vm = Little(release, f"{FOUR_MIB}; touch 5; touch 600; protect 0-512 r; protect 512-517 r")
    assert "[0-517][517-1024]" == vm.layout
    assert [(0, 512, "anon", "own"), (512, 1024, "anon", "")] == runs(vm)


@every_release
def test_dropping_all_of_it_and_writing_again(release: str) -> None:
    vm = Little(release, f"{TWO_MIB}; touch 5 7; advise 0-512 dontneed")
    assert {} == vm.contents()
    vm("touch 6")
    assert [(0, 512, "anon", "own")] == runs(vm)


@every_release
def test_dropping_a_part_leaves_the_rest(release: str) -> None:
    vm = Little(release, f"{TWO_MIB}; touch 5; advise 100-612 dontneed !ENOMEM")
    assert [(0, 100, "anon", "")] == runs(vm)


# --- moving -----------------------------------------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("program", "counts"),
    [
        ("move 0-1024 to 2048", (0, 2, 2)),
        ("move 0-1024 to 2049", (1024, 0, 0)),
        ("move 0-1000 to 2048", (488, 1, 1)),
        ("keep 512-1024 to 2048", (0, 1, 1)),
    ],
)
def test_the_entries_that_a_move_touches(release: str, program: str, counts: tuple[int, int, int]) -> None:
    vm = Little(release, f"{FOUR_MIB}; touch 5; touch 600; {program}")
    moved = next(step.values for step in vm.mm.steps if step.key == "pages_moved")
    huge = [step.values["count"] for step in vm.mm.steps if step.key == "huge_moved"]
    assert counts == (moved["pte"], moved["pmd"], sum(huge))


@every_release
def test_contents_go_along(release: str) -> None:
    for target in (2048, 2049):
        vm = Little(release, f"{TWO_MIB}; touch 5 7; move 0-512 to {target}")
        assert {target + number: 7000 if number == 5 else 0 for number in range(512)} == vm.contents()


@every_release
def test_a_move_brings_page_tables_for_what_is_not_present(release: str) -> None:
    # page 1903 moves, and the part of its 2 MiB that goes to other 2 MiB gets a page of PTEs there too
    vm = Little(release, "map 1030-2054; touch 1903; advise 1030-2054 hugepage; move 1350-2054 to 4096; touch 4097 1")
    assert {4097: 1000, 4649: 2000} == vm.contents()


# --- random programs: each step is validated and replayed by `Little` ---------------------------------------------

pages = st.one_of(st.integers(0, 2048), st.sampled_from([0, 1, 511, 512, 513, 1024, 1535, 1536, 2047]))
lengths = st.sampled_from([1, 2, 17, 300, 511, 512, 513, 1024, 2048])
targets = st.sampled_from([0, 512, 4096, 4097, 4608, 5000])


@st.composite
def steps(draw: st.DrawFn) -> str:
    start, length = draw(pages), draw(lengths)
    span = f"{start}-{start + length}"
    return draw(
        st.sampled_from([
            f"touch {start}", f"touch {span}", f"read {start}", f"advise {span} dontneed", f"advise {span} dontfork",
            f"advise {span} guard_install", f"advise {span} guard_remove", f"protect {span} r", f"protect {span} rw",
            f"unmap {span}", f"map {span}", f"lock {span}", f"unlock {span}", "fork", "child",
            f"move {span} to {draw(targets)}", f"move {span} to {draw(targets) + draw(pages)}",
            f"keep {span} to {draw(targets)}", f"move {span} to {start % 512 + 4096}",
        ])
    )  # fmt: skip


@given(st.sampled_from(["6.18.44", "7.3"]), st.lists(steps(), min_size=3, max_size=12))
def test_huge_pages_change_nothing_that_a_program_reads(release: str, program: list[str]) -> None:
    written = []
    for advice in ("hugepage", "nohugepage"):
        vm = Little(release, f"map 0-2048; advise 0-2048 {advice}")
        errnos = [vm.errno(step) for step in program]
        written.append((errnos, {number: value for number, value in vm.contents().items() if value}))
    assert written[0] == written[1]


# --- the functions ----------------------------------------------------------------------------------------------


def test_boundaries() -> None:
    mm, whole = AddressSpace(profile("6.18")), X86_64.huge
    assert (0, 0, whole) == (down(mm, 0), down(mm, whole - 1), down(mm, whole))
    assert (0, whole, whole) == (up(mm, 0), up(mm, 1), up(mm, whole))


def test_fillable_goes_around_what_has_a_page_table() -> None:
    vm = Little("6.18", "map 0-4096")
    vm("touch 1030; advise 0-4096 hugepage")
    base = at(0) >> PAGE_SHIFT
    (vma,) = vm.mm.vmas()
    assert vma.flags & VM_HUGEPAGE
    found = fillable(vm.mm, vma, base + 5, base + 4000)
    assert [(0, 1024), (1536, 4096)] == [(low - base, high - base) for low, high in found]
    vm.mm.empty_tables.put(Run(base + 2048, base + 2560, "table"))
    found = fillable(vm.mm, vma, base + 1024, base + 4000)
    assert [(1536, 2048), (2560, 4096)] == [(low - base, high - base) for low, high in found]


# --- places that the kernel chooses -----------------------------------------------------------------------------


def placed(release: str, pages: int, kind: str, pgoff: int = 0, hint: int | None = None) -> int:
    """Where `pages` pages go, in pages after a 2 MiB boundary; a page lies above, so that nothing fits by chance."""
    vm = Little(release)
    vm.do(Mmap(None, PAGE, fixed=False))
    value = vm.do(Mmap(hint, pages * PAGE, kind=kind, pgoff=pgoff, file="f0", fixed=False)).value
    assert value is not None
    return value % PMD_SIZE // PAGE


@pytest.mark.parametrize("release", since("6.12"))
def test_anonymous_memory_of_whole_huge_pages_is_aligned(release: str) -> None:
    assert (0, 0) == (placed(release, 512, "anon"), placed(release, 1536, "anon"))
    assert 0 not in (placed(release, 513, "anon"), placed(release, 511, "anon"))
    assert 0 not in (placed(release, 512, "shared"), placed(release, 512, "file"))


def test_from_6_7_to_6_11_any_length_of_a_huge_page_or_more_was_aligned() -> None:
    assert (0, 0) == (placed("6.8", 512, "anon"), placed("6.8", 513, "anon"))
    assert 0 not in (placed("6.8", 511, "anon"), placed("6.6", 512, "anon"))


@pytest.mark.parametrize("release", since("6.18.15"))
def test_dev_zero_lies_as_its_offset_does(release: str) -> None:
    assert (0, 0, 0) == tuple(placed(release, pages, "zero") for pages in (512, 513, 1023))
    assert (1, 511) == (placed(release, 1023, "zero", 1), placed(release, 1023, "zero", 511))
    # no 2 MiB between two boundaries of the file: anywhere
    assert placed(release, 511, "zero") == placed(release, 511, "anon")
    assert placed(release, 513, "zero", 1) == placed(release, 513, "anon")


def test_a_hint_for_dev_zero_needs_room_for_2_mib_more() -> None:
    # as 6.18.44 does it: free for the length alone, and the hint is not taken
    for kind, taken in (("anon", True), ("zero", False)):
        vm = Little("6.18", "map 1024 r")
        value = vm.do(Mmap(at(511), PMD_SIZE, kind=kind, fixed=False)).value
        assert taken is (value == at(511))
        vm("unmap 1024")
        assert at(8191) == vm.do(Mmap(at(8191), PMD_SIZE, kind=kind, fixed=False)).value


def test_growth_that_moves_is_aligned_too() -> None:
    for kind, pages, aligned in (("anon", 512, True), ("anon", 513, False), ("zero", 513, True)):
        vm = Little("6.18", f"map 0-1 {kind}; map 1 r")
        vm.do(Mmap(None, PAGE, fixed=False))
        value = vm.mremap(at(0), PAGE, pages * PAGE, MAYMOVE).value
        assert value is not None
        assert aligned is (value % PMD_SIZE == 0)
