"""madvise: flags, what drops pages, guard regions (semantics 9e)."""

from __future__ import annotations

import pytest

from tests.tiny_language import SPREAD, Little, at, before, since
from vmalab.linux.addr import PAGE
from vmalab.linux.call import Madvise
from vmalab.linux.flags import VM_MAYBE_GUARD

every_release = pytest.mark.parametrize("release", SPREAD)
guards = pytest.mark.parametrize("release", since("6.16"))
P = PAGE

# --- arguments, gaps: semantics 9.30 ----------------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("addr", "length", "expected"),
    [
        (at(0) + 1, 0, "EINVAL"),
        (at(0) + 1, P, "EINVAL"),
        (at(0), (1 << 64) - 1, "EINVAL"),
        (at(0), (1 << 64) - P, "EINVAL"),
        (at(0), 0, None),
        (at(50), 0, None),
        (at(50), P, "ENOMEM"),
        (at(0), 1, None),
    ],
)
def test_arguments(release: str, addr: int, length: int, expected: str | None) -> None:
    vm = Little(release, "map 0-2")
    assert expected == vm.do(Madvise(addr, length, "random")).errno


@every_release
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("advise 0-10 dontfork !ENOMEM", "[2-4 dc][6-8 dc]"),  # a gap before, inside and behind
        ("advise 0-4 dontfork !ENOMEM", "[2-4 dc][6-8 -]"),
        ("advise 2-8 dontfork !ENOMEM", "[2-4 dc][6-8 dc]"),
        ("advise 6-10 dontfork !ENOMEM", "[2-4 -][6-8 dc]"),
        ("advise 4-6 dontfork !ENOMEM", "[2-4 -][6-8 -]"),
        ("advise 2-4 dontfork", "[2-4 dc][6-8 -]"),
    ],
)
def test_gaps_are_passed_over(release: str, step: str, expected: str) -> None:
    # ..AA..BB: every mapped part is done, and the result is ENOMEM
    vm = Little(release, f"map 2-4 r; map 6-8 r; {step}")
    assert expected == vm.show("flags")


@every_release
def test_where_the_gap_begins(release: str) -> None:
    for program, step, gap in (
        ("map 2-4 r; map 6-8 r", "advise 2-8 random !ENOMEM", 4),
        ("map 2-4 r", "advise 2-8 random !ENOMEM", 4),
        ("map 2-4 r", "advise 0-8 random !ENOMEM", 0),
    ):
        outcome = Little(release, program)(step)
        assert outcome is not None and outcome.rule is not None
        assert at(gap) == outcome.rule.values["at"]


@every_release
def test_a_vma_that_refuses_stops_it_at_once(release: str) -> None:
    # AAFFBB: WIPEONFORK is for private anonymous memory without a file
    vm = Little(release, "map 0-2 r; map 2-4 r file; map 4-6 r; advise 0-6 wipeonfork !EINVAL")
    assert "[0-2 wf][2-4 -][4-6 -]" == vm.show("flags")
    for kind in ("zero", "shared", "sharedfile"):
        assert "EINVAL" == Little(release, f"map 0-2 {kind}").errno("advise 0-2 wipeonfork")


# --- flags: semantics 9.31 --------------------------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("advices", "expected"),
    [
        ("random", "rr"),
        ("sequential", "sr"),
        ("random sequential", "sr"),
        ("sequential random", "rr"),
        ("sequential normal", "-"),
        ("random normal", "-"),
        ("dontfork", "dc"),
        ("dontfork dofork", "-"),
        ("dontdump", "dd"),
        ("dontdump dodump", "-"),
        ("wipeonfork", "wf"),
        ("wipeonfork keeponfork", "-"),
        ("hugepage", "hg"),
        ("hugepage nohugepage", "nh"),  # no way back to neither
        ("nohugepage hugepage", "hg"),
        ("dontfork dontdump random nohugepage", "dc,dd,nh,rr"),
        ("dofork dodump keeponfork normal", "-"),
    ],
)
def test_flags(release: str, advices: str, expected: str) -> None:
    program = "; ".join(f"advise 0-2 {advice}" for advice in advices.split())
    assert f"[0-2 {expected}]" == Little(release, f"map 0-2 r; {program}").show("flags")


@every_release
def test_a_part_is_split_off(release: str) -> None:
    vm = Little(release, "map 0-6 r; advise 2-4 dontdump")
    assert "[0-2 -][2-4 dd][4-6 -]" == vm.show("flags")


# --- DONTNEED ---------------------------------------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("program", "values"),
    [
        ("map 0-3; touch 0-3 5", (5000, 0, 5002)),
        ("map 0-3 shared; touch 0-3 5", (5000, 5001, 5002)),
        ("map 8-11 sharedfile; touch 8-11 7; map 0-3 file; touch 0-3 5", (5000, 7001, 5002)),  # the file shows again
        ("map 0-3 zero; touch 0-3 5", (5000, 0, 5002)),
    ],
)
def test_dontneed_drops_pages(release: str, program: str, values: tuple[int, ...]) -> None:
    vm = Little(release, f"{program}; advise 1 dontneed")
    assert 1 not in vm.contents()
    outcome = vm("read 0-3")
    assert outcome is not None
    assert values == outcome.values


@every_release
def test_dontneed_keeps_the_anon_vma(release: str) -> None:
    vm = Little(release, "map 0-2; touch 0-2; advise 0-2 dontneed")
    assert ("[0-2]", {}, False) == (vm.layout, vm.contents(), vm.row(0).anon_vma is None)


@every_release
def test_dontneed_of_locked_memory(release: str) -> None:
    vm = Little(release, "map 0-2; map 2-4 rx; touch 0-2 5; lock 2-4; advise 0-4 dontneed !EINVAL")
    assert {2: 0, 3: 0} == vm.contents()  # the VMA before it was done


# --- guard regions: semantics 9.32 ------------------------------------------------------------------------------


@pytest.mark.parametrize("release", before("6.16"))
def test_no_guards_before_6_13(release: str) -> None:
    for advice in ("guard_install", "guard_remove"):
        assert "EINVAL" == Little(release, "map 0-2").errno(f"advise 0-2 {advice}")
        assert "EINVAL" == Little(release).errno(f"advise 0.5-2 {advice}")


@guards
def test_a_guard_is_deadly_to_touch(release: str) -> None:
    vm = Little(release, "map 0-4; touch 0-4 5; advise 1-3 guard_install; touch 0-4 !SEGV; touch 0 6")
    outcome = vm("read 0-4 !SEGV")
    assert outcome is not None
    assert (6000, None, None, 5003) == outcome.values  # what was under the guard is gone
    outcome = vm("advise 2-4 guard_remove; read 0-4 !SEGV")
    assert outcome is not None
    assert (6000, None, 0, 5003) == outcome.values  # removing leaves pages alone
    assert {0: 6000, 2: 0, 3: 5003} == vm.contents()


@guards
def test_dontneed_leaves_guards(release: str) -> None:
    vm = Little(release, "map 0-4; touch 0-4; advise 1 guard_install; advise 0-4 dontneed; touch 1 !SEGV")
    assert {} == vm.contents()
    vm("advise 0-4 guard_remove; touch 0-4")


@guards
@pytest.mark.parametrize(
    ("kind", "present"), [("rw", True), ("r", True), ("none", True), ("zero", True), ("shared", False), ("file", False)]
)
def test_installing_assigns_an_anon_vma(release: str, kind: str, present: bool) -> None:
    # to anonymous memory, even without touching it; to files only until VMAs were flagged (6.18.37)
    vm = Little(release, f"map 0-2 {kind}; advise 0 guard_install")
    present = present or release not in since("6.18.44")
    assert (present, "[0-2]") == (vm.row(0).anon_vma is not None, vm.layout)


@guards
def test_guards_and_locks(release: str) -> None:
    vm = Little(release, "map 0-2; lock 0-2; advise 0 guard_install !EINVAL; unlock 0-2; advise 0 guard_install")
    assert None is vm.errno("advise 0 guard_remove")
    # a lock that came later does not keep a guard from being removed
    vm = Little(release, "map 0-2; advise 0 guard_install; lock 0-2 !ENOMEM; advise 0 guard_remove")
    vm.special(0)
    assert "EINVAL" == vm.errno("advise 0 guard_remove")


@guards
def test_the_flag_is_never_cleared(release: str) -> None:
    vm = Little(release, "map 0-4; advise 1 guard_install; advise 0-4 guard_remove")
    assert (release in since("6.18.44")) == bool(vm.mm.vmas()[0].flags & VM_MAYBE_GUARD)


@guards
def test_guards_move_along(release: str) -> None:
    vm = Little(
        release, "map 0-4; advise 1 guard_install; move 0-4 to 100; touch 101 !SEGV; touch 100; map 0-4; touch 1"
    )
    assert "[0-4][100-104]" == vm.layout


@guards
def test_a_guard_in_a_file_mapping(release: str) -> None:
    # 6.16 and later; 6.13 and 6.14, which were not measured, have guards for anonymous memory only
    vm = Little(release, "map 0-2 file; touch 0-2 5; advise 0 guard_install; touch 0 !SEGV; advise 0 guard_remove")
    outcome = vm("read 0-2")
    assert outcome is not None
    assert (0, 5001) == outcome.values
    for kind in ("file", "shared", "r shared"):
        assert "EINVAL" == Little("6.13", f"map 0-2 {kind}").errno("advise 0 guard_install")
    assert None is Little("6.13", "map 0-2").errno("advise 0 guard_install")
    assert None is Little("6.15", "map 0-2 file").errno("advise 0 guard_install")


@guards
def test_gaps_and_guards(release: str) -> None:
    vm = Little(
        release, "map 0-2; map 4-6; advise 1-5 guard_install !ENOMEM; touch 1 !SEGV; touch 4 !SEGV; touch 0; touch 5"
    )
    assert {0, 5} == set(vm.contents())


# --- pages brought in, and pages that may go ----------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("program", "contents"),
    [
        ("map 0-3; advise 0-2 populate_read", {0: 0, 1: 0}),
        ("map 0-3; touch 1; advise 0-2 populate_write", {0: 0, 1: 2000}),
        ("map 0-2; map 2-4 r; advise 0-4 populate_write !EINVAL", {0: 0, 1: 0}),
        ("map 0-2; map 2-4 none; advise 0-4 populate_read !EINVAL", {0: 0, 1: 0}),
        ("map 0-4 file @4094; advise 0-4 populate_write !EFAULT", {0: 0, 1: 0}),
        ("map 0-4; uffd 0-4; advise 0-4 populate_write !EFAULT", {}),
        ("map 0-4 populate; map 4-6 none populate; map 6-8 sharedfile @4095 populate", {0: 0, 1: 0, 2: 0, 3: 0, 6: 0}),
    ],
)
def test_populating(release: str, program: str, contents: dict[int, int]) -> None:
    assert contents == Little(release, program).contents()


@every_release
def test_populating_and_gaps(release: str) -> None:
    vm = Little(release, "map 0-2; map 4-6; advise 0-6 populate_write !ENOMEM")
    assert ({0: 0, 1: 0} if vm.mm.profile.populate_stops_at_gaps else {0: 0, 1: 0, 4: 0, 5: 0}) == vm.contents()


def test_only_populating_for_writing_gives_an_anon_vma() -> None:
    vm = Little("6.18", "map 0-1 ; map 2-3; advise 0-1 populate_read; advise 2-3 populate_write")
    assert [None, 1] == [vm.row(number).anon_vma for number in (0, 2)]


@guards
def test_populating_stops_at_a_guard(release: str) -> None:
    vm = Little(release, "map 0-4; advise 2-3 guard_install; advise 0-4 populate_write !EFAULT")
    assert {0: 0, 1: 0} == vm.contents()


@every_release
@pytest.mark.parametrize(
    ("program", "contents"),
    [
        ("advise 0-2 free", {0: 2000, 1: 2001}),  # they may go, and nobody needs the memory
        ("advise 0-2 cold; advise 0-2 willneed", {0: 2000, 1: 2001}),
        ("lock 0-2; advise 0-1 dontneed_locked", {1: 2001}),
        ("lock 0-2; advise 0-1 dontneed !EINVAL; advise 0-1 free !EINVAL; advise 0-1 cold !EINVAL", {0: 2000, 1: 2001}),
        ("unmap 0-2; map 0-2 shared; touch 0-2; advise 0-2 free !EINVAL", {0: 5000, 1: 5001}),
    ],
)
def test_pages_that_may_go(release: str, program: str, contents: dict[int, int]) -> None:
    assert contents == Little(release, f"map 0-2; touch 0-2; {program}").contents()
