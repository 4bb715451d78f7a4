"""Registration with userfaultfd, and what a registration does to the rest (semantics 4.6, 6.1)."""

from __future__ import annotations

import pytest

from tests.tiny_language import SPREAD, Little, at
from vmalab.linux.addr import PAGE, TASK_SIZE
from vmalab.linux.call import Uffd

every_release = pytest.mark.parametrize("release", SPREAD)
P = PAGE


@every_release
@pytest.mark.parametrize(
    ("addr", "length", "expected"),
    [
        (at(0) + 1, P, "EINVAL"),
        (at(0), 1, "EINVAL"),  # the length must be whole pages, too
        (at(0), 0, "EINVAL"),
        (TASK_SIZE, P, "EINVAL"),
        (TASK_SIZE - P, 2 * P, "EINVAL"),
        (at(50), P, "EINVAL"),  # nothing there
        (at(2), P, "EINVAL"),
        (at(0), P, None),
        (at(0), 6 * P, None),  # gaps are fine
        (at(2), 2 * P, None),
    ],
)
def test_arguments(release: str, addr: int, length: int, expected: str | None) -> None:
    vm = Little(release, "map 0-2; map 3-5")
    assert expected == vm.do(Uffd(addr, length)).errno


@every_release
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("uffd 0-2", "[0-2 um][2-4 -][6-8 -]"),
        ("uffd 1-3", "[0-1 -][1-2 um][2-3 um][3-4 -][6-8 -]"),
        ("uffd 3-9", "[0-2 -][2-3 -][3-4 um][6-8 um]"),
        ("uffd 5-7", "[0-2 -][2-4 -][6-7 um][7-8 -]"),
    ],
)
def test_what_is_registered(release: str, step: str, expected: str) -> None:
    # rrxx..rr
    vm = Little(release, f"map 0-2 r; map 2-4 rx; map 6-8 r; {step}")
    assert expected == vm.show("flags")


@every_release
def test_twice_is_fine(release: str) -> None:
    vm = Little(release, "map 0-4 r; uffd 1-3; uffd 0-4")
    assert "[0-4 um]" == vm.show("flags")
    vm("uffd 0-4")
    assert [] == [step for step in vm.mm.steps if step.changes]


@every_release
def test_what_may_never_be_written_is_refused_whole(release: str) -> None:
    vm = Little(release, "map 0-2 r; map 2-4 r shared")
    (_, vma) = vm.mm.vmas()
    vm.mm.replace("test", "test", (vma,), (vma.with_flags(vma.flags & ~0x20),))
    assert "EPERM" == vm.model.uffd(at(0), 4 * P).errno
    assert [False, False] == [bool(vma.flags & 0x200) for vma in vm.mm.vmas()]


@every_release
def test_a_registered_vma_may_not_take_part(release: str) -> None:
    program = "map 0-2; map 2-4 r; uffd 2-4"
    vm = Little(release, program)
    assert "EFAULT" == vm.errno("move 0-4 to 100")


@every_release
@pytest.mark.parametrize("step", ["move 0-4 to 100", "move 1-3 to 101", "resize 0-2 to 8 maymove"])
def test_the_registration_ends_with_a_move(release: str, step: str) -> None:
    vm = Little(release, f"map 0-4 r; uffd 0-4; {step}")
    rows = list(vm.model.snapshot())
    assert "um" not in rows[-1].flags
    assert all("um" in row.flags for row in rows[:-1])


@every_release
def test_growth_in_place_stays_registered(release: str) -> None:
    vm = Little(release, "map 0-2 r; uffd 0-2; resize 0-2 to 4; resize 0-4 to 3")
    assert "[0-3 um]" == vm.show("flags")


@every_release
def test_unmapping_ends_it(release: str) -> None:
    vm = Little(release, "map 0-4 r; uffd 0-4; map 1-2 r")
    assert "[0-1 um][1-2 -][2-4 um]" == vm.show("flags")


@every_release
def test_a_copy_beside_its_registered_source(release: str) -> None:
    # unfaulted, DONTUNMAP beside itself: up to 7.1 source and copy are one, and the registration goes with them
    vm = Little(release, "map 0-4 r; uffd 0-4; keep 0-4 to 4")
    assert ("[0-4 um][4-8 -]" if release in ("7.2", "7.3") else "[0-8 -]") == vm.show("flags")


# --- the handler: what fills missing pages -----------------------------------------------------------------------


@pytest.mark.parametrize("release", SPREAD)
@pytest.mark.parametrize(
    ("program", "contents"),
    [
        ("fill 0-2 5", {0: 5000, 1: 5001}),
        ("zeros 1-3", {1: 0, 2: 0}),
        ("fill 0-1 5; fill 0-4 6 !EEXIST", {0: 5000}),
        ("fill 1-2 5; fill 0-4 6 !EAGAIN", {0: 6000, 1: 5001 - 1}),  # the pages before the one that is there
        ("fill 1-5 !ENOENT", {}),
        ("unreg 1-2; fill 1-2 !ENOENT; fill 0-1 5; touch 1 6", {0: 5000, 1: 6000}),
        ("move 0-4 to 8; fill 8-9 !ENOENT", {}),  # a move ends the registration
    ],
)
def test_filling(release: str, program: str, contents: dict[int, int]) -> None:
    assert contents == Little(release, f"map 0-4; uffd 0-4; {program}").contents()


def test_filling_shared_memory_fills_the_file() -> None:
    vm = Little(
        "6.18", "map 0-4 sharedfile; map 8-12 sharedfile; uffd 0-4; touch 9 7; fill 0-1 5; fill 1-2 6 !EEXIST; read 8"
    )
    assert {0: 5000, 8: 5000, 9: 7000} == {key: vm.contents()[key] for key in (0, 8, 9)}
    vm("fill 2-3 5; cut f0 3; fill 3-4 !EFAULT")


@pytest.mark.parametrize("release", SPREAD)
def test_the_end_of_a_registration_merges(release: str) -> None:
    vm = Little(release, "map 0-4; uffd 1-3")
    assert "[0-1][1-3][3-4]" == vm.layout
    vm("unreg 0-8")
    assert "[0-4]" == vm.layout


@pytest.mark.parametrize(
    "step", ["unreg 20-22 !EINVAL", "unreg 0.5-1.5 !EINVAL", "fill 0-0 !EINVAL", "zeros 0.5-1.5 !EINVAL"]
)
def test_ranges_that_the_handler_may_not_name(step: str) -> None:
    Little("6.18", f"map 0-4; uffd 0-4; {step}")


@pytest.mark.parametrize(
    ("kind", "step", "errno"),
    [
        ("anon", "fill 0-1", None),
        ("anon", "zeros 0-1", "EEXIST"),
        ("shared", "fill 0-1", None),
        ("shared", "zeros 0-1", None),
    ],
)
def test_guards_that_are_filled(kind: str, step: str, errno: str | None) -> None:
    program = f"map 0-2 {kind}; uffd 0-2; advise 0-1 guard_install"
    assert [errno, "EEXIST"] == [Little(release, program).errno(step) for release in ("6.18.44", "6.19")]
