"""Stack growth by an access: how far, what refuses it, what it does to the VMA (semantics 9.7)."""

from __future__ import annotations

import pytest

from tests.tiny_language import SPREAD, Little, at
from vmalab.linux.addr import ARENA_BASE, PAGE, PAGE_SHIFT

every_release = pytest.mark.parametrize("release", SPREAD)

STACK = "map 600-602 growsdown"


@every_release
@pytest.mark.parametrize(
    ("program", "layout"),
    [
        (f"{STACK}; touch 599", "[599-602]"),
        (f"{STACK}; read 598", "[598-602]"),
        (f"{STACK}; touch 10", "[10-602]"),  # any distance, in one step
        (f"{STACK}; touch 599-603 !SEGV", "[599-602]"),
        (f"{STACK}; map 603-604; touch 602 !SEGV", "[600-602][603-604]"),
        (f"{STACK}; touch 598-601 7", "[598-602]"),
        (f"{STACK}; protect 600-602 rx; touch 597 !SEGV", "[597-602]"),  # it grows before the right is looked at
        (f"{STACK}; protect 600-602 none; read 597 !SEGV", "[597-602]"),
        (f"{STACK}; seal 600-602; touch 599", "[599-602]"),  # a seal does not forbid it
        (f"{STACK}; move 600-602 to 1500; touch 1499", "[1499-1502]"),
        (f"{STACK}; unmap 600; touch 600", "[600-602]"),
        (f"{STACK}; map 602-604; touch 601-603 7; touch 599", "[599-602][602-604]"),
        (f"{STACK}; map 590-592 growsdown; touch 595; touch 592", "[590-592][592-602]"),  # no gap, and no merge
        (f"{STACK}; fork; touch 580", "[580-602]"),
        (f"{STACK}; touch 600; child; touch 580", "[580-602]"),
        (f"{STACK}; uffd 600-602; touch 599 !UFFD", "[599-602]"),
        ("map 600-602; touch 599 !SEGV", "[600-602]"),
        ("map 600-602 shared; map 603 growsdown; touch 599 !SEGV; read 602 !SEGV", "[600-602][603-604]"),
    ],
)
def test_where_an_access_lets_a_stack_grow(release: str, program: str, layout: str) -> None:
    if "seal" in program and release == "6.1":
        pytest.skip("no mseal yet")
    assert layout == Little(release, program).layout


@every_release
@pytest.mark.parametrize(
    ("neighbour", "lowest"),
    [
        ("map 300-302", 558),
        ("map 300-302 r", 558),
        ("map 300-302 x", 558),
        ("map 300-302 shared", 558),
        ("map 300-302 file", 558),
        ("map 300-302 none", 302),  # may not be accessed, so it needs no guard gap
        ("map 300-302 none file", 302),
        ("map 300-302 growsdown", 302),
    ],
)
def test_the_guard_gap(release: str, neighbour: str, lowest: int) -> None:
    vm = Little(release, f"{STACK}; {neighbour}")
    if lowest > 302:
        vm(f"touch {lowest - 1} !SEGV; read {lowest - 1} !SEGV; touch 302 !SEGV")
        assert "[300-302][600-602]" == vm.layout
    vm(f"touch {lowest}")
    assert f"[300-302][{lowest}-602]" == vm.layout


@every_release
def test_a_growth_moves_pgoff_and_counts(release: str) -> None:
    vm = Little(release, f"{STACK}; touch 590 5")
    row = vm.row(590)
    assert ((ARENA_BASE >> PAGE_SHIFT) + 590, ("ac", "gd")) == (row.vm_pgoff, row.flags)
    assert (12, 0) == (vm.mm.total_vm, vm.mm.data_vm)
    assert {590: 5000} == vm.contents()
    assert row.anon_vma is not None


@every_release
def test_reading_below_a_stack_gives_it_an_anon_vma(release: str) -> None:
    vm = Little(release, f"{STACK}; read 599")
    assert (["zero"], True) == ([run.kind for run in vm.mm.pagetable], vm.row(599).anon_vma is not None)


@every_release
def test_a_refused_growth_may_leave_an_anon_vma(release: str) -> None:
    # expand_downwards() prepares it before acct_stack_growth() looks at the limits, but after the guard gap
    assert Little(release, f"{STACK}; limit as 1; touch 598 !SEGV").row(600).anon_vma is not None
    assert Little(release, f"{STACK}; map 300-302; touch 310 !SEGV").row(600).anon_vma is None


@every_release
def test_rlimit_as(release: str) -> None:
    vm = Little(release, f"{STACK}; limit as 10; touch 589 !SEGV; touch 590; touch 589 !SEGV")
    assert "[590-602]" == vm.layout


@every_release
def test_rlimit_stack_counts_the_whole_stack(release: str) -> None:
    vm = Little(release, "map 3000-3002 growsdown; touch 953 !SEGV; touch 954")
    assert 2048 == vm.row(954).pages
    vm.mm.limits.stack = 2050
    vm("touch 951 !SEGV; touch 952")
    assert "[952-3002]" == vm.layout


@every_release
def test_rlimit_memlock_and_a_locked_stack(release: str) -> None:
    vm = Little(release, f"{STACK}; lock 600-602; limit memlock 4; touch 595 !SEGV; touch 596 5")
    # only what is touched is brought in
    assert (6, {596: 5000, 600: 0, 601: 0}) == (vm.mm.locked_vm, vm.contents())
    vm = Little(release, f"{STACK}; lock 600-602; limit memlock 4; touch 500", privileged=True)
    assert 102 == vm.mm.locked_vm


@every_release
def test_no_stack_grows_below_mmap_min_addr(release: str) -> None:
    # not even that of root
    vm = Little(release, privileged=True)
    least = vm.mm.limits.mmap_min_addr
    vm.model.mmap(least + 2 * PAGE, PAGE, growsdown=True)
    assert "SEGV" == vm.model.touch(least - PAGE).errno
    assert vm.model.touch(least).ok


def test_a_moved_stack_can_not_grow_past_offset_0() -> None:
    vm = Little("6.18")
    low = 16 * PAGE
    vm.model.mmap(low, PAGE, growsdown=True)
    vm.model.touch(low)
    vm.model.mremap(low, PAGE, PAGE, 3, at(600))
    outcome = vm.model.touch(at(583))
    assert outcome.rule is not None
    assert ("SEGV", "stack_pgoff") == (outcome.errno, outcome.rule.key)
    assert vm.model.touch(at(584)).ok
    assert 0 == vm.row(584).vm_pgoff


@pytest.mark.parametrize("where", ["anon_vma_prepare", "acct_stack_growth"])
def test_no_memory_for_a_growth_is_a_signal(where: str) -> None:
    vm = Little("6.18", STACK)
    vm.model.inject(where)
    outcome = vm("touch 599 !SEGV")
    assert outcome is not None and outcome.rule is not None
    assert ("injected_failure", where) == (outcome.rule.key, outcome.rule.func)


def test_the_steps_of_a_growth() -> None:
    outcome = Little("6.18", STACK)("touch 599")
    assert outcome is not None
    assert [
        ("lock_mm_and_find_vma", "below_stack"),
        ("anon_vma_prepare", "anon_vma_new"),
        ("acct_stack_growth", "stack_may_grow"),
        ("expand_downwards", "stack_grown"),
        ("do_anonymous_page", "fault_anon"),
    ] == [(step.func, step.key) for step in outcome.steps]


def test_pieces_of_a_stack_that_grew_merge_again() -> None:
    # growth keeps the offsets in one sequence, so what a mprotect cuts can join again
    vm = Little("6.18", f"{STACK}; touch 590; protect 590-600 r; protect 590-600 rw")
    assert "[590-602]" == vm.layout
