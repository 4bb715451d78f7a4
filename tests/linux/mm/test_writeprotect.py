"""Write-protect faults: what is protected, what a write meets, what takes the protection off."""

from __future__ import annotations

import pytest

from tests.tiny_language import RELEASES, SPREAD, Little, before, since
from vmalab.errors import NotModelled


@pytest.mark.parametrize("release", SPREAD)
def test_a_write_to_a_protected_page_waits(release: str) -> None:
    vm = Little(release)
    vm(
        "map 0-4; touch 0-2; uffd 0-4 wp; writes 0-4; read 0; touch 0-2 !UFFD; "
        "touch 2-4; writes 0-1 let; touch 0; touch 1 !UFFD"
    )


def test_only_what_is_registered_for_that_can_be_protected() -> None:
    vm = Little("6.18")
    vm(
        "map 0-2; touch 0; writes 0-2 !ENOENT; uffd 0-2; writes 0-2 !ENOENT; "
        "uffd 0-2 missing wp; writes 0-2; touch 0 !UFFD"
    )


@pytest.mark.parametrize("release", before("6.12"))
def test_one_request_once_worked_on_one_vma(release: str) -> None:
    Little(release)("map 0-2; map 4-6; touch 0-2; uffd 0-6 wp; writes 0-6 !ENOENT; touch 0-2")


@pytest.mark.parametrize("release", since("6.12"))
def test_now_gaps_are_passed_over(release: str) -> None:
    Little(release)("map 0-2; map 4-6; touch 4-6; uffd 0-6 wp; writes 0-6; touch 4-6 !UFFD")


@pytest.mark.parametrize("release", RELEASES)
def test_a_move_ends_the_registration_and_since_6_12_the_protection(release: str) -> None:
    still = " !UFFD" if release == "6.1" else ""
    Little(release)(f"map 0-2; touch 0-2; uffd 0-2 wp; writes 0-2; move 0-2 to 20; uffd 20-22 wp; touch 20-22{still}")


@pytest.mark.parametrize("release", SPREAD)
def test_the_end_of_the_registration_ends_it(release: str) -> None:
    Little(release)(
        "map 0-2; touch 0-2; uffd 0-2 wp; writes 0-2; unreg 0-1; touch 0; touch 1 !UFFD; uffd 0-2 wp; touch 0"
    )


def test_since_7_3_no_registration_drops_it() -> None:
    Little("7.2")("map 0-2; uffd 0-2 wp; uffd 0-2")
    Little("7.3")("map 0-2; uffd 0-2 wp; uffd 0-2 !EBUSY; uffd 0-2 missing wp")


def test_the_kernel_does_not_wait_for_a_handler() -> None:
    vm = Little("6.18")
    vm("map 0-2; touch 0-2; uffd 0-2 wp; writes 1-2; advise 0-2 populate_write !EFAULT; lock 0-2 !ENOMEM")


def test_a_part_of_a_huge_page_is_protected_page_by_page() -> None:
    vm = Little("6.18")
    vm("map 0-512; advise 0-512 hugepage; touch 0; uffd 0-512 wp; writes 3-5; touch 2; touch 3 !UFFD; touch 6")


def test_of_shared_memory_it_is_refused_by_name() -> None:
    vm = Little("6.18")
    vm("map 0-2 shared")
    with pytest.raises(NotModelled, match="write-protect mode of shared memory"):
        vm("uffd 0-2 wp")
