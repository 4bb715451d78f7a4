"""Probing named behaviours: each probe tells its behaviour, and only what the kernel does decides."""

from __future__ import annotations

import pytest
from attrs import evolve

from vmalab.errors import MachineError
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Limit, Mmap, Mremap
from vmalab.linux.flags import MREMAP_DONTUNMAP, MREMAP_MAYMOVE
from vmalab.linux.profile import KernelProfile, behaviours, profile
from vmalab.machines.live import Live
from vmalab.machines.machine import Played
from vmalab.machines.model import Model
from vmalab.programs.scenario import Scenario
from vmalab.system.doctor.behaviours import FILLED, NOT_PROBED, Shown, base_profile, probe_behaviours, probes

RELEASES = ("6.1", "6.12", "6.16", "6.17", "6.18.7", "6.18.15", "6.18.44", "6.19", "7.0", "7.1", "7.2", "7.3")


class Kernel:
    """A kernel that does what `followed` says and calls itself `release`."""

    def __init__(self, release: str, followed=None) -> None:
        self.name, self.release, self.followed = "a kernel", release, followed or profile(release)

    def run(self, scenario: Scenario) -> Played:
        return Model(self.followed, trace=False).run(scenario)


def full(followed: KernelProfile) -> dict[str, str | None]:
    """What the model of a kernel answers in a process that has nearly as many VMAs as it may."""

    def errno(room: int, call: Mremap) -> str | None:
        program = Scenario("full", (Mmap(page(0), PAGE), Limit("map_count", room), call))
        return Model(followed, trace=False).run(program).outcomes[-1].errno

    return {
        "nothing": errno(3, Mremap(page(0), PAGE, PAGE, 0)),
        "dontunmap": errno(4, Mremap(page(0), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP)),
    }


def test_every_behaviour_has_a_probe_or_a_reason():
    assert {behaviour.name for behaviour in behaviours()} == {*probes(), *FILLED, *NOT_PROBED}
    assert not {*probes(), *FILLED} & set(NOT_PROBED)


@pytest.mark.parametrize("release", RELEASES)
def test_a_process_full_of_vmas_tells_what_its_profile_says(release: str):
    found = {
        probed.behaviour.name: probed for probed in probe_behaviours(Kernel(release), lambda: full(profile(release)))
    }
    for name in FILLED:
        assert found[name].shown in (Shown.YES if found[name].known else Shown.NO, Shown.SAME)
        assert not found[name].surprising
    assert found[FILLED[0]].shown is not Shown.SAME


def test_a_process_that_can_not_be_filled_is_said_so():
    def refuses() -> dict[str, str | None]:
        raise MachineError("too many")

    found = [probed for probed in probe_behaviours(Kernel("7.3"), refuses) if probed.behaviour.name in FILLED]
    assert {(Shown.FAILED, "too many")} == {(probed.shown, probed.note) for probed in found}


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_shows_what_its_profile_says(release: str):
    for probed in probe_behaviours(Kernel(release)):
        assert probed.shown in (Shown.YES if probed.known else Shown.NO, Shown.SAME), probed
        assert not probed.surprising


def test_every_probe_tells_on_some_release():
    told = {
        (probed.behaviour.name, probed.shown)
        for release in (*RELEASES, "6.14", "6.15", "v3")
        for probed in probe_behaviours(Kernel(release))
    }
    expected = {(name, shown) for name in probes() for shown in (Shown.YES, Shown.NO)}
    # When it went (6.18.37), guard_flag came, under which fork copies the page tables all the same.
    expected.remove(("guard_gives_files_anon_vma", Shown.NO))
    assert expected <= told


@pytest.mark.parametrize("name", ["multi_vma_move", "mmap_cuts_first", "dontunmap_leaks_locked_vm"])
def test_a_changed_kernel_is_a_surprise(name: str):
    changed = Kernel("6.18.44", evolve(profile("6.18.44"), **{name: False}))
    assert [name] == [probed.behaviour.name for probed in probe_behaviours(changed) if probed.surprising]


def test_without_a_call_only_that_is_a_surprise():
    without = Kernel("6.18.44", evolve(profile("6.18.44"), mseal=False))
    assert ["mseal"] == [probed.behaviour.name for probed in probe_behaviours(without) if probed.surprising]


def test_an_answer_of_neither_model_is_a_surprise():
    class Odd(Kernel):
        def run(self, scenario: Scenario) -> Played:
            played = super().run(scenario)
            return evolve(played, outcomes=tuple(evolve(outcome, errno="ENOSYS") for outcome in played.outcomes))

    found = probe_behaviours(Odd("6.18.44"))
    assert {Shown.OTHER, Shown.SAME} == {probed.shown for probed in found}
    assert all(probed.surprising for probed in found if probed.shown is Shown.OTHER)
    assert "step 1: errno" in next(probed for probed in found if probed.shown is Shown.OTHER).note


def test_a_machine_that_can_not_run_a_program_is_said_so():
    class Deaf(Kernel):
        def run(self, scenario: Scenario) -> Played:
            return Played(scenario, self.name, error="no answer")

    found = [probed for probed in probe_behaviours(Deaf("6.18.44")) if probed.shown is not Shown.SAME]
    assert {("no answer", Shown.FAILED)} == {(probed.note, probed.shown) for probed in found}
    assert not any(probed.surprising for probed in found)


@pytest.mark.parametrize(
    ("release", "base", "own"),
    [("4.4.0", "6.1", False), ("5.15.0-91-generic", "6.1", False), ("7.9.1", "7.3", False), ("6.17", "6.17", True)],
)
def test_a_release_that_nobody_measured_is_held_against_the_nearest(release: str, base: str, own: bool):
    assert (profile(base), own) == base_profile(release)


@pytest.mark.live
def test_so_many_vmas_are_not_made():
    with Live() as live, pytest.raises(MachineError, match="so many VMAs are not made"):
        live.headroom(1 << 20)


@pytest.mark.live
def test_this_kernel_is_as_its_release_is_known():
    with Live() as live:
        found = probe_behaviours(live, lambda: live.headroom(65_530))
    assert [] == [probed for probed in found if probed.surprising or probed.shown is Shown.FAILED]
