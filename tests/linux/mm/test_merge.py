"""When two VMAs become one.  `AA` and `BB` are VMAs, `**` is the range that is new or changes, `.` a gap.

Moves that merge on their way back are in test_mremap_move.py, the choice of an anon_vma in test_fault.py.
"""

from __future__ import annotations

import pytest

from tests.tiny_language import RELEASES, Little, before, since
from vmalab.linux.addr import PAGE
from vmalab.linux.call import Mmap
from vmalab.linux.flags import VM_DONTEXPAND, VM_MAYBE_GUARD, VM_READ, VM_WRITE
from vmalab.linux.mm import VMA, AddressSpace, perform
from vmalab.linux.mm.merge import MergeRequest, ignored_flags, split_vma, vma_merge_new_range
from vmalab.linux.mm.trace import Refusal
from vmalab.linux.profile import profile

every_release = pytest.mark.parametrize("release", RELEASES)


# --- mmap: the new range, its left and its right neighbour ------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("map 0-2; map 2-4", "[0-4]"),  # AA** -> AAAA
        ("map 2-4; map 0-2", "[0-4]"),  # **BB -> AAAA
        ("map 0-2; map 4-6; map 2-4", "[0-6]"),  # AA**BB -> AAAAAA
        ("map 0-2; map 3-4", "[0-2][3-4]"),  # AA.*
        ("map 0-6; map 2-4", "[0-6]"),  # AA**AA: replaced by its like
        ("map 0-6; map 2-4 r", "[0-2][2-4][4-6]"),  # AA**AA: replaced by another
    ],
)
def test_mmap_joins_its_neighbours(release: str, program: str, expected: str) -> None:
    vm = Little(release, program)
    assert expected == vm.layout


@every_release
def test_the_left_neighbour_survives(release: str) -> None:
    # AA**BB -> AAAAAA with A's identity
    vm = Little(release, "map 0-2; map 4-6")
    left = vm.row(0).id
    vm("map 2-4")
    assert (left, "[0-6]") == (vm.row(0).id, vm.layout)


@every_release
def test_the_right_neighbour_survives_where_the_left_does_not_fit(release: str) -> None:
    # rr**BB -> rrBBBB with B's identity
    vm = Little(release, "map 0-2 r; map 4-6")
    right = vm.row(4).id
    vm("map 2-4")
    assert (right, "[0-2][2-6]") == (vm.row(2).id, vm.layout)


@every_release
@pytest.mark.parametrize("other", ["r", "rwx", "noreserve", "shared", "zero", "file", "growsdown"])
def test_another_kind_beside_it_stays_apart(release: str, other: str) -> None:
    vm = Little(release, f"map 0-2; map 2-4 {other}")
    assert "[0-2][2-4]" == vm.layout


@every_release
@pytest.mark.parametrize(
    "first", ["dontfork", "dontdump", "wipeonfork", "hugepage", "nohugepage", "random", "sequential"]
)
def test_every_advice_flag_counts(release: str, first: str) -> None:
    vm = Little(release, f"map 0-2; advise 0-2 {first}; map 2-4")
    assert "[0-2][2-4]" == vm.layout


@pytest.mark.parametrize("release", since("6.12"))
def test_a_sealed_neighbour_stays_apart(release: str) -> None:
    vm = Little(release, "map 0-2; seal 0-2; map 2-4")
    assert "[0-2][2-4]" == vm.layout
    vm("seal 2-4")  # sealed ranges that touch merge when the second is sealed
    assert "[0-4]" == vm.layout


@every_release
@pytest.mark.parametrize("program", ["map 0-2; lock 0-2; map 2-4", "map 0-2; uffd 0-2; map 2-4"])
def test_locks_and_registrations_count(release: str, program: str) -> None:
    vm = Little(release, program)
    assert "[0-2][2-4]" == vm.layout


# --- files: the same one, at the offset that continues ----------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("map 0-2 file @5; map 2-4 file @7", "[0-4]"),
        ("map 0-2 file @5; map 2-4 file @8", "[0-2][2-4]"),
        ("map 0-2 file @5; map 2-4 file f1 @7", "[0-2][2-4]"),
        ("map 2-4 file @7; map 0-2 file @5", "[0-4]"),
        ("map 0-2 sharedfile @5; map 2-4 sharedfile @7", "[0-4]"),
        ("map 0-2 sharedfile @5; map 2-4 file @7", "[0-2][2-4]"),
        ("map 0-2 zero @5; map 2-4 zero @7", "[0-4]"),
        ("map 0-2 zero @5; map 2-4 zero @5", "[0-2][2-4]"),
        ("map 0-2 shared; map 2-4 shared", "[0-2][2-4]"),  # each has a hidden file of its own
    ],
)
def test_file_mappings_merge_where_the_offset_continues(release: str, program: str, expected: str) -> None:
    vm = Little(release, program)
    assert expected == vm.layout


# --- anon_vma: who was written to before ------------------------------------------------------------------------

# T is the neighbour that would absorb, O the anon_vma of the range: semantics 7.5, row by row.


@every_release
def test_faulted_neighbour_takes_a_fresh_range(release: str) -> None:
    vm = Little(release, "map 0-2; touch 0-2; map 2-4")
    assert "[0-4]" == vm.layout


@every_release
def test_inherited_neighbour_takes_no_fresh_range(release: str) -> None:
    # T set with a chain of two, O None: in the child `map 2-4` stays apart, in the parent it merges
    assert "[0-2][2-4]" == Little(release, "map 0-2; touch 0-2; child; map 2-4").layout
    assert "[0-4]" == Little(release, "map 0-2; touch 0-2; fork; map 2-4").layout
    # unfaulted in the parent, so fresh in the child
    assert "[0-4]" == Little(release, "map 0-2; child; map 2-4").layout


@pytest.mark.parametrize(
    ("release", "expected"), [*((r, "[0-2][2-4]") for r in before("6.16")), *((r, "[0-4]") for r in since("6.16"))]
)
def test_unfaulted_neighbour_and_a_faulted_range(release: str, expected: str) -> None:
    # T None, O set: aaBB, B becomes rw
    vm = Little(release, "map 0-2; map 2-4 rwx; touch 2-4; protect 2-4 rw")
    assert expected == vm.layout
    # the mirror image: BBaa
    vm = Little(release, "map 2-4; map 0-2 rwx; touch 0-2; protect 0-2 rw")
    assert expected == vm.layout


@every_release
def test_unfaulted_neighbour_and_an_inherited_range(release: str) -> None:
    vm = Little(release, "map 2-4 rwx; touch 2-4; child; map 0-2; protect 2-4 rw")
    assert "[0-2][2-4]" == vm.layout


@every_release
def test_two_anon_vmas_stay_apart_and_the_same_one_joins(release: str) -> None:
    # AA*BB, written while apart: the filler gets B's anon_vma at its first write, and joins B only
    vm = Little(release, "map 0-2; touch 0-2; map 3-5; touch 3-5; map 2-3 rwx; touch 2; protect 2 rw")
    assert "[0-2][2-5]" == vm.layout
    # split and joined again: one anon_vma
    vm = Little(release, "map 0-4; touch 0-4; protect 1-2 r; protect 1-2 rw")
    assert "[0-4]" == vm.layout


@pytest.mark.parametrize(
    ("release", "expected"), [*((r, "[0-1][1-2][2-3]") for r in before("6.16")), *((r, "[0-3]") for r in since("6.16"))]
)
def test_lock_and_unlock_the_middle_of_unfaulted_memory(release: str, expected: str) -> None:
    # aaa -> aLa -> mlock wrote to the middle, so it comes back with an anon_vma
    vm = Little(release, "map 0-3; lock 1; unlock 1")
    assert expected == vm.layout


# --- both sides at once -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("release", "expected"), [("6.1", "[0-2][2-6]"), *((r, "[0-4][4-6]") for r in since("6.12"))])
def test_filling_the_gap_between_two_that_were_faulted_apart(release: str, expected: str) -> None:
    # AA**BB: they can not all be one; 6.1 tried the right side first
    vm = Little(release, "map 0-2; touch 0-2; map 4-6; touch 4-6; map 2-4")
    assert expected == vm.layout


@pytest.mark.parametrize(("release", "expected"), [("6.1", "[0-2][2-6]"), *((r, "[0-6]") for r in since("6.12"))])
def test_filling_the_gap_between_unfaulted_and_faulted(release: str, expected: str) -> None:
    # aa**BB: since 6.2 the left one takes over B's anon_vma
    vm = Little(release, "map 0-2; map 4-6; touch 4-6; map 2-4")
    assert expected == vm.layout
    assert vm.row(4).anon_vma is not None


@every_release
def test_filling_the_gap_between_faulted_and_unfaulted(release: str) -> None:
    # AA**bb: on every release
    vm = Little(release, "map 0-2; touch 0-2; map 4-6; map 2-4")
    assert "[0-6]" == vm.layout
    assert vm.row(5).anon_vma is not None


@every_release
@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("map 0-2; map 4-6; map 2-4", "[0-6 @0]"),
        ("map 0-2 file @5; map 4-6 file @9; map 2-4 file @7", "[0-6 @5]"),
        ("map 2-4 file @7; map 0-2 file @5", "[0-4 @5]"),  # **BB: the new range brings its offset
    ],
)
def test_the_joint_starts_at_the_offset_of_its_first_part(release: str, program: str, expected: str) -> None:
    vm = Little(release, program)
    assert expected == vm.show("pgoff")


# --- an existing range gets other flags: semantics 7.13 ----------------------------------------------------------

# A is r, B is rw (never written); the range in stars becomes r or rw.


@pytest.mark.parametrize("release", since("6.12"))
@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("map 0-6; protect 2-4 r", "[0-2][2-4][4-6]"),  # BB**BB: two splits
        ("map 0-6; protect 0-2 r", "[0-2][2-6]"),  # **BBBB: one split
        ("map 0-6; protect 4-6 r", "[0-4][4-6]"),  # BBBB**: one split
        ("map 0-6; protect 0-6 r", "[0-6]"),  # ******: none
        ("map 0-2 r; map 2-6; protect 2-4 r", "[0-4][4-6]"),  # AA**BB: the boundary moves
        ("map 0-4; map 4-6 r; protect 2-4 r", "[0-2][2-6]"),  # BB**AA: the boundary moves
        ("map 0-2 r; map 2-4; protect 2-4 r", "[0-4]"),  # AA**: B disappears
        ("map 0-2; map 2-4 r; protect 0-2 r", "[0-4]"),  # **AA: B disappears
        ("map 0-2 r; map 2-4; map 4-6 r; protect 2-4 r", "[0-6]"),  # AA**AA: B and the second A disappear
        ("map 0-2 r; map 2-4; map 4-6 rx; protect 2-4 r", "[0-4][4-6]"),  # AA**XX
        ("map 0-2 rx; map 2-4; map 4-6 r; protect 2-4 r", "[0-2][2-6]"),  # XX**AA
        ("map 0-2 rx; map 2-4; map 4-6 rx; protect 2-4 r", "[0-2][2-4][4-6]"),  # XX**XX
        ("map 0-2 r; map 2-6; protect 3-4 r", "[0-2][2-3][3-4][4-6]"),  # AAB*BB: touches no A
    ],
)
def test_a_changed_range(release: str, program: str, expected: str) -> None:
    vm = Little(release, program)
    assert expected == vm.layout


@every_release
def test_the_boundary_moves_without_a_split(release: str) -> None:
    # AA**BB at the limit of the map count: a split would be refused
    vm = Little(release, "map 0-2 rx; map 2-6 r; limit map_count 0; protect 2-4 rx")
    assert "[0-4 r-xp][4-6 r--p]" == vm.show("perms")


@every_release
@pytest.mark.parametrize(
    ("there", "back"),
    [
        ("advise 1-2 dontfork", "advise 1-2 dofork"),
        ("advise 1-2 dontdump", "advise 1-2 dodump"),
        ("advise 1-2 wipeonfork", "advise 1-2 keeponfork"),
        ("advise 1-2 random", "advise 1-2 normal"),
        ("advise 1-2 sequential", "advise 1-2 normal"),
        ("protect 1-2 rwx", "protect 1-2 rw"),
        ("protect 1-2 none", "protect 1-2 rw"),
    ],
)
@pytest.mark.parametrize("written", ["", "touch 0-3;"])
def test_undoing_a_change_merges_again(release: str, there: str, back: str, written: str) -> None:
    vm = Little(release, f"map 0-3; {written} {there}")
    assert "[0-1][1-2][2-3]" == vm.layout
    vm(back)
    assert "[0-3]" == vm.layout


@every_release
@pytest.mark.parametrize("same", ["protect 1-2 rw", "advise 1-2 dofork", "advise 1-2 normal", "unlock 1-2"])
def test_the_same_flags_again_change_nothing(release: str, same: str) -> None:
    vm = Little(release, "map 0-3; limit map_count 0")
    outcome = vm(same)
    assert outcome is not None
    assert ("[0-3]", []) == (vm.layout, [step for step in outcome.steps if step.changes])


@pytest.mark.parametrize("release", since("6.16"))
def test_the_three_way_joint_takes_the_right_ones_anon_vma(release: str) -> None:
    # aa*BB: a unfaulted, * unfaulted rwx, B faulted
    vm = Little(release, "map 0-2; map 3-5; touch 3-5; map 2-3 rwx")
    right = vm.row(3).anon_vma
    vm("protect 2-3 rw")
    assert ("[0-5]", right) == (vm.layout, vm.row(0).anon_vma)


# --- growing in place: semantics 7.15 -------------------------------------------------------------------------


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("program", "old", "new"),
    [
        ("map 0-2; map 4-6", "[0-6]", "[0-6]"),  # aa**bb
        ("map 0-2; map 4-6; touch 4-6", "[0-6]", "[0-6]"),  # aa**BB
        ("map 0-2; map 4-6; touch 0-2", "[0-4][4-6]", "[0-6]"),  # AA**bb
        ("map 0-2; touch 0-2; map 4-6; touch 4-6", "[0-4][4-6]", "[0-4][4-6]"),  # AA**BB
        ("map 0-6; touch 0-6; unmap 2-4", "[0-6]", "[0-6]"),  # both pieces of one
        ("map 0-2; map 100-102; touch 100-102; move 100-102 to 4", "[0-4][4-6]", "[0-4][4-6]"),  # wrong pgoff
        ("map 0-2; map 4-6; lock 4-6", "[0-4][4-6]", "[0-4][4-6]"),  # other flags
        ("map 0-2; touch 0-2; child; map 4-6", "[0-4][4-6]", "[0-6]"),  # inherited AA, fresh bb
        ("map 0-6; touch 0-6; child; unmap 2-4", "[0-6]", "[0-6]"),  # pieces split after the fork
        ("map 0-2; map 4-6; touch 0-2; touch 4-6; child", "[0-4][4-6]", "[0-4][4-6]"),
        ("map 0-6; touch 0-6; unmap 2-4; child", "[0-4][4-6]", "[0-4][4-6]"),  # split before: two new anon_vmas
    ],
)
def test_growth_may_swallow_the_next_vma(release: str, program: str, old: str, new: str) -> None:
    vm = Little(release, f"{program}; resize 0-2 to 4")
    assert (new if release in since("6.16") else old) == vm.layout


# --- a flag that merges keep: semantics 7.3 -------------------------------------------------------------------


@pytest.mark.parametrize(("release", "flag"), [("6.17", False), ("6.18.15", False), ("6.18.44", True), ("7.3", True)])
def test_the_guard_flag_is_kept_and_not_compared(release: str, flag: bool) -> None:
    # gg** and **gg: the VMA that had a guard is absorbed or absorbs
    for program in ("map 0-2; advise 1 guard_install; map 2-4", "map 2-4; advise 3 guard_install; map 0-2"):
        vm = Little(release, program)
        assert "[0-4]" == vm.layout
        assert flag == bool(vm.mm.vmas()[0].flags & VM_MAYBE_GUARD)
    assert flag == bool(ignored_flags(vm.mm))


# --- what no scenario can map -----------------------------------------------------------------------------------


def test_special_mappings_never_merge() -> None:
    mm = AddressSpace(profile("6.18"))
    flags = VM_READ | VM_DONTEXPAND
    vma = VMA(0x10000, 0x20000, 0x10, flags, id=1)
    mm.replace("test", "test", (), (vma,))
    assert None is vma_merge_new_range(MergeRequest(mm, 0x20000, 0x30000, 0x20, flags, prev=vma))
    assert ["special"] == [step.values["why"] for step in mm.steps if step.key == "no_merge"]


def test_why_two_vmas_stay_apart_is_told() -> None:
    told = {}
    for why, program in {
        "flags": "map 0-2; map 2-4 r",
        "file": "map 0-2 file; map 2-4 file f1 @2",
        "pgoff": "map 0-2 file; map 2-4 file @1",
        "inherited": "map 0-2; touch 0-2; child; map 2-4",
        "anon_vma": "map 0-2; touch 0-2; map 3-5; touch 3-5; map 2-3",
    }.items():
        outcome = Little("6.18")(program)
        assert outcome is not None
        told[why] = [step.values["why"] for step in outcome.steps if step.key == "no_merge"]
    assert {why: [why] for why in told} == told
    outcome = Little("6.12")("map 0-2; map 2-4 rwx; touch 2-4; protect 2-4 rw")
    assert outcome is not None
    assert ["faulted"] == [step.values["why"] for step in outcome.steps if step.key == "no_merge"]


# --- splitting: semantics 7.14 --------------------------------------------------------------------------------


@every_release
def test_a_split_copies_everything_and_counts_the_offset_on(release: str) -> None:
    # AAAA -> AA.A
    vm = Little(release, "map 0-4 file @7; touch 0-4; unmap 2")
    low, high = vm.mm.vmas()
    assert "[0-2 @7][3-4 @10]" == vm.show("pgoff")
    assert (low.flags, low.file, low.anon_vma, low.chain) == (high.flags, high.file, high.anon_vma, high.chain)
    assert low.id != high.id


def test_a_split_at_the_limit_of_the_map_count() -> None:
    mm = AddressSpace(profile("6.18"))
    perform(mm, Mmap(0x100000, 4 * PAGE))
    mm.limits.map_count = 1
    (vma,) = mm.vmas()
    with pytest.raises(Refusal, match="ENOMEM"):
        split_vma(mm, vma, vma.start + PAGE)
    mm.limits.map_count = 2
    low, high = split_vma(mm, vma, vma.start + PAGE)
    assert (1, 3, VM_READ | VM_WRITE) == (low.pages, high.pages, high.flags & (VM_READ | VM_WRITE))
