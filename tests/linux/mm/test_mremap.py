"""mremap of one VMA: no-op, shrink, growth, a fixed target, a hint (semantics 1.8, 4).

Many VMAs in one call are in test_mremap_many.py, what a copy looks like in test_mremap_move.py.
"""

from __future__ import annotations

import pytest

from tests.tiny_language import DONTUNMAP, FIXED, MAYMOVE, RELEASES, Little, at, before, since
from vmalab.linux.addr import PAGE, PMD_SIZE, TASK_SIZE
from vmalab.linux.mm.space import MMAP_BASE

every_release = pytest.mark.parametrize("release", RELEASES)
P = PAGE


def split(old: object, new: object, boundary: str = "6.17") -> pytest.MarkDecorator:
    """Both sides of a change of behaviour, as arguments `release` and `expected`."""
    cases = [*((r, old) for r in before(boundary)), *((r, new) for r in since(boundary))]
    return pytest.mark.parametrize(("release", "expected"), cases)


# --- the same length, no target: semantics 1.8 ------------------------------------------------------------------


@every_release
@pytest.mark.parametrize("length", [1, 2, 3, 9, 4000])
@pytest.mark.parametrize("flags", [0, MAYMOVE])
def test_the_same_length_is_no_work(release: str, length: int, flags: int) -> None:
    # AA.BB: the range may run past its end, over gaps and other VMAs
    vm = Little(release, "map 0-2; map 3-5 r; touch 0-2")
    outcome = vm.mremap(at(0), length * P, length * P, flags)
    assert (at(0), []) == (outcome.value, [step for step in outcome.steps if step.changes])
    assert "EFAULT" == vm.mremap(at(2), P, P, flags).errno  # but something must lie at addr


# --- shrinking where it is: semantics 4.1 -----------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("resize 0-4 to 1", "[0-1][6-8]"),  # AAAA..BB -> A.....BB
        ("resize 0-8 to 2", "[0-2]"),  # over the gap and the next VMA
        ("resize 0-8 to 7", "[0-4][6-7]"),  # the kept part spans them too
        ("resize 0-5 to 5", "[0-4][6-8]"),
        ("resize 1-3 to 1", "[0-2][3-4][6-8]"),  # a hole inside
        ("resize 6-100 to 1", "[0-4][6-7]"),
    ],
)
@pytest.mark.parametrize("maymove", ["", " maymove"])
def test_shrink_in_place(release: str, step: str, expected: str, maymove: str) -> None:
    vm = Little(release, "map 0-4; map 6-8 r")
    outcome = vm(step + maymove)
    assert outcome is not None
    assert expected == vm.layout


@pytest.mark.parametrize("release", since("6.12"))
def test_a_seal_in_the_tail_stops_a_shrink(release: str) -> None:
    # AA.SS: nothing is removed, and the VMA stays cut where the range starts
    vm = Little(release, "map 0-4; map 6-8; seal 6-8; resize 0-8 to 2 !EPERM")
    assert "[0-2][2-4][6-8]" == vm.layout


@every_release
def test_a_shrink_beyond_the_end_of_user_space(release: str) -> None:
    vm = Little(release, "map 0-4")
    assert "EINVAL" == vm.mremap(at(0), TASK_SIZE, 2 * P).errno
    assert "[0-4]" == vm.layout


# --- growing where it is: semantics 4.2 -------------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("program", "step", "expected"),
    [
        ("map 0-2", "resize 0-2 to 5", "[0-5]"),
        ("map 0-4", "resize 2-4 to 5", "[0-7]"),  # from the middle of the VMA on
        ("map 0-2; map 4-6 r", "resize 0-2 to 4", "[0-4][4-6]"),  # exactly fits
        ("map 0-2 file @3; touch 0-2", "resize 0-2 to 5", "[0-5]"),
        ("map 0-2 sharedfile @4095", "resize 0-2 to 5", "[0-5]"),  # past the end of the file
        ("map 0-2 shared", "resize 0-2 to 5", "[0-5]"),
        ("map 0-2 zero", "resize 0-2 to 5", "[0-5]"),
        ("map 0-2; map 100-102 growsdown", "resize 0-2 to 100", "[0-100][100-102]"),  # the guard gap is no obstacle
    ],
)
def test_growth_in_place(release: str, program: str, step: str, expected: str) -> None:
    vm = Little(release, program)
    before_call = vm.row(0)
    outcome = vm(step)
    assert outcome is not None
    assert (expected, before_call.id, before_call.pgoff) == (vm.layout, vm.row(0).id, vm.row(0).pgoff)


@every_release
@pytest.mark.parametrize(
    ("program", "step", "why"),
    [
        ("map 0-2; map 4-6 r", "resize 0-2 to 5", "occupied"),
        ("map 0-4", "resize 0-2 to 3", "stops_short"),
        ("map 0-4", "resize 0-3 to 9", "stops_short"),
    ],
)
def test_what_is_in_the_way_of_growth(release: str, program: str, step: str, why: str) -> None:
    vm = Little(release, f"{program}; touch 0-2")
    layout = vm.layout
    outcome = vm(f"{step} !ENOMEM")
    assert outcome is not None and outcome.rule is not None
    assert ("no_room_may_not_move", why, layout) == (outcome.rule.key, outcome.rule.values["why"], vm.layout)


@every_release
def test_growth_at_the_end_of_user_space(release: str) -> None:
    vm = Little(release, "map 0-2")
    assert None is vm.mremap(at(0), 2 * P, 2 * P, 3, TASK_SIZE - 2 * P).errno
    assert "ENOMEM" == vm.mremap(TASK_SIZE - 2 * P, 2 * P, 3 * P).errno
    outcome = vm.mremap(TASK_SIZE - 2 * P, 2 * P, 3 * P, MAYMOVE)
    assert MMAP_BASE - 3 * P == outcome.value


# --- growing by moving: semantics 4.3, 4.4 ----------------------------------------------------------------------


@every_release
def test_growth_that_moves_leaves_the_rest(release: str) -> None:
    # AAAAAA, the middle grows: AA..AA and the middle elsewhere, with what was in it
    vm = Little(release, "map 0-6; touch 0-6 5")
    outcome = vm("resize 2-4 to 5 maymove")
    assert outcome is not None and outcome.value is not None
    assert MMAP_BASE - 5 * P == outcome.value
    rows = list(outcome.after)
    assert [(at(0), 2), (at(4), 2), (outcome.value, 5)] == [(row.start, row.pages) for row in rows]
    assert {0: 5002, 1: 5003} == rows[2].contents()


@pytest.mark.parametrize(("kind", "boundary"), [("", "6.12"), ("zero", "6.18.15")])
@every_release
def test_growth_to_two_megabytes_is_aligned(release: str, kind: str, boundary: str) -> None:
    vm = Little(release, f"map 0-4 {kind}")
    outcome = vm.mremap(at(0), P, PMD_SIZE, MAYMOVE)
    assert outcome.value is not None
    assert (release in since(boundary)) == (outcome.value % PMD_SIZE == 0)
    # shared memory never is
    outcome = Little(release, "map 0-4 shared").mremap(at(0), P, PMD_SIZE, MAYMOVE)
    assert outcome.value is not None
    assert outcome.value % PMD_SIZE


@every_release
def test_locked_growth_brings_its_pages_in(release: str) -> None:
    # LL -> LLLL in place; with something behind it, elsewhere
    vm = Little(release, "map 0-2; lock 0-2; resize 0-2 to 4")
    assert ({0: 0, 1: 0, 2: 0, 3: 0}, 4) == (vm.contents(), vm.mm.locked_vm)
    vm = Little(release, "map 0-2; lock 0-2; map 2-3 r")
    outcome = vm("resize 0-2 to 4 maymove")
    assert outcome is not None
    assert ({0: 0, 1: 0, 2: 0, 3: 0}, 4) == (list(outcome.after)[1].contents(), vm.mm.locked_vm)
    # read-only memory is read, not written
    vm = Little(release, "map 0-2 r; lock 0-2; resize 0-2 to 4")
    assert (4, None) == (len(vm.contents()), vm.row(0).anon_vma)


# --- a fixed target: semantics 4.5 ------------------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("move 0-4 to 100", "[8-10][100-104][106-108]"),
        ("move 0-4 to 98", "[8-10][98-102][102-103][106-108]"),
        ("move 0-4 to 101", "[8-10][100-101][101-105][106-108]"),
        ("move 0-4 to 107", "[8-10][100-103][106-107][107-111]"),
        ("move 0-4 to 100-108", "[8-10][100-108]"),  # growing
        ("move 0-4 to 102-103", "[8-10][100-102][102-103][106-108]"),  # shrinking
        ("move 0-9 to 102-103", "[9-10][100-102][102-103][106-108]"),  # a tail over the gap and the next VMA
        ("move 1-3 to 20", "[0-1][3-4][8-10][20-22][100-103][106-108]"),
    ],
)
def test_a_fixed_target_is_emptied_first(release: str, step: str, expected: str) -> None:
    # AAAA....BB, CCC at 100, DD at 106
    vm = Little(release, "map 0-4; map 8-10 r; map 100-103 x; map 106-108 rx; touch 0-4")
    outcome = vm(step)
    assert outcome is not None
    assert expected == vm.layout
    assert outcome.value == at(float(step.split(" to ")[1].split("-")[0]))


@every_release
def test_a_part_moves_into_another_part(release: str) -> None:
    # AAAAAA, the first two over the last two
    vm = Little(release, "map 0-6; touch 0-6 1; move 0-2 to 4")
    assert ({2: 1002, 3: 1003, 4: 1000, 5: 1001}, "[2-4][4-6]") == (vm.contents(), vm.layout)


@every_release
def test_pages_and_flags_come_along(release: str) -> None:
    vm = Little(release, "map 0-4 file @3; touch 1-3 7; advise 0-4 dontfork; move 0-4 to 100")
    row = vm.row(100)
    assert (("ac", "dc"), "f0", 3, {1: 7000, 2: 7001}) == (row.flags, row.backing, row.pgoff, row.contents())


@pytest.mark.parametrize("release", since("6.12"))
def test_a_sealed_destination(release: str) -> None:
    # AAAA over ..SS: nothing is unmapped, but a VMA cut by the start of the range stays cut
    vm = Little(release, "map 0-4; map 100-103 r; map 103-105; seal 103-105; move 0-4 to 101 !EPERM")
    assert "[0-4][100-101][101-103][103-105]" == vm.layout


# --- a hint: semantics 4.8 --------------------------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("hint 0-4 100", at(100)),  # free
        ("hint 0-4 8", MMAP_BASE - 4 * P),  # taken: somewhere else, and what lies there stays
        ("hint 0-4 6", MMAP_BASE - 4 * P),  # half of it taken
        ("hint 0-4", MMAP_BASE - 4 * P),
        ("hint 1-3 100", at(100)),
    ],
)
def test_dontunmap_takes_a_hint(release: str, step: str, expected: int) -> None:
    vm = Little(release, "map 0-4; touch 0-4; map 8-10 r")
    outcome = vm(step)
    assert outcome is not None
    assert expected == outcome.value
    assert "[0-4][8-10]" == vm.layout[:11]


# --- which ranges an operation accepts: semantics 4.11 ----------------------------------------------------------


@split("EFAULT", None)
@pytest.mark.parametrize("step", ["move 0-8 to 100", "keep 0-8 to 100"])
def test_the_same_size_over_several_vmas(release: str, expected: str | None, step: str) -> None:
    # AAAA..BB
    vm = Little(release, "map 0-4; map 6-8 r")
    assert expected == vm.errno(step)


@split("EFAULT", None)
def test_the_same_size_past_the_end(release: str, expected: str | None) -> None:
    # AAAA.. -> a gap at the end counts too; up to 6.16 the destination is gone as well
    vm = Little(release, "map 0-4; map 100-106 r")
    assert expected == vm.errno("move 0-6 to 100")
    assert ("[100-104][104-106]" if expected is None else "[0-4]") == vm.layout


@every_release
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("resize 0-8 to 9", "EFAULT"),
        ("resize 0-8 to 9 maymove", "EFAULT"),
        ("move 0-8 to 100-109", "EFAULT"),
        ("hint 0-8", "EFAULT"),
        ("hint 0-5 100", "EFAULT"),
        ("resize 0-8 to 8", None),
        ("resize 0-8 to 7", None),
        ("move 0-8 to 100-104", None),  # a shrink: the tail may span
        ("move 0-8 to 100-105", "EFAULT"),  # but what stays may not
    ],
)
def test_one_vma_only(release: str, step: str, expected: str | None) -> None:
    # AAAA..BB
    vm = Little(release, "map 0-4; map 6-8 r")
    assert expected == vm.errno(step)


@every_release
@pytest.mark.parametrize("flags", [MAYMOVE, MAYMOVE | FIXED, MAYMOVE | DONTUNMAP])
def test_no_vma_at_all(release: str, flags: int) -> None:
    vm = Little(release, "map 0-4")
    assert "EFAULT" == vm.mremap(at(50), P, P, flags, at(100)).errno
    assert "EFAULT" == vm.mremap(at(4), P, P, flags, at(100)).errno
