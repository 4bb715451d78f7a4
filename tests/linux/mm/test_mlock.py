"""mlock, munlock and mseal: ranges, limits, what is brought in (semantics 9d, 9f, 4.4)."""

from __future__ import annotations

import pytest

from tests.tiny_language import SPREAD, Little, at, since
from vmalab.linux.addr import PAGE
from vmalab.linux.call import Call, Mlock, Mlockall, Mseal, Munlock

every_release = pytest.mark.parametrize("release", SPREAD)
sealing = pytest.mark.parametrize("release", since("6.12"))
P = PAGE

# --- mlock: semantics 9.20 --------------------------------------------------------------------------------------


@every_release
@pytest.mark.parametrize(
    ("addr", "length", "expected"),
    [
        (at(0) + 100, P, "[0-2 lo][2-4 -]"),  # the start is rounded down, the end up
        (at(1) + 4095, 2, "[0-1 -][1-3 lo][3-4 -]"),
        (at(0), 1, "[0-1 lo][1-4 -]"),
        (at(0), 0, "[0-4 -]"),
        (at(0) + 1, 0, "[0-1 lo][1-4 -]"),
    ],
)
def test_rounding(release: str, addr: int, length: int, expected: str) -> None:
    vm = Little(release, "map 0-4 r")
    assert None is vm.do(Mlock(addr, length)).errno
    assert expected == vm.show("flags")


@every_release
@pytest.mark.parametrize(
    ("program", "expected", "present"),
    [
        ("map 0-2", {0: 0, 1: 0}, True),  # written to: gets an anon_vma
        ("map 0-2 r", {0: 0, 1: 0}, False),  # read
        ("map 0-2 shared", {0: 0, 1: 0}, False),
        ("map 0-2 file", {0: 0, 1: 0}, True),
        ("map 0-2 r file", {0: 0, 1: 0}, False),
        ("map 0-2 zero", {0: 0, 1: 0}, True),
        ("map 0-2; touch 0 7", {0: 7000, 1: 0}, True),
    ],
)
def test_pages_are_brought_in(release: str, program: str, expected: dict[int, int], present: bool) -> None:
    vm = Little(release, f"{program}; lock 0-2")
    assert (expected, present) == (vm.contents(), vm.row(0).anon_vma is not None)
    assert 2 == vm.mm.locked_vm


@every_release
@pytest.mark.parametrize(
    ("step", "expected", "locked"),
    [
        ("lock 4-8 !ENOMEM", "[0-2 -][2-4 -][6-8 -]", 0),  # a gap first: nothing
        ("lock 0-8 !ENOMEM", "[0-2 lo][2-4 lo][6-8 -]", 4),  # what lies before the gap is locked
        ("lock 1-3", "[0-1 -][1-2 lo][2-3 lo][3-4 -][6-8 -]", 2),
        ("lock 6-9 !ENOMEM", "[0-2 -][2-4 -][6-8 lo]", 2),
    ],
)
def test_gaps(release: str, step: str, expected: str, locked: int) -> None:
    # rrxx..rr
    vm = Little(release, f"map 0-2 r; map 2-4 rx; map 6-8 r; {step}")
    assert (expected, locked) == (vm.show("flags"), vm.mm.locked_vm)


@every_release
def test_what_can_not_be_brought_in_is_locked_all_the_same(release: str) -> None:
    # PROT_NONE in the middle: the flag and VmLck stay, the pages behind it are not brought in
    vm = Little(release, "map 0-2; map 2-4 none; map 4-6; lock 0-6 !ENOMEM")
    assert ("[0-2 ac,lo][2-4 lo][4-6 ac,lo]", 6, {0: 0, 1: 0}) == (vm.show("flags"), vm.mm.locked_vm, vm.contents())
    # beyond the end of a file
    vm = Little(release, "map 0-4 file @4094; lock 0-4 !ENOMEM")
    assert (4, {0: 0, 1: 0}) == (vm.mm.locked_vm, vm.contents())
    # a page that a userfaultfd answers for
    vm = Little(release, "map 0-4; touch 0 5; uffd 0-4; lock 0-4 !ENOMEM")
    assert (4, {0: 5000}) == (vm.mm.locked_vm, vm.contents())


@pytest.mark.parametrize("release", since("6.16"))
def test_a_guard_stops_the_bringing_in(release: str) -> None:
    vm = Little(release, "map 0-4; advise 2 guard_install; lock 0-4 !ENOMEM")
    assert (4, {0: 0, 1: 0}) == (vm.mm.locked_vm, vm.contents())


@every_release
def test_rlimit_memlock(release: str) -> None:
    vm = Little(release, "map 0-8 r; lock 0-2; limit memlock 2")
    assert 4 == vm.mm.limits.memlock
    vm("lock 2-5 !ENOMEM; lock 0-5 !ENOMEM; lock 0-4; lock 0-4")  # what is locked already is not counted twice
    assert 4 == vm.mm.locked_vm
    vm("lock 1-5 !ENOMEM")
    assert None is Little(release, "map 0-8; limit memlock 2", privileged=True).errno("lock 0-8")


@every_release
def test_rlimit_memlock_of_nothing(release: str) -> None:
    vm = Little(release, "map 0-2; limit memlock 0; lock 0-2 !EPERM; unlock 0-2; lock 50-52 !EPERM")
    vm = Little(release, "map 0-2; limit memlock 0", privileged=True)
    vm("lock 0-2")


@every_release
def test_munlock(release: str) -> None:
    vm = Little(release, "map 0-4 r; lock 0-4; unlock 1-2")
    assert ("[0-1 lo][1-2 -][2-4 lo]", 3) == (vm.show("flags"), vm.mm.locked_vm)
    vm("unlock 0-9 !ENOMEM")  # up to the gap
    assert ("[0-4 -]", 0) == (vm.show("flags"), vm.mm.locked_vm)


@every_release
@pytest.mark.parametrize(
    "call", [Mlock((1 << 64) - P, 2 * P), Munlock((1 << 64) - P, 2 * P), Munlock(at(0), (1 << 64) - P)]
)
def test_a_range_that_wraps(release: str, call: Call) -> None:
    vm = Little(release, "map 0-2", privileged=True)
    assert "EINVAL" == vm.do(call).errno


@every_release
def test_special_memory_is_passed_over(release: str) -> None:
    vm = Little(release, "map 0-2 r")
    vm.special(0)
    vm("lock 0-2")
    assert ("[0-2 de]", 0) == (vm.show("flags"), vm.mm.locked_vm)


@every_release
def test_locking_a_locked_range_again(release: str) -> None:
    vm = Little(release, "map 0-4 r; lock 1-2; lock 0-4; lock 0-4")
    assert ("[0-4 lo]", 4) == (vm.show("flags"), vm.mm.locked_vm)


# --- mseal: semantics 9.40, 9.41 --------------------------------------------------------------------------------


@sealing
@pytest.mark.parametrize(
    ("addr", "length", "expected"),
    [
        (at(0) + 1, P, "EINVAL"),
        (at(0) + 1, 0, "EINVAL"),
        (at(0), 0, None),
        (at(50), 0, None),
        (at(0), (1 << 64) - 1, "EINVAL"),
        (at(0), (1 << 64) - P, "EINVAL"),
        (at(0), 3 * P, "ENOMEM"),
        (at(1), 1, None),
    ],
)
def test_arguments_of_mseal(release: str, addr: int, length: int, expected: str | None) -> None:
    vm = Little(release, "map 0-2; map 3-5")
    assert expected == vm.do(Mseal(addr, length)).errno
    assert (expected is None and length > 0) == ("sl" in vm.show("flags"))


@sealing
def test_a_gap_seals_nothing(release: str) -> None:
    vm = Little(release, "map 0-2; map 3-5")
    vm("seal 0-5 !ENOMEM; seal 2-5 !ENOMEM; seal 3-6 !ENOMEM")
    assert "[0-2 ac][3-5 ac]" == vm.show("flags")


@sealing
def test_seals_split_and_stay(release: str) -> None:
    vm = Little(release, "map 0-4; map 4-6 r; seal 2-5; seal 2-5")
    assert "[0-2 ac][2-4 ac,sl][4-5 sl][5-6 -]" == vm.show("flags")


@sealing
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("resize 0-2 to 2", "EPERM"),
        ("resize 0-2 to 1", "EPERM"),
        ("move 0-2 to 100", "EPERM"),
        ("move 50-52 to 0", "EPERM"),
        ("unmap 0-2", "EPERM"),
        ("map 0-2", "EPERM"),
        ("protect 0-2 rw", "EPERM"),
        ("protect 0-2 r", "EPERM"),
        ("advise 0-2 dontneed", None),  # writable
        ("advise 0-2 dontfork", None),
        ("advise 0-2 random", None),
        ("lock 0-2", None),
        ("unlock 0-2", None),
        ("touch 0-2", None),
        ("uffd 0-2", None),
    ],
)
def test_what_a_seal_forbids(release: str, step: str, expected: str | None) -> None:
    vm = Little(release, "map 0-2; touch 0-2; seal 0-2; map 50-52")
    assert expected == vm.errno(step)


@sealing
@pytest.mark.parametrize("kind", ["r", "r zero", "r shared", "r file"])
@pytest.mark.parametrize("advice", ["dontneed", "dontfork", "wipeonfork", "random", "dontdump", "dofork"])
def test_what_a_seal_forbids_of_read_only_memory(release: str, kind: str, advice: str) -> None:
    # it must not lose its contents: anonymous memory that can not be written to would
    vm = Little(release, f"map 0-2 {kind}; seal 0-2")
    # of private /dev/zero since 6.17
    protected = ("r", "r zero") if release in since("6.17") else ("r",)
    discards = advice in ("dontneed", "dontfork", "wipeonfork") and kind in protected
    other = "EINVAL" if advice == "wipeonfork" and kind != "r" else None
    assert ("EPERM" if discards else other) == vm.errno(f"advise 0-2 {advice}")


def test_no_mseal_before_6_10() -> None:
    assert "ENOSYS" == Little("6.1", "map 0-2").errno("seal 0-2")


# --- mlock2, mlockall, MAP_LOCKED ---------------------------------------------------------------------------------


@every_release
def test_onfault_locks_what_comes(release: str) -> None:
    vm = Little(release, "map 0-4; touch 1; lock2 0-3 onfault")
    assert ("[0-3 ac,lo][3-4 ac]", {1: 2000}, 3) == (vm.show("flags"), vm.contents(), vm.mm.locked_vm)
    vm("lock 0-1")  # the two kinds of lock do not merge
    assert ("[0-1][1-3][3-4]", {0: 0, 1: 2000}, 3) == (vm.layout, vm.contents(), vm.mm.locked_vm)
    vm("lock2 0-1 onfault; unlock 0-4")
    assert ("[0-4]", 0) == (vm.layout, vm.mm.locked_vm)


@every_release
@pytest.mark.parametrize(
    ("program", "flags", "locked"),
    [
        ("map 0-2; lockall future; map 4-6", "[0-2 ac][4-6 ac,lo]", 2),
        ("map 0-2; lockall future; map 2-4", "[0-2 ac][2-4 ac,lo]", 2),
        ("map 0-2; lockall current; map 4-6", "[0-2 ac,lo][4-6 ac]", 2),
        ("map 0-2; lockall current future; map 2-4", "[0-4 ac,lo]", 4),
        ("map 0-2; lockall current future; map 2-4; unlockall; map 4-6", "[0-6 ac]", 0),
        ("lockall future; lockall current; map 0-2", "[0-2 ac]", 0),  # MCL_CURRENT alone ends MCL_FUTURE
        ("lockall future; child; map 0-2", "[0-2 ac]", 0),
        ("map 0-2 locked; map 2-4 locked", "[0-4 ac,lo]", 4),
        ("map 0-4 locked; map 1-2", "[0-1 ac,lo][1-2 ac][2-4 ac,lo]", 3),
    ],
)
def test_locks_of_everything(release: str, program: str, flags: str, locked: int) -> None:
    vm = Little(release, program)
    assert (flags, locked) == (vm.show("flags"), vm.mm.locked_vm)


def test_what_comes_later_is_brought_in_unless_it_is_locked_as_it_comes() -> None:
    vm = Little("6.18", "lockall future; map 0-2; lockall future onfault; map 4-6; map 8-10 locked")
    assert {0: 0, 1: 0} == vm.contents()  # MAP_LOCKED too, now


@every_release
@pytest.mark.parametrize(
    ("program", "key"),
    [
        ("lockall !EINVAL", "bad_mcl_flags"),
        ("lockall onfault !EINVAL", "bad_mcl_flags"),
        ("limit memlock 0; lockall future !EPERM", "memlock_zero"),
        ("limit memlock 0; map 0-1 locked !EPERM", "memlock_zero"),
        ("map 0-4; limit memlock 3; lockall current !ENOMEM", "all_over_memlock"),
        ("limit memlock 3; map 0-4 locked !EAGAIN", "rlimit_memlock"),
        ("limit memlock 3; lockall future; map 0-4 !EAGAIN", "rlimit_memlock"),
    ],
)
def test_what_may_not_be_locked(release: str, program: str, key: str) -> None:
    outcome = Little(release)(program)
    assert outcome is not None and outcome.rule is not None
    assert key == outcome.rule.key


def test_root_locks_without_limit() -> None:
    vm = Little("6.18", "map 0-4; limit memlock 1; lockall current future; map 8-20 locked", privileged=True)
    assert 16 == vm.mm.locked_vm


def test_flags_of_mlockall_that_there_are_not() -> None:
    assert "EINVAL" == Little("6.18").do(Mlockall(1 << 20 | 2)).errno
