"""`perform`: one call record in, one result out."""

from __future__ import annotations

import gc

import pytest

from tests.tiny_language import MOVE, SPREAD, Little, at
from vmalab.errors import NotModelled, UsageError
from vmalab.linux.addr import PAGE
from vmalab.linux.call import CALLS, Call, Fork, ForkChild, Limit, Mlock, Mmap, Mremap, Munmap, Read, Touch, UffdCopy
from vmalab.linux.mm import AddressSpace, perform
from vmalab.linux.mm.syscall import _CALLS
from vmalab.linux.profile import profile

P = PAGE


def space(*calls: Call) -> AddressSpace:
    mm = AddressSpace(profile("6.18"))
    for call in calls:
        assert None is perform(mm, call).errno
    return mm


def test_every_call_of_the_format_is_known() -> None:
    elsewhere = {Touch, Read, UffdCopy, Fork, ForkChild}
    assert set(CALLS.values()) == set(_CALLS) | elsewhere


def test_a_result() -> None:
    mm = space()
    result = perform(mm, Mmap(at(0), 2 * P))
    assert (at(0), None, mm, None) == (result.value, result.errno, result.mm, result.values)
    assert ["mmap_region"] == [step.func for step in result.steps]
    assert result.steps is mm.steps
    assert 0 == perform(mm, Munmap(at(0), P)).value


def test_a_failure_is_data() -> None:
    result = perform(space(), Mremap(at(0), P, P, MOVE, at(9)))
    assert (None, "EFAULT") == (result.value, result.errno)
    assert "EFAULT" == result.steps[-1].errno


def test_the_value_of_a_touch() -> None:
    mm = space(Mmap(at(0), 2 * P))
    perform(mm, Touch(at(0), P), 7)
    perform(mm, Touch(at(1), P, 3), 8)
    assert (7000, 3000) == perform(mm, Read(at(0), 2 * P)).values


def test_a_read_that_fails_tells_what_it_saw() -> None:
    mm = space(Mmap(at(0), P))
    result = perform(mm, Read(at(0), 3 * P))
    assert (None, "SEGV", (0, None, None)) == (result.value, result.errno, result.values)


def test_only_fork_child_goes_on_in_another_space() -> None:
    mm = space(Mmap(at(0), P), Touch(at(0), P))
    assert mm is perform(mm, Fork()).mm
    child = perform(mm, ForkChild()).mm
    assert mm is not child
    perform(child, Munmap(at(0), P))
    assert (1, 0) == (mm.map_count, child.map_count)


@pytest.mark.parametrize(
    ("resource", "name", "expected"),
    [("as", "address_space", 7), ("memlock", "memlock", 5), ("map_count", "map_count", 4)],
)
def test_a_limit_counts_from_what_is_in_use(resource: str, name: str, expected: int) -> None:
    mm = space(Mmap(at(0), 2 * P), Mlock(at(0), 2 * P), Mmap(at(8), 2 * P, 1))
    result = perform(mm, Limit(resource, 3 if resource != "map_count" else 2))
    assert (0, expected) == (result.value, getattr(mm.limits, name))


def test_what_is_not_modelled_is_refused_by_name() -> None:
    class Swapon(Call):
        name = "swapon"

    with pytest.raises(NotModelled, match="swapon"):
        perform(space(), Swapon())
    with pytest.raises(UsageError, match="stack"):
        perform(space(), Limit("stack", 1))


@pytest.mark.parametrize("release", SPREAD)
def test_arguments_wrap_at_64_bits(release: str) -> None:
    vm = Little(release, "map 0-2")
    for beyond in (1 << 64, -(1 << 64)):
        assert at(9) == vm.mremap(at(0) + beyond, 2 * P + beyond, 2 * P, MOVE, at(9) + beyond).value
        assert at(0) == vm.mremap(at(9), 2 * P, 2 * P + beyond, MOVE, at(0)).value


@pytest.mark.parametrize("call", [Munmap(at(0) - (1 << 64), P), Mlock(at(0) + (1 << 64), P)])
def test_addresses_wrap_for_other_calls_too(call: Call) -> None:
    assert None is perform(space(Mmap(at(0), P)), call).errno


def test_steps_are_left_out_without_a_trace() -> None:
    mm = AddressSpace(profile("6.18"), trace=False)
    for call in (Mmap(at(0), 2 * P), Touch(at(0), P), Mremap(at(0), P, P, MOVE, at(9)), Mremap(at(5), P, P, 3, at(7))):
        assert [] == perform(mm, call).steps


@pytest.mark.parametrize("collecting", [True, False])
def test_the_garbage_collector_is_left_as_it_was(collecting: bool) -> None:
    space = AddressSpace(profile("6.18"))
    was = gc.isenabled()
    (gc.enable if collecting else gc.disable)()
    try:
        perform(space, Mmap(at(0), PAGE))
        perform(space, Mmap(at(0) + 1, PAGE))
        with pytest.raises(UsageError):
            perform(space, Read(at(0), PAGE << 32))
        assert collecting == gc.isenabled()
    finally:
        (gc.enable if was else gc.disable)()
