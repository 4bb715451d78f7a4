"""fork: what a child inherits, and what that means for its merges (semantics 8.7, 8.8)."""

from __future__ import annotations

import pytest

from tests.tiny_language import SPREAD, Little, since

every_release = pytest.mark.parametrize("release", SPREAD)


# --- what is copied ---------------------------------------------------------------------------------------------


@every_release
def test_a_child_has_everything(release: str) -> None:
    vm = Little(
        release, "map 0-2; touch 0-2 5; map 4-6 r; map 8-10 shared; touch 8-10 6; map 12-14 file @3; touch 12 7"
    )
    shown, contents = vm.show("perms", "backing", "flags", "pgoff"), vm.contents()
    counts = (vm.mm.total_vm, vm.mm.data_vm)
    outcome = vm("child")
    assert outcome is not None
    assert (0, shown, counts) == (
        outcome.value,
        vm.show("perms", "backing", "flags", "pgoff"),
        (vm.mm.total_vm, vm.mm.data_vm),
    )
    # the page tables of file mappings without private pages are filled again by faults
    assert {page: value for page, value in contents.items() if page < 8 or page > 11} == vm.contents()
    seen = vm("read 8-10")
    assert seen is not None
    assert (6000, 6001) == seen.values


@every_release
def test_parent_and_child_share_files_and_nothing_else(release: str) -> None:
    vm = Little(release, "map 0-2; touch 0-2 5; map 8-10 shared; touch 8-10 6")
    parent = vm.mm
    vm("child; touch 0 7; touch 8 8")
    assert {0: 7000, 1: 5001, 8: 8000} == vm.contents()
    first = 0x1000000
    assert [[5000], [8000]] == [
        [run.at(run.start) for run in parent.resolved(first + n, first + n + 1)] for n in (0, 8)
    ]
    vm("unmap 0-100")
    assert 2 == parent.map_count
    parent.validate()


@every_release
def test_the_parent_does_not_change(release: str) -> None:
    vm = Little(release, "map 0-2; touch 0-2 5; lock 0-2; advise 0-2 dontfork; map 4-6")
    shown, chain = vm.show("perms", "flags", "pgoff"), vm.row(0).chain
    vm("fork")
    assert (shown, chain) == (vm.show("perms", "flags", "pgoff"), vm.row(0).chain)
    vm("map 6-8; map 2-4")
    assert "[0-2][2-8]" == vm.layout


@every_release
@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("advise 0-2 dontfork", ""),
        ("advise 0-2 wipeonfork", "[0-2 ac,wf @0]"),
        ("lock 0-2", "[0-2 ac @0]"),
        ("uffd 0-2", "[0-2 ac @0]"),
        ("advise 0-2 dontdump", "[0-2 ac,dd @0]"),
        ("advise 0-2 random", "[0-2 ac,rr @0]"),
    ],
)
def test_flags_that_end_or_leave_out(release: str, program: str, expected: str) -> None:
    vm = Little(release, f"map 0-2; {program}; child")
    assert (expected, 0) == (vm.show("flags", "pgoff"), vm.mm.locked_vm)


@pytest.mark.parametrize("release", since("6.12"))
def test_a_seal_is_inherited(release: str) -> None:
    vm = Little(release, "map 0-2; seal 0-2; child; unmap 0-2 !EPERM")
    assert "[0-2 ac,sl]" == vm.show("flags")


@every_release
def test_wiped_memory_comes_empty_but_keeps_its_offset(release: str) -> None:
    vm = Little(release, "map 0-2; touch 0-2; move 0-2 to 50; advise 50-52 wipeonfork; child")
    assert ("[50-52 @0]", {}, None, ()) == (vm.show("pgoff"), vm.contents(), vm.row(50).anon_vma, vm.row(50).chain)


@pytest.mark.parametrize("release", since("6.16"))
def test_guards_are_inherited(release: str) -> None:
    vm = Little(release, "map 0-2; advise 0 guard_install; child; touch 0 !SEGV; touch 1 7")
    assert {1: 7000} == vm.contents()
    # of a file mapping too: its page tables are copied because it has an anon_vma, later because it is flagged
    Little(release, "map 0-2 sharedfile; advise 0 guard_install; child; touch 0 !SEGV")


# --- anon_vma: chains -------------------------------------------------------------------------------------------


@every_release
def test_chains_grow_with_every_generation(release: str) -> None:
    vm = Little(release, "map 0-2; touch 0; map 10-12; child; touch 10")
    assert ((1, 2), 2, (3,)) == (vm.row(0).chain, vm.row(0).anon_vma, vm.row(10).chain)
    vm("child; child")
    assert ((1, 2, 4, 6), (3, 5, 7)) == (vm.row(0).chain, vm.row(10).chain)
    vm("touch 0-2")  # a write after the fork changes nothing about it
    assert (1, 2, 4, 6) == vm.row(0).chain


@every_release
def test_vmas_of_one_anon_vma_part_at_a_fork(release: str) -> None:
    # AAAA split before the fork: two new anon_vmas; split after it: one
    vm = Little(release, "map 0-4; touch 0-4; protect 0-2 r; child; protect 0-2 rw")
    assert "[0-2][2-4]" == vm.layout
    vm = Little(release, "map 0-4; touch 0-4; child; protect 0-2 r; protect 0-2 rw")
    assert "[0-4]" == vm.layout
    # in the parent it stays one
    vm = Little(release, "map 0-4; touch 0-4; protect 0-2 r; fork; protect 0-2 rw")
    assert "[0-4]" == vm.layout


# --- what merges in a child: semantics 8.8 ----------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("map 0-2; touch 0-2; child; map 2-4", "[0-2][2-4]"),  # fresh beside inherited
        ("map 2-4; touch 2-4; child; map 0-2", "[0-2][2-4]"),
        ("map 0-2; touch 0-2; child; touch 0-2; map 2-4", "[0-2][2-4]"),  # written again: no matter
        ("map 0-2; child; touch 0-2; map 2-4", "[0-4]"),  # first written by the child itself
        ("map 0-2; touch 0-2; fork; map 2-4", "[0-4]"),  # the parent merges as before
        ("map 0-2; touch 0-2; child; resize 0-2 to 4", "[0-4]"),  # growth in place
        ("map 0-4; touch 0-4; child; protect 1-2 r; protect 1-2 rw", "[0-4]"),  # split and joined again
        ("map 0-2; touch 0-2; child; unmap 0-2; map 0-2; map 2-4", "[0-4]"),  # a new mapping is fresh
    ],
)
def test_merges_after_a_fork(release: str, program: str, expected: str) -> None:
    assert expected == Little(release, program).layout


@every_release
def test_limits_are_inherited(release: str) -> None:
    vm = Little(release, "map 0-4; limit as 2; limit map_count 8; child; map 10-13 !ENOMEM; map 10-12")
    limits = vm.mm.limits
    vm("fork; limit as 9")
    assert limits is vm.mm.limits
    vm("child; limit as 5")
    assert limits is not vm.mm.limits


@every_release
def test_numbers_are_never_used_twice(release: str) -> None:
    # VMAs keep their identity over fork, and new ones of parent and child differ
    vm = Little(release, "map 0-2; map 4-6")
    parent = vm.mm
    ids = [vma.id for vma in parent.vmas()]
    vm("child; map 8-10")
    assert ids == [vma.id for vma in vm.mm.vmas()][:2]
    assert parent.new_id() not in [vma.id for vma in vm.mm.vmas()]
