"""mprotect: one VMA after the other, up to the first problem (semantics 9.11 to 9.13)."""

from __future__ import annotations

import pytest

from tests.tiny_language import SPREAD, Little, at, since
from vmalab.linux.addr import PAGE
from vmalab.linux.call import Mprotect

every_release = pytest.mark.parametrize("release", SPREAD)
P = PAGE


@every_release
@pytest.mark.parametrize(
    ("addr", "length", "prot", "expected"),
    [
        (at(0) + 1, 0, 1, "EINVAL"),  # before the length 0
        (at(0) + 1, P, 1, "EINVAL"),
        (at(0), 0, 1, None),
        (at(50), 0, 99, None),
        (at(0), (1 << 64) - P, 1, "ENOMEM"),  # wraps
        (at(0), (1 << 64) - 1, 1, "ENOMEM"),
        (at(0), (1 << 64) - P, 8, "ENOMEM"),  # before the unknown bits
        (at(0), P, 8, "EINVAL"),
        (at(50), P, 8, "EINVAL"),  # before the gap
        (at(50), P, 1, "ENOMEM"),
        (at(0), 1, 1, None),
    ],
)
def test_arguments(release: str, addr: int, length: int, prot: int, expected: str | None) -> None:
    vm = Little(release, "map 0-2")
    assert expected == vm.do(Mprotect(addr, length, prot)).errno


@every_release
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("protect 0-9 none !ENOMEM", "[0-2 ---p][2-4 ---s][6-8 rw-p]"),  # up to the gap
        ("protect 4-8 none !ENOMEM", "[0-2 rw-p][2-4 rw-s][6-8 rw-p]"),  # a gap first: nothing
        ("protect 1-3 r", "[0-1 rw-p][1-2 r--p][2-3 r--s][3-4 rw-s][6-8 rw-p]"),
        ("protect 6-8 rwx", "[0-2 rw-p][2-4 rw-s][6-8 rwxp]"),
    ],
)
def test_vma_by_vma(release: str, step: str, expected: str) -> None:
    # AAss..BB
    vm = Little(release, f"map 0-2; map 2-4 shared; map 6-8; {step}")
    assert expected == vm.show("perms")


@pytest.mark.parametrize("release", since("6.12"))
def test_a_seal_stops_it_and_what_was_changed_stays(release: str) -> None:
    vm = Little(release, "map 0-2; map 2-4 r; seal 2-4; map 4-6 x; protect 0-6 rw !EPERM")
    assert "[0-2 rw-p][2-4 r--p][4-6 --xp]" == vm.show("perms")
    vm("protect 0-6 none !EPERM")
    assert "[0-2 ---p][2-4 r--p][4-6 --xp]" == vm.show("perms")
    vm("protect 2-4 r !EPERM")  # even to what it is


@every_release
def test_a_right_that_the_mapping_can_not_have(release: str) -> None:
    # a mapping without VM_MAYWRITE, such as a read-only file mapped shared
    vm = Little(release, "map 0-2 r; map 2-4 r shared")
    for vma in vm.mm.vmas()[1:]:
        vm.mm.replace("test", "test", (vma,), (vma.with_flags(vma.flags & ~0x20),))
    assert "EACCES" == vm.model.mprotect(at(0), 4 * P, "rw").errno
    assert "[0-2 rw-p][2-4 r--s]" == vm.show("perms")


# --- VM_ACCOUNT: semantics 9.12 ---------------------------------------------------------------------------------


@every_release
def test_write_charges_and_read_only_may_give_back(release: str) -> None:
    drops = release != "6.1"
    assert "[0-2 ac]" == Little(release, "map 0-2 r; protect 0-2 rw").show("flags")
    assert "[0-2 nr]" == Little(release, "map 0-2 r noreserve; protect 0-2 rw").show("flags")
    assert "[0-2 -]" == Little(release, "map 0-2 r shared; protect 0-2 rw").show("flags").replace("sh", "-")
    assert ("[0-2 -]" if drops else "[0-2 ac]") == Little(release, "map 0-2; protect 0-2 r").show("flags")
    assert "[0-2 ac]" == Little(release, "map 0-2; touch 0; protect 0-2 r").show("flags")  # faulted: kept
    assert "[0-2 ac]" == Little(release, "map 0-2 file; protect 0-2 r").show("flags")  # not anonymous: kept
    assert ("[0-2 -]" if drops else "[0-2 ac]") == Little(release, "map 0-2 zero; protect 0-2 r").show("flags")
    assert "[0-2 ac]" == Little(release, "map 0-2; protect 0-2 rwx").show("flags")


@every_release
def test_the_charge_decides_later_merges(release: str) -> None:
    # read-only by mprotect beside read-only from birth
    vm = Little(release, "map 0-2; protect 0-2 r; map 2-4 r")
    assert ("[0-2][2-4]" if release == "6.1" else "[0-4]") == vm.layout
    vm = Little(release, "map 0-2; touch 0; protect 0-2 r; map 2-4 r")
    assert "[0-2][2-4]" == vm.layout


@every_release
def test_rlimit_data(release: str) -> None:
    vm = Little(release, "map 0-2; map 4-8 r")
    vm.mm.limits.data = 4
    vm("protect 4-7 rw !ENOMEM; protect 4-6 rw")
    assert ("[0-2 rw-p][4-6 rw-p][6-8 r--p]", 4) == (vm.show("perms"), vm.mm.data_vm)
    # over the limit already: nothing more than before is asked for
    vm.mm.limits.data = 1
    vm("protect 0-2 rwx")
    vm("protect 0-2 r")
    assert 2 == vm.mm.data_vm


@every_release
def test_rlimit_as_does_not_bind(release: str) -> None:
    # may_expand_vm() is false for the new flags and for the old ones
    assert None is Little(release, "map 0-2 r; limit as 0").errno("protect 0-2 rw")


@every_release
def test_the_commit_charge(release: str) -> None:
    vm = Little(release, "map 0-4 r; map 6-10 r noreserve; map 12-16 r shared")
    vm.mm.limits.total_ram = 3
    vm("protect 0-4 rw !ENOMEM; protect 0-3 rw; protect 6-10 rw; protect 12-16 rw")


# --- pages: semantics 8.1, 9.13 ---------------------------------------------------------------------------------


@every_release
def test_locked_memory_made_writable_is_written_to(release: str) -> None:
    vm = Little(release, "map 0-2 r; lock 0-2")
    assert None is vm.row(0).anon_vma
    vm("protect 0-1 rw")
    assert vm.row(0).anon_vma is not None
    # not shared memory, nor what was writable before
    vm = Little(release, "map 0-2 r shared; lock 0-2; protect 0-2 rw")
    assert None is vm.row(0).anon_vma


@every_release
def test_contents_stay(release: str) -> None:
    vm = Little(release, "map 0-4; touch 0-4 1; protect 1-3 none; protect 1-3 rw")
    assert {n: 1000 + n for n in range(4)} == vm.contents()


@every_release
def test_the_same_again_changes_nothing(release: str) -> None:
    vm = Little(release, "map 0-4; protect 1-2 rw; protect 0-4 rw")
    assert ("[0-4]", ["same_flags"]) == (vm.layout, [step.key for step in vm.mm.steps])
