"""What the source VMA must be for an mremap: check_prep_vma() and the limits, semantics 1.7, 2.6 and 3.

The order of the argument checks is in test_mremap_checks.py, the map count in test_map_count.py.
"""

from __future__ import annotations

import pytest

from tests.tiny_language import DONTUNMAP, MAYMOVE, MOVE, RELEASES, Little, at, before, since
from vmalab.linux.addr import PAGE

every_release = pytest.mark.parametrize("release", RELEASES)
P = PAGE


# --- which failure wins: semantics 3.1 to 3.13 ------------------------------------------------------------------


@pytest.mark.parametrize("release", since("6.12"))
@pytest.mark.parametrize(
    ("program", "step", "expected"),
    [
        # sealed before the length, the crossing and the growth
        ("map 0-2; seal 0-2", "resize 0-2 to 2", "EPERM"),
        ("map 0-2; seal 0-2", "resize 0-2 to 1", "EPERM"),
        ("map 0-2; seal 0-2", "resize 0-2 to 3", "EPERM"),
        ("map 0-2; seal 0-2", "resize 0-3 to 4 maymove", "EPERM"),
        ("map 0-2; seal 0-2", "copy 0 to 100-102", "EPERM"),
        ("map 0-2; seal 0-2", "move 0-2 to 100", "EPERM"),
        ("map 0-2; seal 0-2", "keep 0-2 to 100", "EPERM"),
        ("map 0-2; seal 0-2", "hint 0-2", "EPERM"),
        ("map 0-2 r; seal 0-1", "resize 1-2 to 3", None),  # only the VMA at addr counts
    ],
)
def test_a_seal_refuses_first(release: str, program: str, step: str, expected: str | None) -> None:
    vm = Little(release, program)
    assert expected == vm.errno(step)


@every_release
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("resize 5-6 to 6", "EFAULT"),  # nothing there
        ("resize 0-3 to 4", "EFAULT"),  # growth of a range that crosses the end, before the lock limit
        ("resize 0-2 to 4", "EAGAIN"),  # RLIMIT_MEMLOCK before RLIMIT_AS, and before the want of MREMAP_MAYMOVE
        ("resize 0-2 to 4 maymove", "EAGAIN"),
        ("move 0-2 to 100-104", "EAGAIN"),
        ("resize 2-4 to 6", "ENOMEM"),  # not locked: RLIMIT_AS
        ("resize 0-2 to 2", None),
        ("resize 0-3 to 3", None),  # no growth: the end is not looked at
        ("resize 0-2 to 1", None),
        ("move 0-2 to 100", None),  # a move needs no room
        ("move 0-2 to 100-101", None),
    ],
)
def test_the_limits_come_last(release: str, step: str, expected: str | None) -> None:
    # AABB: A is locked, RLIMIT_MEMLOCK and RLIMIT_AS are used up
    vm = Little(release, "map 0-2; lock 0-2; map 2-4 r; limit memlock 0; limit as 0")
    assert expected == vm.errno(step)


@every_release
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("resize 0-2 to 2", None),
        ("resize 0-2 to 1", None),
        ("resize 0-2 to 3", "EFAULT"),
        ("resize 0-2 to 3 maymove", "EFAULT"),
        ("resize 0-3 to 4", "EFAULT"),
        ("move 0-2 to 100", None),
        ("move 0-2 to 100-103", "EFAULT"),
        ("keep 0-2 to 100", "EINVAL"),
        ("hint 0-2", "EINVAL"),
        ("hint 0-3", "EINVAL"),  # before the crossing
    ],
)
def test_special_memory(release: str, step: str, expected: str | None) -> None:
    # VM_DONTEXPAND, as of the vdso or a perf buffer
    vm = Little(release, "map 0-2")
    vm.special(0)
    assert expected == vm.errno(step)


@every_release
def test_growing_a_copy_of_special_memory(release: str) -> None:
    vm = Little(release, "map 0-2 shared")
    vm.special(0)
    assert "EFAULT" == vm.errno("copy 0 to 100-102")


# --- how much is too much: semantics 3.12, 3.13 -----------------------------------------------------------------


@every_release
@pytest.mark.parametrize(("headroom", "expected"), [(1, "EAGAIN"), (2, None)])
def test_rlimit_memlock(release: str, headroom: int, expected: str | None) -> None:
    vm = Little(release, f"map 0-2; lock 0-2; limit memlock {headroom}")
    assert expected == vm.errno("resize 0-2 to 4")
    assert 2 + (2 if expected is None else 0) == vm.mm.locked_vm
    # root is not bound
    assert None is Little(release, "map 0-2; lock 0-2; limit memlock 0", privileged=True).errno("resize 0-2 to 4")


@every_release
@pytest.mark.parametrize(("headroom", "expected"), [(1, "ENOMEM"), (2, None)])
def test_rlimit_as(release: str, headroom: int, expected: str | None) -> None:
    for step in ("resize 0-2 to 4", "resize 0-1 to 3 maymove", "move 0-2 to 100-104", "keep 0-2 to 100", "hint 0-2"):
        vm = Little(release, f"map 0-2; limit as {headroom}")
        assert expected == vm.errno(step), step


@every_release
@pytest.mark.parametrize(
    ("prot", "headroom", "expected"), [("rw", 1, "ENOMEM"), ("rw", 2, None), ("r", 0, None), ("rw shared", 0, None)]
)
def test_rlimit_data_counts_private_writable_memory(
    release: str, prot: str, headroom: int, expected: str | None
) -> None:
    for step in ("resize 0-2 to 4", "keep 0-2 to 100"):
        vm = Little(release, f"map 0-2 {prot}")
        vm.mm.limits.data = vm.mm.data_vm + headroom
        assert expected == vm.errno(step), step


@pytest.mark.parametrize(
    ("release", "expected"), [*((r, None) for r in before("6.17")), *((r, "ENOMEM") for r in since("6.17"))]
)
def test_growth_onto_a_mapping_at_the_edge_of_rlimit_as(release: str, expected: str | None) -> None:
    # AA -> BBB: up to 6.16 the destination was unmapped first, and its pages did not count any more
    vm = Little(release, "map 0-2; map 100-103; limit as 0")
    assert expected == vm.errno("move 0-2 to 100-103")
    assert ("[100-103]" if expected is None else "[0-2][100-103]") == vm.layout


@every_release
def test_dontunmap_onto_a_mapping_at_the_edge_of_rlimit_as(release: str) -> None:
    # the whole length is counted after the destination was unmapped: the same size passes
    vm = Little(release, "map 0-2 r; map 100-102; limit as 0; keep 0-2 to 100")
    assert "[0-2][100-102]" == vm.layout
    # one page too few: refused, and the destination is gone
    vm = Little(release, "map 0-2 r; map 100-101; limit as 0; keep 0-2 to 100 !ENOMEM")
    assert "[0-2]" == vm.layout


@every_release
@pytest.mark.parametrize(
    ("program", "total", "step", "expected"),
    [
        ("map 0-2", 3, "resize 0-2 to 5", None),
        ("map 0-2", 2, "resize 0-2 to 5", "ENOMEM"),
        ("map 0-2 noreserve", 0, "resize 0-2 to 5", None),  # not charged
        ("map 0-2 r", 0, "resize 0-2 to 5", None),
        ("map 0-2", 2, "keep 0-2 to 100", None),  # DONTUNMAP charges the whole length
        ("map 0-2", 1, "keep 0-2 to 100", "ENOMEM"),
        ("map 0-2", 0, "move 0-2 to 100", None),
        ("map 0-2", 2, "resize 0-1 to 4 maymove", "ENOMEM"),
        ("map 0-2", 3, "resize 0-1 to 4 maymove", None),
    ],
)
def test_commit_charge(release: str, program: str, total: int, step: str, expected: str | None) -> None:
    vm = Little(release, program)
    vm.mm.limits.total_ram = total
    assert expected == vm.errno(step)


@every_release
def test_a_refused_commit_charge_finds_the_destination_gone(release: str) -> None:
    vm = Little(release, "map 0-2; map 100-105")
    vm.mm.limits.total_ram = 2
    vm("move 0-2 to 100-105 !ENOMEM")
    assert "[0-2]" == vm.layout


# --- old_len 0, the same memory once more: semantics 1.7 --------------------------------------------------------


@every_release
@pytest.mark.parametrize("kind", ["", "file", "zero"])
def test_private_memory_can_not_be_duplicated(release: str, kind: str) -> None:
    for old in (0, (1 << 64) - 1):
        for flags in (0, MAYMOVE):
            vm = Little(release, f"map 0-2 {kind}")
            assert "EINVAL" == vm.mremap(at(0), old, 2 * P, flags).errno
            assert "[0-2]" == vm.layout


@pytest.mark.parametrize(
    ("release", "expected"),
    [*((r, "[0-2]") for r in before("6.17")), *((r, "[0-2][100-102]") for r in since("6.17"))],
)
def test_the_destination_of_a_refused_duplicate(release: str, expected: str) -> None:
    vm = Little(release, "map 0-2; map 100-102; copy 0 to 100-102 !EINVAL")
    assert expected == vm.layout


@every_release
@pytest.mark.parametrize(
    ("program", "backing", "pgoff"), [("map 0-4 shared", "shmem", 1), ("map 0-4 sharedfile @5", "f0", 6)]
)
def test_shared_memory_is_mapped_once_more(release: str, program: str, backing: str, pgoff: int) -> None:
    vm = Little(release, f"{program}; touch 0-4; copy 1 to 100-106")
    row = vm.row(100)
    # longer than the source, and the source stays
    assert ("[0-4][100-106]", backing, pgoff) == (vm.layout, row.backing, row.pgoff)
    outcome = vm("read 100-102")
    assert outcome is not None
    assert (2001, 2002) == outcome.values
    # a write to one is seen in the other
    vm("touch 100 9")
    outcome = vm("read 1")
    assert outcome is not None
    assert (9000,) == outcome.values


@every_release
def test_a_duplicate_where_the_kernel_likes(release: str) -> None:
    vm = Little(release, "map 0-2 shared")
    outcome = vm.mremap(at(0), 0, 2 * P, MAYMOVE)
    assert outcome.value is not None
    assert (2, "[0-2]") == (len(outcome.after), vm.layout[:5])
    # without MREMAP_MAYMOVE: ENOMEM, not EINVAL as the man page says
    assert "ENOMEM" == Little(release, "map 0-2 shared").mremap(at(0), 0, 2 * P).errno


@every_release
def test_a_duplicate_is_locked_like_its_source(release: str) -> None:
    vm = Little(release, "map 0-2 shared; lock 0-2; copy 0 to 100-102")
    assert ("lo" in vm.row(100).flags, 4) == (True, vm.mm.locked_vm)


@every_release
def test_a_duplicate_merges_like_any_copy(release: str) -> None:
    vm = Little(release, "map 0-4 sharedfile; map 100-102 sharedfile @1; copy 3 to 102-104")
    assert "[0-4 @0][100-104 @1]" == vm.show("pgoff")


@every_release
def test_a_duplicate_onto_its_own_source_loses_it(release: str) -> None:
    # the old range is empty, so that this is no overlap
    vm = Little(release, "map 0-2 shared; copy 0 to 0-2 !EFAULT")
    assert "" == vm.layout
    vm = Little(release, "map 0-4 shared; copy 1 to 0-3 !EINVAL")
    assert "[0-4]" == vm.layout


@every_release
def test_no_duplicate_with_dontunmap(release: str) -> None:
    vm = Little(release, "map 0-2 shared")
    assert "EINVAL" == vm.mremap(at(0), 0, 2 * P, MOVE | DONTUNMAP, at(100)).errno
