"""`touch` and `read` as real accesses: a page at a time, up to what stops them (the format's version 2)."""

from __future__ import annotations

import pytest

from tests.tiny_language import SPREAD, Little, at
from vmalab.linux.mm.trace import Step

every_release = pytest.mark.parametrize("release", SPREAD)


def refusal(vm: Little, step: str) -> Step:
    outcome = vm(step)
    assert outcome is not None and outcome.rule is not None
    return outcome.rule


@every_release
@pytest.mark.parametrize(
    ("program", "written"),
    [
        ("touch 5 !SEGV", {}),
        ("map 0-2; touch 0-3 7 !SEGV", {0: 7000, 1: 7001}),
        ("map 0-2; map 2-4 r; touch 0-3 7 !SEGV", {0: 7000, 1: 7001}),
        ("map 0-2; map 3-4; touch 0-4 7 !SEGV", {0: 7000, 1: 7001}),
        ("map 0-2 r; map 2-4; touch 0-4 7 !SEGV", {}),
        ("map 0-2; map 2-4; uffd 2-4; touch 0-3 7 !UFFD", {0: 7000, 1: 7001}),
        ("map 0-4; touch 2 3; uffd 0-4; touch 2-4 7 !UFFD", {2: 7000}),
        ("map 0-4; advise 2 guard_install; touch 0-4 7 !SEGV", {0: 7000, 1: 7001}),
        ("map 0-4; advise 2 guard_install; uffd 0-4; touch 1 7 !UFFD; touch 2 7 !SEGV", {}),
        ("map 0-4 sharedfile @4094; uffd 0-4; touch 2 7 !BUS", {}),  # the file is asked first
        ("map 0-4 sharedfile @4094; uffd 0-4; touch 0-4 7 !UFFD", {}),
    ],
)
def test_a_touch_writes_up_to_the_page_that_stops_it(release: str, program: str, written: dict[int, int]) -> None:
    if "guard" in program and release in ("6.1", "6.12"):
        pytest.skip("no guard markers yet")
    assert written == Little(release, program).contents()


@every_release
def test_a_page_that_is_present_needs_no_userfaultfd(release: str) -> None:
    vm = Little(release, "map 0-4; touch 0-2 5; uffd 0-4; touch 0-2 6")
    assert {0: 6000, 1: 6001} == vm.contents()
    # the zero page is a page
    vm = Little(release, "map 0-4; read 0; uffd 0-4; touch 0 6; touch 1 !UFFD")
    assert {0: 6000} == vm.contents()


@every_release
def test_a_new_mapping_over_a_registered_place_is_not_registered(release: str) -> None:
    vm = Little(release, "map 0-4; uffd 1-3; unmap 0-4; map 0-4; touch 0-4 5")
    assert {0: 5000, 1: 5001, 2: 5002, 3: 5003} == vm.contents()


@every_release
def test_a_write_that_fails_late_has_assigned_the_anon_vma(release: str) -> None:
    # do_anonymous_page() and do_cow_fault() prepare it before userfaultfd or the file is asked
    assert Little(release, "map 0-2; uffd 0-2; touch 0 !UFFD").row(0).anon_vma is not None
    assert Little(release, "map 0-2 file @4096; touch 0 !BUS").row(0).anon_vma is not None
    assert Little(release, "map 0-2; uffd 0-2; read 0 !UFFD").row(0).anon_vma is None
    assert Little(release, "map 0-2 r; touch 0 !SEGV").row(0).anon_vma is None
    assert Little(release, "map 0-2 sharedfile @4096; touch 0 !BUS").row(0).anon_vma is None


@pytest.mark.parametrize(
    ("program", "step", "func", "key"),
    [
        ("", "touch 3 !SEGV", "lock_mm_and_find_vma", "not_mapped"),
        ("map 0-2 r", "touch 1 !SEGV", "access_error", "not_writable"),
        ("map 0-2; advise 1 guard_install", "touch 0-2 !SEGV", "handle_pte_marker", "guard_hit"),
        ("map 0-2; touch 0; uffd 0-2", "touch 0-2 !UFFD", "handle_userfault", "uffd_hit"),
        ("map 0-2 file @4095", "touch 0-2 !BUS", "shmem_fault", "past_file_end"),
        ("map 0", "read 0-2 !SEGV", "lock_mm_and_find_vma", "not_mapped"),
        ("map 0; map 1 none", "read 0-2 !SEGV", "access_error", "not_readable"),
        ("map 0-2; advise 1 guard_install", "read 0-2 !SEGV", "handle_pte_marker", "guard_hit"),
        ("map 0-2; read 0; uffd 0-2", "read 0-2 !UFFD", "handle_userfault", "uffd_hit"),
        ("map 0-2 sharedfile @4095", "read 0-2 !BUS", "shmem_fault", "past_file_end"),
    ],
)
def test_the_step_that_ends_an_access_names_function_and_page(program: str, step: str, func: str, key: str) -> None:
    rule = refusal(Little("6.18", program), step)
    words = step.split()
    assert (func, key, words[-1][1:]) == (rule.func, rule.key, rule.errno)
    if "-" in words[1]:
        assert at(1) == rule.values["at"]


def test_of_a_read_that_goes_on_the_first_failure_is_told() -> None:
    vm = Little("6.18", "map 0-1; map 2-3 none; map 4-5")
    outcome = vm("read 0-5 !SEGV")
    assert outcome is not None
    assert (0, None, None, None, 0) == outcome.values
    assert ["not_mapped"] == [step.key for step in outcome.steps if step.errno]
