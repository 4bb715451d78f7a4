"""One mremap over several VMAs, since 6.17: gaps, partial failures, what may take part, the patch as posted.

Semantics 5 and 6.  A letter is a VMA, upper case where pages are present, `.` a gap; `FIXED` is the destination.
"""

from __future__ import annotations

import pytest

from tests.tiny_language import KEEP, MOVE, RELEASES, Little, at, before, since
from vmalab.linux.addr import PAGE

NEW = [*since("6.17"), "v3"]
multi = pytest.mark.parametrize("release", NEW)
P = PAGE


# --- what one call does: semantics 5.1, 5.3 to 5.5 --------------------------------------------------------------


@multi
def test_several_vmas_and_the_gaps_between_them(release: str) -> None:
    # AaBB..c -> the same at 100
    vm = Little(release, "map 0-2; touch 0; map 2-4 r; map 6-7 rx; move 0-7 to 100")
    assert ("[100-102 rw-p][102-104 r--p][106-107 r-xp]", {100: 2000}) == (vm.show("perms"), vm.contents())


@multi
@pytest.mark.parametrize(("start", "expected"), [(0, "[100-102][104-106]"), (1, "[0-1][101-102][104-106]")])
def test_a_range_that_ends_in_a_gap(release: str, start: int, expected: str) -> None:
    # AA..BB... and the gap at the end costs nothing
    vm = Little(release, f"map 0-2; map 4-6; move {start}-9 to {start + 100}")
    assert expected == vm.layout


@multi
@pytest.mark.parametrize(
    ("program", "expected"),
    [("map 1-3; move 0-3 to 100 !EFAULT", "[1-3]"), ("map 8-9; move 0-8 to 100 !EFAULT", "[8-9]")],
)
def test_a_range_that_starts_in_a_gap(release: str, program: str, expected: str) -> None:
    # .AA: nothing is changed, not even the destination
    vm = Little(release, f"map 100-103; {program}")
    assert f"{expected}[100-103]" == vm.layout


@multi
@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("map 102-104 x", "[100-102][102-104][104-106]"),  # XX under the gap stays
        ("map 102-104 x; seal 102-104", "[100-102][102-104][104-106]"),  # sealed: not even asked
        ("map 99-107 x", "[99-100][100-102][102-104][104-106][106-107]"),  # the middle of a larger VMA
        ("map 107-108 x", "[100-102][104-106][107-108]"),  # under the gap at the end
    ],
)
def test_what_lies_under_a_gap_stays(release: str, program: str, expected: str) -> None:
    # AA..BB.. onto what the program maps at 100
    vm = Little(release, f"map 0-2; map 4-6 r; {program}; move 0-8 to 100")
    assert expected == vm.layout


@multi
def test_only_the_pieces_in_the_range_move(release: str) -> None:
    # AAAA.BBBB: the last half of A, the first half of B
    vm = Little(release, "map 0-4; map 5-9 r; touch 0-4 1; move 2-7 to 102")
    assert "[0-2][7-9][102-104][105-107]" == vm.layout
    assert {0: 1000, 1: 1001, 102: 1002, 103: 1003} == vm.contents()


@multi
def test_into_the_tail_of_the_last_source(release: str) -> None:
    # rrBBBBBB: the spans touch and do not overlap
    vm = Little(release, "map 0-2 r; map 2-8; touch 2-8 1; move 0-4 to 4")
    assert ("[4-6 r--p][6-8 rw-p]", {6: 1000, 7: 1001}) == (vm.show("perms"), vm.contents())


@multi
def test_next_to_the_source(release: str) -> None:
    # rrBB....: to the right of itself, then back to the left
    vm = Little(release, "map 4-6 r; map 6-8; touch 6; move 4-8 to 8; move 8-12 to 4; move 4-8 to 0")
    assert ("[0-2 r--p][2-4 rw-p]", {2: 3000}) == (vm.show("perms"), vm.contents())


@multi
def test_downwards_over_what_the_first_piece_left(release: str) -> None:
    # the second piece lands where nothing of the source is: AA.BB at 10 to 4
    vm = Little(release, "map 10-12; map 13-15 r; touch 10-12 1; move 10-15 to 4")
    assert ("[4-6][7-9]", {4: 1000, 5: 1001}) == (vm.layout, vm.contents())


@multi
def test_the_result_is_the_new_address(release: str) -> None:
    vm = Little(release, "map 0-2; map 2-4 r")
    outcome = vm.mremap(at(1), 3 * P, 3 * P - 5, MOVE, at(50))  # lengths are rounded before they are compared
    assert (None, at(50), "[0-1][50-51][51-53]") == (outcome.errno, outcome.value, vm.layout)


@multi
def test_pieces_are_told_one_by_one(release: str) -> None:
    outcome = Little(release)("map 0-2; map 4-6 r; move 0-8 to 100")
    assert outcome is not None
    told = [
        (step.key, step.values.get("start"))
        for step in outcome.steps
        if step.key in ("piece", "gap_kept", "gap_at_end")
    ]
    assert [("piece", at(0)), ("gap_kept", at(2)), ("piece", at(4)), ("gap_at_end", at(6))] == told
    assert [(at(0), at(2), at(100)), (at(4), at(6), at(104))] == [(m.start, m.end, m.target) for m in outcome.moves]


# --- merging on the way: semantics 5.6 --------------------------------------------------------------------------


@multi
def test_pieces_may_heal(release: str) -> None:
    # aaaBBBccc: B was written at 103, so that it lands on its natural place and the three become one
    vm = Little(release, "map 0-3; map 103-106; touch 103-106; move 103-106 to 3; map 6-9")
    assert "[0-3][3-6][6-9]" == vm.layout
    vm("move 0-9 to 100")
    assert "[100-109]" == vm.layout


@multi
def test_written_pieces_do_not_heal(release: str) -> None:
    # AAABBBCCC: A and C keep the offsets of where they were written
    vm = Little(
        release, "map 0-3; touch 0; map 103-106; touch 103-106; move 103-106 to 3; map 6-9; touch 6; move 0-9 to 100"
    )
    assert "[100-103][103-106][106-109]" == vm.layout


@multi
@pytest.mark.parametrize(
    ("pgoff", "expected"), [(7, "[98-102 @5][102-104 @0]"), (8, "[98-100 @5][100-102 @8][102-104 @0]")]
)
def test_file_pieces_merge_where_their_offsets_continue(release: str, pgoff: int, expected: str) -> None:
    # AABB to where CC ends: A joins C if the file goes on there
    vm = Little(release, f"map 98-100 file @5; map 0-2 file @{pgoff}; map 2-4 sharedfile; move 0-4 to 100")
    assert expected == vm.show("pgoff")


@multi
def test_a_piece_joins_what_is_at_the_destination(release: str) -> None:
    # aa.bb beside cc: every piece by itself
    vm = Little(release, "map 0-2; map 3-5; map 98-100; map 105-107; move 0-5 to 100")
    assert "[98-102][103-107]" == vm.layout


# --- DONTUNMAP and counters: semantics 5.7, 5.8 -----------------------------------------------------------------


@multi
def test_every_husk_is_kept(release: str) -> None:
    vm = Little(release, "map 0-2; touch 0-2 1; map 3-5 r; keep 0-5 to 100")
    assert ("[0-2][3-5][100-102][103-105]", {100: 1000, 101: 1001}) == (vm.layout, vm.contents())


@multi
def test_counters_of_a_multi_move(release: str) -> None:
    vm = Little(release, "map 0-2; map 3-5 r; lock 0-5 !ENOMEM; map 6-9")
    counts = (vm.mm.total_vm, vm.mm.data_vm, vm.mm.locked_vm)
    assert (7, 5, 2) == counts
    vm("move 0-9 to 100")
    assert counts == (vm.mm.total_vm, vm.mm.data_vm, vm.mm.locked_vm)
    vm("keep 100-109 to 200")
    assert (14, 10) == (vm.mm.total_vm, vm.mm.data_vm)  # the VMAs, not the gaps


# --- partial failures: semantics 5.2 ----------------------------------------------------------------------------


@multi
@pytest.mark.parametrize(
    ("program", "step", "expected"),
    [
        # the second VMA is sealed; the third is not reached
        ("map 0-2; map 2-4 r; map 4-6; seal 2-4", "move 0-6 to 100 !EPERM", "[2-4][4-6][100-102]"),
        # the second VMA may not take part
        ("map 0-2; map 2-4 zero; map 4-6", "move 0-6 to 100 !EFAULT", "[2-4][4-6][100-102]"),
        ("map 0-2; map 2-4 r; map 4-6; uffd 2-4", "move 0-6 to 100 !EFAULT", "[2-4][4-6][100-102]"),
        # the destination of the second is sealed; it is not emptied
        ("map 0-2; map 2-4 r; map 102-104; seal 102-104", "move 0-4 to 100 !EPERM", "[2-4][100-102][102-104]"),
        # RLIMIT_AS with DONTUNMAP: the first copy is made, the second has no room
        ("map 0-2; map 2-4 r; limit as 2", "keep 0-4 to 100 !ENOMEM", "[0-2][2-4][100-102]"),
        ("map 0-2; map 2-4 r; limit as 1", "keep 0-4 to 100 !ENOMEM", "[0-2][2-4]"),
        # where the failure comes after the unmapping, the piece's own destination is empty, the next is not touched
        (
            "map 0-2; map 2-4 r; map 4-6; map 100-101 rx; map 102-103 rx; map 104-106 rx; limit as 1",
            "keep 0-6 to 100 !ENOMEM",
            "[0-2][2-4][4-6][100-102][104-106]",
        ),
    ],
)
def test_what_moved_before_a_failure_stays_moved(release: str, program: str, step: str, expected: str) -> None:
    vm = Little(release, program)
    vm(step)
    assert expected == vm.layout


@multi
def test_the_commit_charge_of_a_later_piece(release: str) -> None:
    # AA.BBB: B is larger than all memory; its destination is gone, and so is nothing else
    vm = Little(release, "map 0-2; map 3-6; map 100-102 x; map 103-106 x; map 106-107 rx")
    vm.mm.limits.total_ram = 2
    vm("keep 0-6 to 100 !ENOMEM")
    assert "[0-2 rw-p][3-6 rw-p][100-102 rw-p][106-107 r-xp]" == vm.show("perms")


@multi
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_memory_runs_out_at_the_nth_vma(release: str, nth: int) -> None:
    # abcABC: no memory for a page table at the nth; the kernel moves that piece back, the earlier ones stay
    vm = Little(release, "map 0-1; map 1-2 r; map 2-3; touch 0; touch 2")
    vm.mm.faults_to_inject["move_page_tables"] = nth
    vm("move 0-3 to 100 !ENOMEM")
    places = [100 if index < nth else 0 for index in (1, 2, 3)]
    expected = "".join(f"[{n + i}-{n + i + 1}]" for n, i in sorted(zip(places, range(3), strict=True)))
    assert (expected, 3) == (vm.layout, vm.mm.total_vm)
    assert {places[0]: 4000, places[2] + 2: 5000} == vm.contents()


# --- who may take part: semantics 6 -----------------------------------------------------------------------------


@multi
@pytest.mark.parametrize("kind", ["rw", "r", "none", "shared", "file", "sharedfile", "growsdown"])
def test_these_may_take_part(release: str, kind: str) -> None:
    vm = Little(release, f"map 0-2 rx; map 2-4 {kind}; map 4-6 rx; move 0-6 to 100")
    assert "[100-102][102-104][104-106]" == vm.layout


@pytest.mark.parametrize("release", since("6.17"))
@pytest.mark.parametrize("first", ["map 0-2 zero", "map 0-2; uffd 0-2"])
@pytest.mark.parametrize("rest", ["; map 2-4 r", "; map 5-6", ""])
def test_an_ineligible_first_vma_refuses_before_anything_moves(release: str, first: str, rest: str) -> None:
    # Z.B, ZB, and even Z with nothing but a gap behind it
    vm = Little(release, first + rest)
    layout = vm.layout
    vm("move 0-6 to 100 !EFAULT")
    assert layout == vm.layout


@pytest.mark.parametrize("release", [*RELEASES, "v3"])
@pytest.mark.parametrize("program", ["map 0-4 zero", "map 0-4; uffd 0-4"])
def test_an_ineligible_vma_moves_alone(release: str, program: str) -> None:
    vm = Little(release, f"{program}; move 0-4 to 100; move 101-103 to 0")
    assert "[0-2][100-101][103-104]" == vm.layout


# --- the patch as posted in version 3: semantics 5.10 -----------------------------------------------------------


@pytest.mark.parametrize("first", ["map 0-2 zero", "map 0-2; uffd 0-2"])
def test_v3_moves_an_ineligible_first_vma(first: str) -> None:
    # ZB: Z is moved, and only then the call fails
    vm = Little("v3", f"{first}; map 2-4 r; move 0-4 to 100 !EFAULT")
    assert "[2-4][100-102]" == vm.layout
    # with nothing but a gap behind it, the call succeeds
    vm = Little("v3", f"{first}; move 0-4 to 100")
    assert "[100-102]" == vm.layout


@pytest.mark.parametrize("program", ["map 0-2; map 2-4 zero; map 4-6", "map 0-2; map 3-5 r; seal 3-5"])
def test_v3_is_otherwise_like_6_17(program: str) -> None:
    results = []
    for release in ("v3", "6.17"):
        vm = Little(release, program)
        outcome = vm.mremap(at(0), 6 * P, 6 * P, MOVE, at(100))
        results.append((outcome.errno, vm.show("perms", "flags", "pgoff")))
    assert results[0] == results[1]


# --- before 6.17 ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", before("6.17"))
@pytest.mark.parametrize("flags", [MOVE, KEEP])
def test_before_6_17_one_call_moves_one_vma(release: str, flags: int) -> None:
    # AABB: EFAULT, and the destination is gone
    vm = Little(release, "map 0-2; map 2-4 r; map 100-104")
    outcome = vm.mremap(at(0), 4 * P, 4 * P, flags, at(100))
    assert outcome.rule is not None
    assert ("EFAULT", "crosses_vma_end", 2 * P) == (outcome.errno, outcome.rule.key, outcome.rule.values["past"])
    assert "[0-2][2-4]" == vm.layout
