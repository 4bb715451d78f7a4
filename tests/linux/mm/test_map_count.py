"""How many VMAs a call needs room for, release by release: semantics 2.  MC is the count before, MAX the limit.

`limit map_count H` sets MAX to MC + H, so that "allowed iff MC <= MAX - 6" reads: H of 6 will do and 5 will not.
"""

from __future__ import annotations

import pytest

from tests.tiny_language import DONTUNMAP, MOVE, RELEASES, Little, at, before, since
from vmalab.linux.addr import PAGE

every_release = pytest.mark.parametrize("release", RELEASES)


def least(release: str, program: str, step: str, errno: str = "ENOMEM") -> int:
    """The smallest headroom with which `step` succeeds; with one less it fails with `errno`."""
    for headroom in range(12):
        got = Little(release, f"{program}; limit map_count {headroom}").errno(step)
        if got is None:
            return headroom
        assert errno == got
    raise AssertionError(f"{step} fails with any headroom")


def by_release(**needs: int) -> list[tuple[str, int]]:
    """`old=6, v7_1=4, v7_2=5` → (release, headroom) for every release."""
    found = []
    for release in RELEASES:
        new = release in since("7.1")
        need = needs.get("v7_2") if release in since("7.2") else None
        found.append((release, need if need is not None else needs["v7_1"] if new else needs["old"]))
    return found


# --- everything but mremap: semantics 2.1, 2.2 ------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("program", "step", "headroom"),
    [
        ("map 0-6", "map 8-9", 0),
        ("map 0-6", "map 2-4 r", 1),  # AA**AA: strictly inside one VMA
        ("map 0-6", "map 0-2 r", 0),
        ("map 0-6", "unmap 2-4", 1),  # AA..AA
        ("map 0-6", "unmap 0-2", 0),
        ("map 0-6", "unmap 4-6", 0),
        ("map 0-6; map 6-9 r", "unmap 2-8", 0),  # AA.....B: cuts two, one more for a moment
        ("map 0-6", "protect 0-2 r", 1),
        ("map 0-6", "protect 4-6 r", 1),
        ("map 0-6", "protect 2-4 r", 2),
        ("map 0-6", "protect 0-6 r", 0),
        ("map 0-2 rx; map 2-6 r", "protect 2-4 rx", 0),  # the boundary moves
        ("map 0-6", "lock 2-4", 2),
        ("map 0-6; lock 0-6", "unlock 2-4", 2),
        ("map 0-6; lock 0-6", "unlock 0-4", 1),
        ("map 0-6", "uffd 2-4", 2),
    ],
)
def test_room_for_splits(release: str, program: str, step: str, headroom: int) -> None:
    assert headroom == least(release, program, step)


@every_release
def test_madvise_says_eagain(release: str) -> None:
    assert 2 == least(release, "map 0-6", "advise 2-4 dontfork", "EAGAIN")
    assert 1 == least(release, "map 0-6", "advise 0-4 random", "EAGAIN")


@pytest.mark.parametrize("release", since("6.12"))
def test_room_to_seal(release: str) -> None:
    assert 2 == least(release, "map 0-6", "seal 2-4")


@every_release
def test_mmap_may_pass_the_limit_by_one(release: str) -> None:
    vm = Little(release, "map 0-2; limit map_count 0; map 4-6")
    assert 2 == vm.mm.map_count == vm.mm.limits.map_count + 1
    # then nothing more can be mapped, not even what would merge or replace
    vm("map 6-8 !ENOMEM; map 4-6 !ENOMEM; map 20-21 shared !ENOMEM")
    assert "[0-2][4-6]" == vm.layout


@every_release
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("protect 1-3 r !ENOMEM", "[0-1 rw-p][1-6 rw-p]"),
        ("lock 1-3 !ENOMEM", "[0-1 rw-p][1-6 rw-p]"),
        ("advise 1-3 dontdump !EAGAIN", "[0-1 rw-p][1-6 rw-p]"),
    ],
)
def test_the_first_of_two_splits_stays(release: str, step: str, expected: str) -> None:
    vm = Little(release, f"map 0-6; limit map_count 1; {step}")
    assert expected == vm.show("perms")


# --- mremap: semantics 2.3 to 2.5 -------------------------------------------------------------------------------


@pytest.mark.parametrize(("release", "headroom"), by_release(old=6, v7_1=4))
@pytest.mark.parametrize(
    ("program", "step"),
    [
        ("map 0-4", "move 0-4 to 100"),
        ("map 0-4; touch 0-4", "move 1-2 to 100"),
        ("map 0-4", "move 0-4 to 100-106"),
        ("map 0-4", "move 0-4 to 100-102"),
        ("map 0-4 shared", "copy 0 to 100-104"),
        ("map 0-4; map 100-106", "move 0-4 to 101"),  # the destination is cut: no more is asked for
    ],
)
def test_a_fixed_move(release: str, headroom: int, program: str, step: str) -> None:
    assert headroom == least(release, program, step)


@pytest.mark.parametrize(("release", "headroom"), by_release(old=6, v7_1=4, v7_2=5))
@pytest.mark.parametrize("step", ["keep 0-4 to 100", "hint 0-4", "hint 0-4 100", "keep 1-2 to 100"])
@pytest.mark.parametrize("locked", ["", "; lock 0-4"])
def test_dontunmap(release: str, headroom: int, step: str, locked: str) -> None:
    assert headroom == least(release, f"map 0-4{locked}", step)


@pytest.mark.parametrize(("release", "headroom"), by_release(old=4, v7_1=4))
def test_growth_that_moves(release: str, headroom: int) -> None:
    assert headroom == least(release, "map 0-4", "resize 0-2 to 6 maymove")


@pytest.mark.parametrize(("release", "headroom"), by_release(old=0, v7_1=4))
@pytest.mark.parametrize("step", ["resize 0-4 to 4", "resize 0-4 to 6", "resize 0-4 to 2", "resize 1-2 to 1"])
def test_every_other_mremap(release: str, headroom: int, step: str) -> None:
    # a no-op, growth in place, a shrink: since 7.1 even these need room
    assert headroom == least(release, "map 0-4", step)


@pytest.mark.parametrize(("release", "headroom"), by_release(old=1, v7_1=4))
def test_a_shrink_that_cuts_a_hole(release: str, headroom: int) -> None:
    # AAAAAA -> AA..AA
    assert headroom == least(release, "map 0-6", "resize 1-4 to 1")


@pytest.mark.parametrize(("release", "headroom"), [row for row in by_release(old=8, v7_1=6) if row[0] in since("6.17")])
def test_five_vmas_kept_and_copied(release: str, headroom: int) -> None:
    five = "map 0-1; map 1-2 r; map 2-3; map 3-4 r; map 4-5"
    assert headroom == least(release, five, "keep 0-5 to 100")


@pytest.mark.parametrize(
    ("release", "headroom", "copied"), [("6.17", 7, 4), ("7.0", 6, 3), ("7.1", 4, 3), ("7.3", 5, 4)]
)
def test_a_multi_dontunmap_fails_in_the_middle(release: str, headroom: int, copied: int) -> None:
    # the early test passes, and each copy takes one: those made before the failure stay
    vm = Little(release, f"map 0-1; map 1-2 r; map 2-3; map 3-4 r; map 4-5; limit map_count {headroom}")
    vm("keep 0-5 to 100 !ENOMEM")
    assert 5 + copied == vm.mm.map_count


@pytest.mark.parametrize("release", since("7.2"))
def test_a_locked_vma_kept_needs_one_more(release: str) -> None:
    # per VMA 2, and 3 where DONTUNMAP finds it locked: the fourth of four comes with MC + 3 mapped
    assert 6 == least(release, "map 0-1; map 1-2 r; map 2-3; map 3-4 r; lock 3-4", "keep 0-4 to 100")
    assert 5 == least(release, "map 0-1; map 1-2 r; map 2-3; map 3-4 r", "keep 0-4 to 100")


# --- which errno wins at the limit: semantics 2.3, 2.6, rows 8, 9 of 11 ------------------------------------------


@pytest.mark.parametrize("release", RELEASES)
def test_a_fixed_move_of_nothing_at_the_limit(release: str) -> None:
    vm = Little(release, "map 0-2; limit map_count 0")
    assert ("EFAULT" if release in before("6.16") else "ENOMEM") == vm.errno("move 50-52 to 100")


@pytest.mark.parametrize("release", RELEASES)
def test_an_overlap_at_the_limit(release: str) -> None:
    vm = Little(release, "map 0-2; limit map_count 0")
    assert ("ENOMEM" if release == "6.16" else "EINVAL") == vm.errno("move 0-2 to 1")


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("step", "errno"), [("resize 50-52 to 3", "EFAULT"), ("resize 0-3 to 4", "EFAULT"), ("resize 0-2 to 0", "EINVAL")]
)
def test_calls_without_a_target_at_the_limit(release: str, step: str, errno: str) -> None:
    vm = Little(release, "map 0-2; limit map_count 0")
    late = release in since("7.1") and errno != "EINVAL"
    assert ("ENOMEM" if late else errno) == vm.errno(step)


@pytest.mark.parametrize("release", since("6.12"))
def test_a_sealed_source_at_the_limit(release: str) -> None:
    vm = Little(release, "map 0-2; seal 0-2; limit map_count 0")
    assert ("ENOMEM" if release in since("7.1") else "EPERM") == vm.errno("resize 0-2 to 2")
    fixed = "EPERM" if release in before("6.16") else "ENOMEM"
    assert fixed == vm.errno("move 0-2 to 100")


@pytest.mark.parametrize("release", before("7.1"))
def test_the_late_test_finds_no_destination_to_spare(release: str) -> None:
    # 3 is enough to start growth that moves, and one too few to copy
    vm = Little(release, "map 0-4; limit map_count 3")
    outcome = vm.mremap(at(0), 2 * PAGE, 6 * PAGE, 1)
    assert outcome.rule is not None
    assert ("ENOMEM", "map_count_move", "[0-4]") == (outcome.errno, outcome.rule.key, vm.layout)


@pytest.mark.parametrize("release", since("6.17"))
def test_a_multi_move_may_lose_a_destination_to_the_late_test(release: str) -> None:
    # ABCDE onto five others with DONTUNMAP: where a copy is refused, its own destination is empty, the next is not
    vm = Little(release, "map 0-1; map 1-2 r; map 2-3; map 3-4 r; map 4-5; map 102-105 rx; limit map_count 6")
    outcome = vm.mremap(at(0), 5 * PAGE, 5 * PAGE, MOVE | DONTUNMAP, at(100))
    if release in since("7.1"):
        assert None is outcome.errno
    else:
        # MC 6, MAX 12: three copies make 9, which leaves too little for the fourth; a page of rx went for it
        assert ("ENOMEM", "[0-1][1-2][2-3][3-4][4-5][100-101][101-102][102-103][104-105]") == (outcome.errno, vm.layout)
