"""Which error wins when several things are wrong with one mremap, by release: semantics 1.1 to 1.6 and 1.10."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from tests.tiny_language import DONTUNMAP, FIXED, MAYMOVE, MOVE, RELEASES, Little, at, before, since
from vmalab.linux.addr import PAGE, TASK_SIZE
from vmalab.linux.call import Mremap
from vmalab.linux.mm.mremap_checks import AFTER_LOOKUP, BEFORE_LOOKUP

TS, P, HUGE = TASK_SIZE, PAGE, (1 << 64) - PAGE
OLD, MIDDLE, NEW = before("6.16"), ["6.16"], since("6.17")

# --- one call, two things wrong ---------------------------------------------------------------------------------

# The call that nothing is wrong with moves [0-2] to 100.  Each fault spoils its own argument, so that two can be
# combined; its names are the keys of the steps that refuse it.

GOOD = Mremap(at(0), 2 * P, 2 * P, MOVE, at(100))

FAULTS: dict[str, Callable[[Mremap], Mremap]] = {
    "unknown_flags": lambda call: evolve(call, flags=call.flags | 8),
    "needs_maymove": lambda call: evolve(call, flags=call.flags & ~MAYMOVE),
    "dontunmap_resizes": lambda call: evolve(call, flags=call.flags | DONTUNMAP, old_len=call.old_len + P),
    "unaligned addr": lambda call: evolve(call, addr=call.addr + 1),
    "new_len_zero": lambda call: evolve(call, new_len=0),
    "too_long": lambda call: evolve(call, new_len=TS + P),
    "unaligned new_addr": lambda call: evolve(call, new_addr=call.new_addr + 1),
    "beyond_task_size": lambda call: evolve(call, new_addr=TS + P + call.new_addr % P),
    "overlap": lambda call: evolve(call, new_addr=call.new_addr - 99 * P),
    "map_count_early": lambda call: call,
    "nothing": lambda call: evolve(call, addr=call.addr + 50 * P),
    "sealed": lambda call: call,
}

IMPOSSIBLE = {
    frozenset(pair)
    for pair in (
        ("new_len_zero", "too_long"),
        ("beyond_task_size", "overlap"),
        ("nothing", "overlap"),
        ("nothing", "sealed"),
    )
}

ORDERS: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "6.1 to 6.14": (OLD, (
        "unknown_flags", "needs_maymove", "dontunmap_resizes", "unaligned addr", "new_len_zero", "nothing", "sealed",
        "unaligned new_addr", "too_long", "beyond_task_size", "overlap", "map_count_early",
    )),
    "6.15 and 6.16": (MIDDLE, (
        "unknown_flags", "unaligned addr", "new_len_zero", "unaligned new_addr", "needs_maymove", "dontunmap_resizes",
        "map_count_early", "nothing", "sealed", "too_long", "beyond_task_size", "overlap",
    )),
    "6.17 and later": ([*NEW, "v3"], (
        "unknown_flags", "unaligned addr", "new_len_zero", "too_long", "beyond_task_size", "unaligned new_addr",
        "needs_maymove", "dontunmap_resizes", "overlap", "map_count_early", "nothing", "sealed",
    )),
}  # fmt: skip
"""The order of the checks, first failure first (semantics 1.1, 1.2, 1.3)."""

ERRNO = {"map_count_early": "ENOMEM", "nothing": "EFAULT", "sealed": "EPERM"}


def refused(release: str, *faults: str) -> tuple[str, str]:
    """The fault that a call with these faults is refused for, and the errno."""
    vm = Little(release, "map 0-2; map 2-3 r")
    if "sealed" in faults:
        vm("seal 0-2")
    if "map_count_early" in faults:
        vm("limit map_count 0")
    call = GOOD
    for fault in faults:
        call = FAULTS[fault](call)
    outcome = vm.do(call)
    assert outcome.errno is not None and outcome.rule is not None, f"{faults}: {outcome}"
    key = outcome.rule.key
    if key == "unaligned":
        key += f" {outcome.rule.values['what']}"
    if key in ("nothing_at_addr", "nothing_mapped", "gap_at_start"):
        key = "nothing"
    if key == "beyond_task_size" and "too_long" in faults and "beyond_task_size" not in faults:
        key = "too_long"  # up to 6.16 one test found both
    return key, outcome.errno


CASES = [(release, order) for order, (releases, _) in ORDERS.items() for release in releases]


@pytest.mark.parametrize(("release", "order"), CASES)
def test_the_earlier_check_wins(release: str, order: str) -> None:
    checks = [fault for fault in ORDERS[order][1] if not (fault == "sealed" and release == "6.1")]
    expected, actual = {}, {}
    for index, first in enumerate(checks):
        assert (first, ERRNO.get(first, "EINVAL")) == refused(release, first)
        for second in checks[index + 1 :]:
            if frozenset((first, second)) in IMPOSSIBLE:
                continue
            if order != "6.17 and later" and {first, second} == {"too_long", "beyond_task_size"}:
                continue  # one and the same test
            expected[first, second] = first
            actual[first, second] = refused(release, first, second)[0]
    assert expected == actual
    assert len(actual) > 45


def test_nothing_wrong_with_the_good_call() -> None:
    for release in RELEASES:
        vm = Little(release, "map 0-2; map 2-3 r")
        assert (None, "[2-3][100-102]") == (vm.do(GOOD).errno, vm.layout)


def test_the_tables_name_every_check_once() -> None:
    for order in ORDERS:
        checks = [*BEFORE_LOOKUP[order], *AFTER_LOOKUP[order]]
        assert len(checks) == len(set(checks)), order


# --- the table of semantics 1.4, row by row ---------------------------------------------------------------------


def columns(old: object, middle: object, new: object) -> list[tuple[str, object]]:
    return [(r, old) for r in OLD] + [(r, middle) for r in MIDDLE] + [(r, new) for r in [*NEW, "v3"]]


def errno(release: str, program: str, addr: int, old: int, new: int, flags: int, target: int = 0) -> str | None:
    return Little(release, program).mremap(addr, old, new, flags, target).errno


@pytest.mark.parametrize(("release", "expected"), columns("EFAULT", "EFAULT", "EINVAL"))
def test_new_len_above_task_size_of_nothing(release: str, expected: str) -> None:
    assert expected == errno(release, "", at(0), P, TS + P, MAYMOVE)


@pytest.mark.parametrize(("release", "expected"), columns("ENOMEM", "ENOMEM", "EINVAL"))
def test_new_len_above_task_size_of_a_mapping(release: str, expected: str) -> None:
    assert expected == errno(release, "map 0-1", at(0), P, TS + P, MAYMOVE)


@pytest.mark.parametrize(("release", "expected"), columns("ENOMEM", "ENOMEM", "ENOMEM"))
def test_new_len_of_task_size_exactly(release: str, expected: str) -> None:
    assert expected == errno(release, "map 0-1", at(0), P, TS, MAYMOVE)


@pytest.mark.parametrize(("release", "expected"), columns("EFAULT", "EINVAL", "EINVAL"))
def test_unaligned_target_of_nothing(release: str, expected: str) -> None:
    assert expected == errno(release, "", at(0), P, P, MOVE, at(100) + 1)


@pytest.mark.parametrize(("release", "expected"), columns("EFAULT", "EFAULT", "EINVAL"))
@pytest.mark.parametrize("target", [TS, TS + P, 1 << 63])
def test_target_too_high_of_nothing(release: str, expected: str, target: int) -> None:
    assert expected == errno(release, "", at(0), P, P, MOVE, target)


@pytest.mark.parametrize(("release", "expected"), columns("EFAULT", "EFAULT", "EINVAL"))
def test_overlap_of_nothing(release: str, expected: str) -> None:
    assert expected == errno(release, "", at(0), 2 * P, 2 * P, MOVE, at(1))


@pytest.mark.parametrize(("release", "expected"), columns("EPERM", "EPERM", "EINVAL")[1:])
def test_overlap_of_sealed_memory(release: str, expected: str) -> None:
    assert expected == errno(release, "map 0-2; seal 0-2", at(0), 2 * P, 2 * P, MOVE, at(1))


@pytest.mark.parametrize(("release", "expected"), columns("EPERM", "EINVAL", "EINVAL")[1:])
def test_unaligned_target_of_sealed_memory(release: str, expected: str) -> None:
    assert expected == errno(release, "map 0-2; seal 0-2", at(0), 2 * P, 2 * P, MOVE, at(100) + 1)


@pytest.mark.parametrize(("release", "expected"), columns("EINVAL", "EINVAL", None))
def test_dontunmap_compares_lengths_raw_or_rounded(release: str, expected: str | None) -> None:
    assert expected == errno(release, "map 0-1", at(0), P, P - 100, MAYMOVE | DONTUNMAP)


@pytest.mark.parametrize(("release", "expected"), columns(at(0), at(0), "EINVAL"))
def test_doing_nothing_to_nearly_all_addresses(release: str, expected: object) -> None:
    outcome = Little(release, "map 0-1").mremap(at(0), HUGE, HUGE)
    assert expected == (outcome.errno or outcome.value)


@pytest.mark.parametrize(("release", "expected"), columns("[0-2]", "[0-2]", "[0-2][100-103]"))
def test_a_refused_source_and_its_destination(release: str, expected: str) -> None:
    # FIXED growth that crosses the end of the VMA: up to 6.16 the destination is gone
    vm = Little(release, "map 0-2; map 100-103; move 0-3 to 100-104 !EFAULT")
    assert expected == vm.layout


@pytest.mark.parametrize(("release", "expected"), columns("[0-2]", "[0-2]", "[0-2][3-6][100-103]"))
def test_a_refused_shrink_its_destination_and_its_tail(release: str, expected: str) -> None:
    # the new length crosses the end of the VMA: up to 6.16 destination and source tail are gone
    vm = Little(release, "map 0-2; map 3-6 r; map 100-103; move 0-6 to 100-103 !EFAULT")
    assert expected == vm.layout


# --- overlap: semantics 1.5, 1.6, 1.10 --------------------------------------------------------------------------


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("old", "new", "target", "expected"),
    [
        (4, 4, 4, None),  # adjacent above
        (4, 4, 6, None),  # adjacent below, see the program: the source starts at 10
        (4, 4, 13, "EINVAL"),  # one page shared, above
        (4, 4, 7, "EINVAL"),  # one page shared, below
        (4, 4, 10, "EINVAL"),
        (4, 1, 12, "EINVAL"),  # a shrink into itself
        (4, 1, 14, None),
        (4, 6, 4, None),  # growth that ends where the source starts
        (4, 7, 4, "EINVAL"),
    ],
)
def test_overlap(release: str, old: int, new: int, target: int, expected: str | None) -> None:
    vm = Little(release, "map 10-14")
    assert expected == vm.mremap(at(10), old * P, new * P, MOVE, at(target)).errno


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("target", [at(1), at(100) + 1, TS])
def test_a_hint_is_judged_like_a_target(release: str, target: int) -> None:
    vm = Little(release, "map 0-2")
    assert "EINVAL" == vm.mremap(at(0), 2 * P, 2 * P, MAYMOVE | DONTUNMAP, target).errno
    assert "[0-2]" == vm.layout


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("target", [1, at(0) + 1, TS, (1 << 64) - 1])
def test_without_fixed_and_dontunmap_new_addr_is_not_looked_at(release: str, target: int) -> None:
    vm = Little(release, "map 0-2")
    for flags in (0, MAYMOVE):
        assert None is vm.mremap(at(0), 2 * P, 2 * P, flags, target).errno


@pytest.mark.parametrize(("target", "expected"), [(0, None), (at(100) + 1, None), (TS, "EINVAL"), (1 << 63, "EINVAL")])
def test_the_patch_as_posted_looks_at_new_addr_always(target: int, expected: str | None) -> None:
    assert expected == errno("v3", "map 0-2", at(0), 2 * P, 2 * P, 0, target)


@pytest.mark.parametrize("release", NEW)
def test_a_target_in_a_gap_of_the_source_overlaps(release: str) -> None:
    # AA....BB: the gap is part of the span
    vm = Little(release, "map 0-2; map 6-8; move 0-8 to 2 !EINVAL; move 0-8 to 3 !EINVAL")
    assert "[0-2][6-8]" == vm.layout


@pytest.mark.parametrize("release", RELEASES)
def test_the_highest_target(release: str) -> None:
    vm = Little(release, "map 0-2")
    assert TS - 2 * P == vm.mremap(at(0), 2 * P, 2 * P, MOVE, TS - 2 * P).value
    assert "EINVAL" == Little(release, "map 0-2").mremap(at(0), 2 * P, 2 * P, MOVE, TS - P).errno


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("target", [0, P, 15 * P])
def test_low_targets_are_for_root(release: str, target: int) -> None:
    vm = Little(release, "map 0-2; touch 0-2")
    outcome = vm.mremap(at(0), 2 * P, 2 * P, MOVE, target)
    assert ("EPERM", "[0-2]") == (outcome.errno, vm.layout)
    assert None is vm.mremap(at(0), 2 * P, 2 * P, MOVE, 16 * P).errno
    vm = Little(release, "map 0-2", privileged=True)
    assert target == vm.mremap(at(0), 2 * P, 2 * P, MOVE, target).value


@pytest.mark.parametrize("release", RELEASES)
def test_flags_without_maymove(release: str) -> None:
    for flags in (FIXED, DONTUNMAP, FIXED | DONTUNMAP, 8, MOVE | 16, 1 << 40):
        assert "EINVAL" == errno(release, "map 0-2", at(0), P, P, flags, at(100)), flags
