"""Seals of a memfd, and mappings by a descriptor that is open for reading only."""

from __future__ import annotations

import pytest

from tests.tiny_language import SPREAD, Little, before, since


@pytest.mark.parametrize("release", SPREAD)
def test_a_file_that_is_sealed_against_writing_can_be_read_and_no_more(release: str) -> None:
    vm = Little(release)
    vm(
        "seals f0 write; map 0-2 sharedfile !EPERM; map 0-2 sharedfile r; "
        "protect 0-2 rw !EACCES; map 4-6 file; touch 4-6"
    )
    assert "[0-2 r--s][4-6 rw-p]" == vm.show("perms")


def test_a_writable_mapping_keeps_the_seal_away() -> None:
    vm = Little("6.18")
    vm("map 0-2 sharedfile r; seals f0 write !EBUSY; map 0-2 sharedfile readonly r; seals f0 write; seals f0 write")


@pytest.mark.parametrize("verb", ["fork", "child"])
def test_one_in_another_process_does_too(verb: str) -> None:
    Little("6.18")(f"map 0-2 sharedfile; {verb}; unmap 0-2; seals f0 write !EBUSY")


def test_a_child_does_not_get_what_is_not_to_be_copied() -> None:
    vm = "map 0-2 sharedfile; advise 0-2 dontfork; {}; unmap 0-2; seals f0 write"
    Little("6.18")(vm.format("fork"))
    Little("6.18")(vm.format("child") + " !EBUSY")


@pytest.mark.parametrize("release", before("6.12"))
def test_where_the_seal_is_looked_at_late_the_destination_is_gone(release: str) -> None:
    vm = Little(release)
    vm("map 0-2 sharedfile; seals f0 future_write; map 2-4 sharedfile @2; map 8-9; map 8-10 sharedfile !EPERM")
    assert "[0-4]" == vm.layout


@pytest.mark.parametrize("release", since("6.12"))
def test_else_it_stays(release: str) -> None:
    vm = Little(release)
    vm("map 0-2 sharedfile; seals f0 future_write; map 2-4 sharedfile @2 !EPERM; map 8-9; map 8-10 sharedfile !EPERM")
    assert "[0-2][8-9]" == vm.layout


def test_length_and_seals_can_be_sealed() -> None:
    vm = Little("6.18")
    vm("seals f0 shrink; cut f0 9 !EPERM; cut f0 4096; seals f1 grow; cut f1 9; cut f1 10 !EPERM")
    vm("seals f0 seal; seals f0 write !EPERM")


def test_two_descriptors_are_two_files_with_one_content() -> None:
    vm = Little("6.18")
    vm(
        "map 0-2 file; map 2-4 file readonly @2; map 8-10 sharedfile; touch 8 7; "
        "map 12-14 sharedfile readonly r; read 12-14"
    )
    assert "[0-2][2-4][8-10][12-14]" == vm.layout
    assert 7000 == vm.contents()[12]
    vm("map 0-2 sharedfile readonly !EACCES; protect 12-14 rw !EACCES")
