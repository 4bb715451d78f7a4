"""What a copy is and merges with, and what stays behind: semantics 4.6, 4.7, 4.10, 7c and the examples of 7d.

In the little maps `F` in the kernel people's sense (written before) is an upper-case letter.
"""

from __future__ import annotations

import pytest

from tests.tiny_language import DONTUNMAP, MAYMOVE, RELEASES, Little, at, before, since
from vmalab.linux.addr import PAGE
from vmalab.linux.flags import VM_UFFD_MISSING

every_release = pytest.mark.parametrize("release", RELEASES)
P = PAGE

# --- the worked examples of semantics 7d ------------------------------------------------------------------------

THREE = "[0-3][3-6][6-9]"
AWAY = "move 3-6 to 100"
BACK = "move 100-103 to 3"
FRESH_SIDES = "unmap 0-3; unmap 6-9; map 0-3; map 6-9"

EXAMPLES: list[tuple[str, str, str, str]] = [
    # number, steps, up to 6.12, since 6.16
    ("1", f"map 0-9; {AWAY}; {BACK}", "[0-9]", "[0-9]"),
    ("2", f"map 0-9; touch 0-9; {AWAY}; {BACK}", "[0-9]", "[0-9]"),
    ("3", f"map 0-9; touch 4; {AWAY}; {BACK}", "[0-9]", "[0-9]"),
    ("4", f"map 0-9; {AWAY}; touch 100; {BACK}", THREE, THREE),  # never heals in place
    ("5", f"map 0-9; touch 0; {AWAY}; touch 100; {BACK}", "[0-9]", "[0-9]"),  # the pgoff was kept
    ("6", f"map 0-9; {AWAY}; touch 0; {BACK}", "[0-9]", "[0-9]"),
    ("7", f"map 0-9; {AWAY}; touch 6; {BACK}", "[0-9]", "[0-9]"),
    ("8", f"map 0-9; {AWAY}; touch 0; touch 6; {BACK}", "[0-6][6-9]", "[0-6][6-9]"),
    ("9", f"map 0-9; touch 3-6; {AWAY}; {FRESH_SIDES}; {BACK}", THREE, "[0-9]"),
    ("10 left", f"map 0-9; touch 3-6; {AWAY}; unmap 0-9; map 0-3; {BACK}", "[0-3][3-6]", "[0-6]"),
    ("10 right", f"map 0-9; touch 3-6; {AWAY}; unmap 0-9; map 6-9; {BACK}", "[3-6][6-9]", "[3-9]"),
    ("11", "map 0-4; touch 0-4; move 0-2 to 100; move 2-4 to 102", "[100-104]", "[100-104]"),
    ("12", "map 0-4; touch 0-4; move 0-2 to 102; move 2-4 to 100", "[100-102][102-104]", "[100-102][102-104]"),
    ("13", "map 0-2; touch 0-2; map 100-102; move 100-102 to 2", "[0-4]", "[0-4]"),
    ("14", "map 0-2; map 100-102; touch 100-102; move 100-102 to 2", "[0-2][2-4]", "[0-2][2-4]"),  # pgoff
    ("15", "map 0-2 file @0; map 100-102 file @2; move 100-102 to 2", "[0-4]", "[0-4]"),
    ("16", "map 0-2 file @0; map 100-102 file @2; touch 100-102; move 100-102 to 2", "[0-2][2-4]", "[0-4]"),
    ("17", f"map 0-9 file @0; {AWAY}; touch 100-103; {BACK}", THREE, "[0-9]"),
]  # fmt: skip

NOT_IN_7_3 = {"16": "[0-2][2-4]", "17": THREE}
"""7.3.4 is back to not merging written copies of private file mappings with unwritten neighbours."""


@every_release
@pytest.mark.parametrize(("number", "steps", "old", "new"), EXAMPLES, ids=[example[0] for example in EXAMPLES])
def test_worked_example(release: str, number: str, steps: str, old: str, new: str) -> None:
    expected = old if release in before("6.16") else new
    if release == "7.3":
        expected = NOT_IN_7_3.get(number, expected)
    assert expected == Little(release, steps).layout


@pytest.mark.parametrize("release", [*since("6.17"), "v3"])
def test_worked_example_18(release: str) -> None:
    # the three pieces of example 4 heal in one move to where the middle was written
    vm = Little(release, f"map 0-9; {AWAY}; touch 100; {BACK}; move 0-9 to 97")
    assert ("[97-106 @97]", {100: 3000}) == (vm.show("pgoff"), vm.contents())


@every_release
@pytest.mark.parametrize(("number", "steps", "old", "new"), EXAMPLES, ids=[example[0] for example in EXAMPLES])
def test_the_pages_of_an_example_come_along(release: str, number: str, steps: str, old: str, new: str) -> None:
    # what is written is never lost by a move, nor doubled: the same calls without the moves hold the same values
    if "unmap" in steps:
        steps = steps.partition("unmap")[0] + BACK
    vm = Little(release, steps)
    written = sum(range_length(step) for step in steps.split("; ") if step.startswith("touch"))
    assert written == len({value for value in vm.contents().values() if value})


def range_length(step: str) -> int:
    start, _, end = step.split()[1].partition("-")
    return int(end or int(start) + 1) - int(start)


# --- the offset of a copy: semantics 7.30 -----------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("map 0-4", "[100-102 @100]"),  # unfaulted anonymous: the natural one of the new place
        ("map 0-4; touch 0", "[100-102 @1]"),  # faulted: it keeps its own
        ("map 0-4; read 0-4", "[100-102 @100]"),  # reading is no faulting in this sense
        ("map 0-4 file @7", "[100-102 @8]"),  # files never change theirs
        ("map 0-4 shared", "[100-102 @1]"),
        ("map 0-4 sharedfile @7; touch 0-4", "[100-102 @8]"),
    ],
)
def test_the_offset_of_a_copy(release: str, program: str, expected: str) -> None:
    vm = Little(release, f"{program}; move 1-3 to 100")
    assert expected == vm.show("pgoff").split("]", 2)[2]


@every_release
def test_dev_zero_shows_the_reset(release: str) -> None:
    # a private mapping of /dev/zero is anonymous memory, and its offset is visible: 7 jumps
    vm = Little(release, "map 0-2 zero @7; move 0-2 to 100")
    assert at(100) // P == vm.row(100).vm_pgoff
    vm = Little(release, "map 0-2 zero @7; touch 0; move 0-2 to 100")
    assert 7 == vm.row(100).vm_pgoff


# --- the copy and its own source: semantics 7.32, 7.33, 4.10 ----------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("area", "step", "expected", "written"),
    [
        ("0-8", "move 2-4 to 4", "[0-2][4-8]", "[0-2][4-6][6-8]"),
        ("0-8", "move 0-2 to 5", "[2-8]", "[2-5][5-7][7-8]"),
        ("4-8", "move 6-8 to 2", "[2-6]", "[2-4][4-6]"),
        ("0-4", "move 0-2 to 4", "[2-6]", "[2-4][4-6]"),
    ],
)
def test_a_move_within_reach_of_itself(release: str, area: str, step: str, expected: str, written: str) -> None:
    # unfaulted: copy and source become one, then the old part is unmapped; faulted: they stay apart
    assert expected == Little(release, f"map {area}; {step}").layout
    assert written == Little(release, f"map {area}; touch {area}; {step}").layout


@every_release
@pytest.mark.parametrize("step", ["keep 0-4 to 4", "hint 0-4 4"])
def test_dontunmap_beside_itself(release: str, step: str) -> None:
    vm = Little(release, f"map 0-4; {step}")
    assert ("[0-4][4-8]" if release in since("7.2") else "[0-8]") == vm.layout
    assert 8 == vm.mm.total_vm
    vm = Little(release, f"map 0-4; touch 0; {step}")
    assert "[0-4][4-8]" == vm.layout


# --- inherited memory: semantics 7.31 ---------------------------------------------------------------------------


@every_release
def test_a_child_moves_inherited_memory_beside_fresh(release: str) -> None:
    # written at 0 and moved to 100 by the parent; 6.16 to 6.18.14 forget that the child inherited it
    vm = Little(release, "map 0-2; touch 0-2; move 0-2 to 100; child; map 2-4; move 100-102 to 0")
    assert ("[0-4]" if release in ("6.16", "6.17") else "[0-2][2-4]") == vm.layout


@every_release
def test_inherited_memory_split_after_the_fork_joins_again(release: str) -> None:
    vm = Little(release, "map 0-4; touch 0-4; child; move 1-3 to 100; move 100-102 to 1")
    assert "[0-4]" == vm.layout
    # two VMAs at the fork: each got an anon_vma of its own
    vm = Little(release, "map 0-4; touch 0-4; move 2-4 to 102; child; move 0-2 to 100")
    assert "[100-102][102-104]" == vm.layout


# --- a new VMA like the old one: semantics 4.6, 7.34 ------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    "program",
    ["lock 0-4", "advise 0-4 dontfork", "advise 0-4 wipeonfork", "advise 0-4 random", "advise 0-4 hugepage",
     "protect 0-4 rx", "touch 0-4"],
)  # fmt: skip
def test_flags_and_anon_vma_are_copied(release: str, program: str) -> None:
    vm = Little(release, f"map 0-4; {program}")
    (old,) = vm.mm.vmas()
    vm("move 0-4 to 100")
    (new,) = vm.mm.vmas()
    assert (old.flags, old.anon_vma, old.chain) == (new.flags, new.anon_vma, new.chain)
    assert old.id != new.id


@every_release
def test_a_registration_with_userfaultfd_does_not_move(release: str) -> None:
    # the new VMA is plain, but it was merged while it was not: bb stays apart
    vm = Little(release, "map 0-2; uffd 0-2; map 98-100; move 0-2 to 100")
    assert "[98-100 ac][100-102 ac]" == vm.show("flags")
    # the one left behind keeps it
    vm = Little(release, "map 0-2; uffd 0-2; keep 0-2 to 100")
    assert ("um" in vm.row(0).flags, "um" in vm.row(100).flags) == (True, False)


# --- what DONTUNMAP leaves behind: semantics 4.7 ----------------------------------------------------------------


@every_release
def test_the_husk_is_empty_and_unfaulted(release: str) -> None:
    vm = Little(release, "map 0-4; touch 0-4 1; keep 0-4 to 100")
    assert ({100: 1000, 101: 1001, 102: 1002, 103: 1003}, None, ()) == (
        vm.contents(), vm.row(0).anon_vma, vm.row(0).chain)  # fmt: skip
    assert 8 == vm.mm.total_vm
    # a part: the rest keeps its pages, and all of it the anon_vma
    vm = Little(release, "map 0-4; touch 0-4 1; keep 1-3 to 100")
    assert ("[0-4][100-102]", {0: 1000, 3: 1003, 100: 1001, 101: 1002}) == (vm.layout, vm.contents())
    assert vm.row(100).anon_vma == vm.row(0).anon_vma is not None


@every_release
@pytest.mark.parametrize(
    ("program", "values"),
    [
        ("map 0-2; touch 0-2 5", (0, 0)),
        ("map 0-2 shared; touch 0-2 5", (5000, 5001)),
        ("map 0-2 sharedfile; touch 0-2 5", (5000, 5001)),
        ("map 8-10 sharedfile; touch 8-10 5; map 0-2 file; touch 0 6", (5000, 5001)),  # the private copy went away
        ("map 0-2 zero; touch 0-2 5", (0, 0)),
    ],
)
def test_reading_the_husk(release: str, program: str, values: tuple[int, int]) -> None:
    outcome = Little(release)(f"{program}; keep 0-2 to 100; read 0-2")
    assert outcome is not None
    assert values == outcome.values


@every_release
def test_the_husk_and_its_charge(release: str) -> None:
    # 6.16 takes VM_ACCOUNT off, which leaks the commit charge
    vm = Little(release, "map 0-2; touch 0-2; keep 0-2 to 100")
    assert ("[0-2 -][100-102 ac]" if release == "6.16" else "[0-2 ac][100-102 ac]") == vm.show("flags")


@every_release
def test_the_husk_of_locked_memory(release: str) -> None:
    # LLLL, all of it: the copy is locked, the husk is not; from 6.16 to 7.1 VmLck counts both
    vm = Little(release, "map 0-4; lock 0-4; keep 0-4 to 100")
    leaks = release in since("6.16") and release in before("7.2")
    assert (False, True, 8 if leaks else 4) == ("lo" in vm.row(0).flags, "lo" in vm.row(100).flags, vm.mm.locked_vm)


@every_release
def test_the_husk_of_a_part_of_locked_memory(release: str) -> None:
    # LLLLLL, the middle: up to 7.1 all of it is unlocked, 7.2 cuts it first
    vm = Little(release, "map 0-6; lock 0-6; keep 2-4 to 100")
    locked = [(row.start, row.pages) for row in vm.model.snapshot() if "lo" in row.flags]
    if release in since("7.2"):
        assert ("[0-2][2-4][4-6][100-102]", 6) == (vm.layout, vm.mm.locked_vm)
        assert [(at(0), 2), (at(4), 2), (at(100), 2)] == locked
    else:
        assert "[0-6][100-102]" == vm.layout
        assert [(at(100), 2)] == locked
        assert (8 if release in since("6.16") else 6) == vm.mm.locked_vm


@every_release
def test_the_offset_of_the_husk(release: str) -> None:
    # written at 0, moved to 50, left at 50: on 7.2 it is natural there again and the next mmap joins it
    program = "map 0-2; touch 0-2; move 0-2 to 50; keep 50-52 to 100"
    vm = Little(release, f"{program}; map 52-54")
    assert ("[50-54][100-102]" if release in since("7.2") else "[50-52][52-54][100-102]") == vm.layout
    # not where only a part was moved, nor for /dev/zero
    vm = Little(release, "map 0-4; touch 0-4; move 0-4 to 50; keep 50-52 to 100")
    assert at(0) // P == vm.row(50).vm_pgoff
    vm = Little(release, "map 0-2 zero @7; touch 0-2; keep 0-2 to 100")
    assert 7 == vm.row(0).vm_pgoff


@every_release
def test_locked_growth_by_moving_brings_its_new_pages_in(release: str) -> None:
    vm = Little(release, "map 0-2; lock 0-2; move 0-2 to 100-104")
    assert ({100: 0, 101: 0, 102: 0, 103: 0}, 4) == (vm.contents(), vm.mm.locked_vm)


# --- no memory in the middle ------------------------------------------------------------------------------------


@every_release
@pytest.mark.parametrize("where", ["copy_vma", "move_page_tables"])
@pytest.mark.parametrize(
    ("step", "destination"),
    [
        ("move 0-4 to 100", "[104-106]"),
        ("move 1-3 to 100", "[102-106]"),
        ("keep 0-4 to 100", "[104-106]"),
        ("move 0-4 to 100-106", ""),
        ("move 0-4 to 100-101", "[101-106]"),
        ("hint 0-4 50", "[100-106]"),
        ("resize 0-4 to 9 maymove", "[100-106]"),
    ],
)
def test_a_move_without_memory_leaves_the_source(release: str, where: str, step: str, destination: str) -> None:
    # LLLL: moved back by the kernel; its destination was emptied before, and a shrink has lost its tail
    vm = Little(release, "map 0-4; touch 0-4 1; advise 0-4 dontfork; lock 0-4; map 4-5 rx; map 100-106 r")
    kept = 1 if step.endswith("100-101") else 4
    vm.mm.faults_to_inject[where] = 1
    outcome = vm(f"{step} !ENOMEM")
    assert outcome is not None
    assert f"[0-{kept}][4-5]{destination}" == vm.layout
    assert {page: 1000 + page for page in range(kept)} == vm.contents()
    assert ((), kept, {}) == (outcome.moves, vm.mm.locked_vm, vm.mm.faults_to_inject)


@every_release
def test_a_swallowed_source_comes_out_again(release: str) -> None:
    # aaaaaaaa: the copy at 8 merges with its source, then there is no memory for a page table
    vm = Little(release, "map 0-8; read 0-8")
    vm.mm.faults_to_inject["move_page_tables"] = 1
    outcome = vm("move 2-4 to 8 !ENOMEM")
    assert outcome is not None
    assert ("[0-8]", 8, (), 8) == (vm.layout, len(vm.contents()), outcome.moves, vm.mm.total_vm)


@every_release
def test_no_memory_for_a_split(release: str) -> None:
    vm = Little(release, "map 0-4")
    vm.mm.faults_to_inject["vm_area_dup"] = 2
    vm("unmap 1-2 !ENOMEM")
    assert "[0-1][1-4]" == vm.layout  # the first cut stays


@every_release
def test_dontunmap_without_fixed_reports_its_move(release: str) -> None:
    vm = Little(release, "map 0-2; touch 0-2")
    outcome = vm.mremap(at(0), 2 * P, 2 * P, MAYMOVE | DONTUNMAP, at(100))
    assert [(at(0), at(2), at(100), True)] == [(m.start, m.end, m.target, m.kept) for m in outcome.moves]
    assert not vm.mm.vmas()[0].flags & VM_UFFD_MISSING


@every_release
@pytest.mark.parametrize("locked", ["", "lock 0-4; "])
def test_a_fixed_shrink_moves_what_is_left_of_the_source(release: str, locked: str) -> None:
    # AAAA -> AA: the tail was unmapped before, and is no part of the move
    vm = Little(release, f"map 0-4; touch 0-4 1; {locked}map 104-106 r")
    outcome = vm("move 0-4 to 100-102")
    assert outcome is not None
    assert [(at(0), at(2), at(100))] == [(m.start, m.end, m.target) for m in outcome.moves]
    assert ("[100-102][104-106]", {100: 1000, 101: 1001}) == (vm.layout, vm.contents())
