"""ftruncate: what stays mapped, what goes, what an access finds."""

from __future__ import annotations

import pytest

from tests.tiny_language import SPREAD, Little
from vmalab.errors import UsageError
from vmalab.linux.addr import PAGE
from vmalab.linux.call import Ftruncate
from vmalab.words.explain import one_line

every_release = pytest.mark.parametrize("release", SPREAD)


@every_release
@pytest.mark.parametrize("kind", ["file", "sharedfile"])
def test_a_shorter_file_takes_its_pages_along(release: str, kind: str) -> None:
    vm = Little(release, f"map 0-4 {kind}; touch 0-4; cut f0 2")
    assert ("[0-4]", {0: 2000, 1: 2001}) == (vm.layout, vm.contents())
    assert ["BUS", "BUS", None] == [vm.errno(step) for step in ("touch 2", "read 3", "touch 1")]
    vm("cut f0 4; read 2-4")
    assert {2: 0, 3: 0} == {number: vm.contents()[number] for number in (2, 3)}


@every_release
def test_every_mapping_of_it_is_cut(release: str) -> None:
    vm = Little(
        release, "map 0-4 sharedfile; map 8-12 file @2; map 16-20 sharedfile f1; touch 0-4; touch 8-12; touch 16"
    )
    vm("cut f0 3")
    assert [0, 1, 2, 8, 16] == sorted(vm.contents())


def test_guards_stay() -> None:
    vm = Little("6.18", "map 0-4 file; touch 0-4; advise 3 guard_install; cut f0 1; cut f0 4")
    assert [None, "SEGV"] == [vm.errno(step) for step in ("read 2", "read 3")]


@pytest.mark.parametrize("kind", ["file", "sharedfile"])
def test_a_guard_behind_the_end_is_met_first(kind: str) -> None:
    vm = Little("6.18", f"map 0-2 {kind}; advise 0-1 guard_install; cut f0 0")
    assert ["SEGV", "SEGV", "BUS"] == [vm.errno(step) for step in ("touch 0", "read 0", "touch 1")]


def test_a_file_has_whole_pages() -> None:
    vm = Little("6.18")
    with pytest.raises(UsageError, match="whole pages"):
        vm.do(Ftruncate("f0", PAGE + 1))


def test_the_words() -> None:
    vm = Little("6.18", "map 0-4 sharedfile; touch 0-4")
    outcome = vm("cut f0 2")
    assert outcome is not None
    assert "ftruncate gave the file f0 a length of 2 pages" == one_line(outcome)
    assert ["file_cut", "cut_off"] == [step.key for step in outcome.steps]
