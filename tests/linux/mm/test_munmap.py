"""munmap: ranges, gaps, seals and counters (semantics 9.10; the map count is in test_map_count.py)."""

from __future__ import annotations

import pytest

from tests.tiny_language import SPREAD, Little, at, since
from vmalab.linux.addr import PAGE, TASK_SIZE
from vmalab.linux.call import Munmap

every_release = pytest.mark.parametrize("release", SPREAD)
P, TS = PAGE, TASK_SIZE


@every_release
@pytest.mark.parametrize(
    ("addr", "length", "expected"),
    [
        (at(0) + 1, P, "EINVAL"),
        (at(0) + 1, 0, "EINVAL"),
        (at(0), 0, "EINVAL"),
        (at(0), (1 << 64) - 1, "EINVAL"),
        (TS, P, "EINVAL"),
        (TS + P, P, "EINVAL"),
        (TS - P, 2 * P, "EINVAL"),
        (at(0), TS, "EINVAL"),
        (TS - P, P, None),
        (TS, 0, "EINVAL"),
        (0, TS, None),
        (at(50), P, None),  # nothing mapped there
        (at(1), 1, None),  # one byte is one page
    ],
)
def test_arguments(release: str, addr: int, length: int, expected: str | None) -> None:
    vm = Little(release, "map 0-2; touch 0-2")
    assert expected == vm.do(Munmap(addr, length)).errno
    if expected:
        assert "[0-2]" == vm.layout


@every_release
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("unmap 0-4", "[6-8][8-10]"),
        ("unmap 1-3", "[0-1][3-4][6-8][8-10]"),  # AAAA -> A..A
        ("unmap 0-1", "[1-4][6-8][8-10]"),
        ("unmap 3-4", "[0-3][6-8][8-10]"),
        ("unmap 3-7", "[0-3][7-8][8-10]"),  # over a gap
        ("unmap 4-6", "[0-4][6-8][8-10]"),  # only a gap
        ("unmap 7-9", "[0-4][6-7][9-10]"),
        ("unmap 0-100", ""),
    ],
)
def test_what_stays(release: str, step: str, expected: str) -> None:
    # AAAA..BBCC
    vm = Little(release, f"map 0-4; map 6-8 r; map 8-10 x; touch 0-4 1; {step}")
    assert expected == vm.layout
    first, last = (int(n) for n in step.split()[1].split("-"))
    assert {n: 1000 + n for n in range(4) if not first <= n < last} == vm.contents()


@every_release
def test_counters(release: str) -> None:
    vm = Little(release, "map 0-4; map 6-10 r; lock 6-10; map 12-14 shared; unmap 3-8")
    assert (3 + 2 + 2, 3, 2) == (vm.mm.total_vm, vm.mm.data_vm, vm.mm.locked_vm)
    vm("unmap 0-100")
    assert (0, 0, 0) == (vm.mm.total_vm, vm.mm.data_vm, vm.mm.locked_vm)


@pytest.mark.parametrize("release", since("6.12"))
@pytest.mark.parametrize(
    ("program", "step", "expected"),
    [
        ("map 0-4; map 4-6 r; seal 4-6", "unmap 2-6", "[0-2][2-4][4-6]"),  # the cut at the start stays
        ("map 0-4; map 4-6 r; seal 4-6", "unmap 0-5", "[0-4][4-6]"),
        ("map 0-2 r; seal 0-2; map 2-6", "unmap 0-4", "[0-2][2-6]"),  # no cut at the end
        ("map 0-6; seal 0-6", "unmap 2-4", "[0-6]"),
        ("map 0-6; seal 0-6", "unmap 2-9", "[0-6]"),
        ("map 0-2; map 4-6; seal 4-6", "unmap 0-4", None),  # the seal is not in the range
    ],
)
def test_a_seal_keeps_everything(release: str, program: str, step: str, expected: str | None) -> None:
    vm = Little(release, program)
    assert (None if expected is None else "EPERM") == vm.errno(step)
    if expected is not None:
        assert expected == vm.layout


@every_release
def test_the_pages_of_shared_memory_live_on(release: str) -> None:
    outcome = Little(release)("map 0-2 sharedfile; touch 0-2 5; unmap 0-2; map 0-2 sharedfile; read 0-2")
    assert outcome is not None
    assert (5000, 5001) == outcome.values


@every_release
def test_no_memory_for_a_cut(release: str) -> None:
    vm = Little(release, "map 0-6")
    vm.mm.faults_to_inject["vm_area_dup"] = 1
    vm("unmap 2-4 !ENOMEM")
    assert "[0-6]" == vm.layout
    vm("unmap 2-4")
    assert "[0-2][4-6]" == vm.layout
