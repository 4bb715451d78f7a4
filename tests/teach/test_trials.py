"""Tables of what was tried: obstacles to a move, and what a process is charged for."""

from __future__ import annotations

import pytest

from vmalab import MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, PAGE, Model, page
from vmalab.errors import UsageError
from vmalab.machines.program import scenario_of
from vmalab.teach import complaints, counters, real_kernels, stops
from vmalab.teach.obstacles import OBSTACLES
from vmalab.teach.order import FAULTS
from vmalab.teach.trials import Tried

KEEP = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP


def test_an_obstacle_at_the_first_vma_leaves_everything_and_a_later_one_half_a_move() -> None:
    rows = {name: told for name, *told in stops("6.17").rows}
    assert len(OBSTACLES) == len(rows)
    assert rows["A is sealed"] == ["EPERM", "nothing", "nothing"]
    assert rows["B is sealed"] == ["EPERM", "A", "A"]
    assert rows["DONTUNMAP, and RLIMIT_AS has room for two pages more"] == ["ENOMEM", "A, B", "A, B, C"]
    assert {"nothing"} == {row[2] for row in stops("6.16").rows}


def test_the_obstacles_were_held_against_a_kernel() -> None:
    assert stops("6.17").verdict == "Tried on the models; Linux 6.17.13 answered the same when it was recorded."


def test_a_kernel_that_differs_is_said_to() -> None:
    tried = Tried()
    scenario = scenario_of(OBSTACLES[-1].program())
    tried.on("6.17", scenario)
    tried._agree = False
    assert tried.verdict == "Tried on the models; Linux 6.17.13 differs as recorded."


def locked() -> Model:
    vm = Model("6.17")
    vm.mmap(page(0), 2 * PAGE)
    vm.mlock(page(0), 2 * PAGE)
    vm.mremap(page(0), 2 * PAGE, 2 * PAGE, KEEP, page(64))
    return vm


def test_counters_show_what_leaks_until_7_1() -> None:
    rows = {name: told for name, *told in counters(locked(), "6.12", "6.17", "7.1", "7.2").rows}
    assert rows == {
        "VMAs": ["2"] * 4, "VmSize, pages": ["4"] * 4, "VmLck, pages": ["2", "4", "4", "2"],
    }  # fmt: skip
    with pytest.raises(UsageError, match="needs the releases"):
        counters(locked())


def test_flags_at_the_end_beside_the_vmas() -> None:
    lines = real_kernels(locked(), "6.16", "6.17", flags=True).lines
    assert lines[0][2] == "[0 to 1 rw-p, no flags] [64 to 65 rw-p, ac lo]"
    assert lines[2][2] == "[0 to 1 rw-p, ac] [64 to 65 rw-p, ac lo]"


def test_the_order_of_checks_release_by_release() -> None:
    table = complaints("6.12", "6.16", "6.17")
    rows = {name: told for name, *told in table.rows}
    assert len(FAULTS) + 1 == len(rows)
    assert rows["nothing"] == ["EINVAL: unknown flags"] * 3 and rows["the seal"] == ["✓ works"] * 3
    assert rows["no MREMAP_MAYMOVE"] == ["EFAULT: nothing at addr", "ENOMEM: map count early", "EINVAL: overlap"]
    assert table.verdict.endswith("answered the same when they were recorded.")
