"""What tells the releases apart, seen from outside: each named behaviour, and each row of semantics 11.

A witness is a program and a look at what came of it; it says whether a release shows the behaviour.  So a behaviour
that is named and does nothing is found out, and one that a release has without its profile saying so.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.tiny_language import DONTUNMAP, MAYMOVE, MOVE, RELEASES, Little, at
from vmalab.linux.addr import PAGE, PMD_SIZE, TASK_SIZE
from vmalab.linux.call import Mmap
from vmalab.linux.flags import VM_MAYBE_GUARD
from vmalab.linux.profile import behaviours, profile

P, TS = PAGE, TASK_SIZE
ASKED = (
    *RELEASES,
    "6.2",
    "6.6",
    "6.10",
    "6.13",
    "6.14",
    "6.15",
    "6.17.0",
    "6.18.0",
    "6.18.7",
    "6.18.36",
    "6.18.40",
    "v3",
)
"""The measured releases, some between them, and the patch as posted."""

Witness = Callable[[str], bool]


def gives(program: str, errno: str | None) -> Witness:
    """The last step of `program` ends with `errno`."""
    steps, _, last = program.rpartition(";")
    return lambda release: errno == Little(release, steps).errno(last)


def shows(program: str, layout: str) -> Witness:
    return lambda release: layout == after(release, program).layout


def after(release: str, program: str) -> Little:
    """`program` run, whatever its last step ends with."""
    steps, _, last = program.rpartition(";")
    vm = Little(release, steps)
    vm.errno(last)
    return vm


def both(*witnesses: Witness) -> Witness:
    return lambda release: all(witness(release) for witness in witnesses)


def not_(witness: Witness) -> Witness:
    return lambda release: not witness(release)


def raw(program: str, old: int, new: int, flags: int, target: int, errno: str | None) -> Witness:
    return lambda release: errno == Little(release, program).mremap(at(0), old, new, flags, target).errno


def aligned(kind: str, length: int = PMD_SIZE) -> Witness:
    def look(release: str) -> bool:
        value = Little(release).do(Mmap(None, length, kind=kind, fixed=False)).value
        return value is not None and value % PMD_SIZE == 0

    return look


def unlocked_count(program: str, count: int) -> Witness:
    return lambda release: count == after(release, program).mm.locked_vm


def takes_a_new_offset(release: str) -> bool:
    # written at 2, away and back beside unfaulted memory; both moved on: unfaulted memory takes the new offset
    vm = Little(release, "map 2-4; touch 2-4; move 2-4 to 102; map 0-2; move 102-104 to 2")
    merged = vm.layout == "[0-4]"
    vm.errno("move 0-4 to 50")
    return merged and vm.show("pgoff") == "[50-54 @50]"


def sealed(release: str, program: str, *ranges: str) -> Little:
    """`program` and then a seal on each range, where the release has mseal."""
    vm = Little(release, program)
    for pages in ranges:
        vm.errno(f"seal {pages}")
    return vm


def guarded_file_is_faulted(release: str) -> bool:
    return after(release, "map 0-2 file; advise 0 guard_install").mm.vmas()[0].anon_vma is not None


def guard_flag(release: str) -> bool:
    vm = after(release, "map 0-2; advise 0 guard_install")
    return bool(vm.mm.vmas()[0].flags & VM_MAYBE_GUARD)


def realigned(release: str) -> bool:
    vm = after(release, "map 4-1024; touch 4-1024; move 4-1024 to 5124")
    return next(step for step in vm.mm.steps if step.key == "pages_moved").values["pte"] == 0


def huge_after(program: str) -> Witness:
    """Whether 2 MiB that may have a huge page have one after the program."""

    def look(release: str) -> bool:
        table = after(release, f"map 0-512; {program}").mm.pagetable
        return all(run.huge for run in table)

    return look


def mmap_at_the_edge(release: str) -> bool:
    return "[0-2][2-4][6-8][8-10]" == after(release, "map 0-4; map 6-10 r; limit as 1; map 2-8 shared").layout


EXAMPLE_9 = "map 0-9; touch 3-6; move 3-6 to 100; unmap 0-3; unmap 6-9; map 0-3; map 6-9; move 100-103 to 3"
EXAMPLE_17 = "map 0-9 file @0; move 3-6 to 100; touch 100-103; move 100-103 to 3"
THREE = "[0-3][3-6][6-9]"

MULTI = gives("map 0-2; map 2-4 r; move 0-4 to 100", None)
OVERLAP_OF_NOTHING = gives("map 9-10; move 0-2 to 1", "EINVAL")
UNALIGNED_OF_NOTHING = raw("", P, P, MOVE, at(100) + 1, "EINVAL")
LATE = shows("map 0-2 zero; map 2-4 r; move 0-4 to 100", "[2-4][100-102]")


def fill_a_guard(release: str) -> str | None:
    """What UFFDIO_COPY says to a page with a guard marker, if there are markers."""
    vm = Little(release, "map 0-2; uffd 0-2")
    vm.errno("advise 0-1 guard_install")
    return vm.errno("fill 0-1")


WITNESSES: dict[str, Witness] = {
    "order_of_6_15": both(UNALIGNED_OF_NOTHING, not_(OVERLAP_OF_NOTHING)),
    "order_of_6_17": OVERLAP_OF_NOTHING,
    "checks_before_unmap": shows("map 0-2; map 100-103; move 0-3 to 100-104", "[0-2][100-103]"),
    "target_range_always_checked": raw("map 0-1", P, P, 0, 1 << 47, "EINVAL"),
    "multi_vma_move": MULTI,
    "eligibility_checked_late": LATE,
    "headroom_of_7_1": gives("map 0-2; limit map_count 0; resize 0-2 to 2", "ENOMEM"),
    "headroom_counts_dontunmap": both(
        gives("map 0-2; limit map_count 4; keep 0-2 to 100", "ENOMEM"),
        gives("map 0-2; limit map_count 4; move 0-2 to 100", None),
    ),
    "dontunmap_loses_account": lambda release: () == after(release, "map 0-2; keep 0-2 to 100").row(0).flags,
    "dontunmap_leaks_locked_vm": unlocked_count("map 0-4; lock 0-4; keep 0-4 to 100", 8),
    "dontunmap_splits_locked": shows("map 0-4; lock 0-4; keep 1-3 to 100", "[0-1][1-3][3-4][100-102]"),
    "dontunmap_stays_apart": shows("map 0-4 r; keep 0-4 to 4", "[0-4][4-8]"),
    "dontunmap_resets_pgoff": shows(
        "map 0-2; touch 0-2; move 0-2 to 50; keep 50-52 to 100; map 52-54", "[50-54][100-102]"
    ),
    "realigns_moves": realigned,
    "faulted_joins_unfaulted": shows("map 0-3; lock 1; unlock 1", "[0-3]"),
    "copy_forgets_anon_vma": takes_a_new_offset,
    "copy_forgets_fork_child": shows(
        "map 0-2; touch 0-2; move 0-2 to 100; child; map 2-4; move 100-102 to 0", "[0-4]"
    ),
    "guard_gives_files_anon_vma": guarded_file_is_faulted,
    "huge_zero_becomes_huge": huge_after("advise 0-512 hugepage; read 5; touch 6"),
    "empty_tables_reclaimed": huge_after("touch 5; advise 0-512 hugepage; advise 0-512 dontneed; touch 6"),
    "seal_protects_dev_zero": lambda release: (
        "EPERM" == sealed(release, "map 0-2 zero r", "0-2").errno("advise 0 dontneed")
    ),
    "mseal_skips_after_merge": lambda release: "[0-4][4-6]" == sealed(release, "map 0-6", "2-4", "0-6").layout,
    "private_files_have_anon_pgoff": both(shows(EXAMPLE_9, "[0-9]"), shows(EXAMPLE_17, THREE)),
    "right_merge_first": shows("map 0-2; touch 0-2; map 4-6; touch 4-6; map 2-4", "[0-2][2-6]"),
    "guard_flag": guard_flag,
    "mmap_cuts_first": mmap_at_the_edge,
    "read_only_drops_account": shows("map 0-2; protect 0-2 r; map 2-4 r", "[0-4]"),
    "thp_aligned_mmap": aligned("anon"),
    "thp_aligns_odd_lengths": aligned("anon", PMD_SIZE + PAGE),
    "thp_aligned_dev_zero": aligned("zero"),
    "uffd_asks_size_of_dev_zero": lambda release: (
        "EFAULT" == Little(release, "map 0-2 zero; uffd 0-2").errno("fill 0-1")
    ),
    "uffd_past_shared_end_is_enomem": lambda release: (
        "ENOMEM" == Little(release, "map 0-2 sharedfile; uffd 0-2; cut f0 0").errno("fill 0-1")
    ),
    "uffd_copy_replaces_guards": lambda release: "EEXIST" != fill_a_guard(release),
    "uffd_prepares_anon_vma_first": lambda release: (
        Little(release, "map 0-2; fill 0-2 !ENOENT").row(0).anon_vma is not None
    ),
    "populate_stops_at_gaps": lambda release: (
        4 not in Little(release, "map 0-2; map 4-6; advise 0-6 populate_write !ENOMEM").contents()
    ),
    "uffd_keeps_wp": gives("map 0-2; uffd 0-2 wp; uffd 0-2", "EBUSY"),
    "uffd_compares_first_pgoff": shows("map 0-4; uffd 2-4; uffd 1-4", "[0-1][1-2][2-4]"),
    "uffd_makes_writable": lambda release: "fault_reuse" not in [
        step.key
        for step in after(release, "map 0; touch 0; uffd 0 wp; writes 0; writes 0 let").model.touch(at(0)).steps
    ],
    "uffd_protects_many": gives("map 0-2; map 4-6; uffd 0-6 wp; writes 0-6", None),
    "mremap_clears_uffd_wp": gives(
        "map 0-2; touch 0-2; uffd 0-2 wp; writes 0-2; move 0-2 to 20; uffd 20-22 wp; touch 20", None
    ),
    "seals_checked_late": gives("map 0-2 sharedfile; seals f0 future_write; map 2-4 sharedfile @2", None),
    "mseal": gives("map 0-2; seal 0-2", None),
    "guard_regions": gives("map 0-2; advise 0 guard_install", None),
    "guard_regions_in_files": gives("map 0-2 file; advise 0 guard_install", None),
}  # fmt: skip
"""Behaviour → how to see it."""


def test_every_behaviour_has_a_witness() -> None:
    assert {behaviour.name for behaviour in behaviours()} == set(WITNESSES)


@pytest.mark.parametrize("name", WITNESSES)
def test_a_release_shows_what_its_profile_says(name: str) -> None:
    expected = {release: getattr(profile(release), name) for release in ASKED}
    assert expected == {release: WITNESSES[name](release) for release in ASKED}
    assert {True, False} == set(expected.values())


# --- the table of semantics 11 ----------------------------------------------------------------------------------

AT_LIMIT = "map 0-2; limit map_count 0"

ROWS: dict[str, tuple[str, Witness]] = {
    # 6.1, 6.12, 6.16, 6.17, 6.18.15, 6.18.44, 6.19, 7.0, 7.1, 7.2, 7.3
    "1 a fixed move spans several VMAs": ("---yyyyyyyy", MULTI),
    "2 failed checks leave the destination": ("---yyyyyyyy", WITNESSES["checks_before_unmap"]),
    "3 new_len above TASK_SIZE is EINVAL": ("---yyyyyyyy", raw("map 0-1", P, TS + P, MAYMOVE, 0, "EINVAL")),
    "4 overlap beats EFAULT": ("---yyyyyyyy", OVERLAP_OF_NOTHING),
    "4 a target too high beats EFAULT": ("---yyyyyyyy", raw("", P, P, MOVE, TS, "EINVAL")),
    "5 an unaligned target beats EFAULT": ("--yyyyyyyyy", UNALIGNED_OF_NOTHING),
    "6 DONTUNMAP compares rounded lengths": (
        "---yyyyyyyy", raw("map 0-1", P, P - 100, MAYMOVE | DONTUNMAP, 0, None)),
    "7 growth onto a mapping at RLIMIT_AS": (
        "---yyyyyyyy", gives("map 0-2; map 100-103; limit as 0; move 0-2 to 100-103", "ENOMEM")),
    "8 a fixed move of nothing at the map limit": ("--yyyyyyyyy", gives(f"{AT_LIMIT}; move 50-52 to 100", "ENOMEM")),
    "9 overlap at the map limit": ("--y--------", gives(f"{AT_LIMIT}; move 0-2 to 1", "ENOMEM")),
    "10 a fixed move needs MC <= MAX - 4 only": (
        "--------yyy", gives("map 0-2; limit map_count 4; move 0-2 to 100", None)),
    "11 even a no-op needs headroom": ("--------yyy", gives(f"{AT_LIMIT}; resize 0-2 to 2", "ENOMEM")),
    "12 DONTUNMAP needs one more": ("---------yy", WITNESSES["headroom_counts_dontunmap"]),
    "13 faulted joins unfaulted": ("--yyyyyyyyy", shows(EXAMPLE_9, "[0-9]")),
    "13 mlock and munlock of the middle": ("--yyyyyyyyy", WITNESSES["faulted_joins_unfaulted"]),
    "14 also for a fork child in a copy": ("--yy-------", WITNESSES["copy_forgets_fork_child"]),
    "15 the husk loses ac": ("--y--------", WITNESSES["dontunmap_loses_account"]),
    "16 DONTUNMAP of locked memory leaks VmLck": ("--yyyyyyy--", WITNESSES["dontunmap_leaks_locked_vm"]),
    "17 DONTUNMAP of a part of a locked VMA splits it": ("---------yy", WITNESSES["dontunmap_splits_locked"]),
    "18 unfaulted DONTUNMAP beside itself stays two": ("---------yy", WITNESSES["dontunmap_stays_apart"]),
    "19 a wholly moved husk gets its natural offset": (
        "---------yy", WITNESSES["dontunmap_resets_pgoff"]),
    "20 gu after GUARD_INSTALL": ("-----yyyyyy", guard_flag),
    "23 THP-aligned anonymous mmap": ("-yyyyyyyyyy", aligned("anon")),
    "24 THP-aligned /dev/zero": ("----yyyyyyy", aligned("zero")),
    "25 read-only drops ac": ("-yyyyyyyyyy", WITNESSES["read_only_drops_account"]),
    "26 the filler of a gap joins left": (
        "-yyyyyyyyyy", shows("map 0-2; touch 0-2; map 4-6; touch 4-6; map 2-4", "[0-4][4-6]")),
    "27 a faulted VMA grows into an unfaulted one": (
        "--yyyyyyyyy", shows("map 0-2; touch 0; map 4-6; resize 0-2 to 4", "[0-6]")),
    "28 mseal": ("-yyyyyyyyyy", WITNESSES["mseal"]),
    "29 guard regions": ("--yyyyyyyyy", WITNESSES["guard_regions"]),
    "33 an ineligible first VMA is moved": ("-----------", LATE),
}  # fmt: skip
"""Row → in which of the measured releases it holds, and how to see it.

Rows 21, 22 and 30 to 32 are about what the model leaves out: soft-dirty, KSM, secretmem, vvar and pagemap.
"""


@pytest.mark.parametrize("row", ROWS)
def test_row_of_the_table(row: str) -> None:
    expected, witness = ROWS[row]
    assert expected == "".join("y" if witness(release) else "-" for release in RELEASES)
