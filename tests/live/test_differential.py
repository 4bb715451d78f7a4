"""The live kernel against the recording of its release: the same scenarios, the same answers."""

from __future__ import annotations

import os

import pytest

from vmalab.differences.compare import compare
from vmalab.linux.call import Limit
from vmalab.machines.live import Live
from vmalab.machines.machine import Machine
from vmalab.machines.model import Model
from vmalab.machines.recorded import Recorded, releases
from vmalab.programs.data import folder
from vmalab.programs.scenario import Scenario, load_scenarios, named

ALL = load_scenarios(folder("recordings") / "scenarios.json.xz")
LESSONS = sorted(path.stem for path in folder("scenarios").glob("*.json"))


def limits_the_system(scenario: Scenario) -> bool:
    return any(isinstance(call, Limit) and call.resource == "map_count" for call in scenario.steps)


def oracle() -> Machine:
    """What this kernel should answer: its recording, or where nobody made one, the model of its release."""
    release = os.uname().release
    known = [one for one in releases() if release == one or release.startswith((one + "-", one + "+"))]
    return Recorded(known[-1]) if known else Model(".".join(release.split(".")[:2]))


@pytest.mark.parametrize("family", ["move", "merge", "args", "resize", "limit"])
@pytest.mark.parametrize("fresh", [False, True], ids=["shared", "fresh"])
def test_every_recorded_scenario_gets_the_recorded_answers(machine: Live, family: str, fresh: bool) -> None:
    expected = oracle()
    asked = [one for one in ALL if one.name.startswith(f"dev/{family}") and not limits_the_system(one)]
    assert len(asked) >= 29
    with Live(fresh=fresh) as live:
        differ = [
            f"{scenario.name}: {found.first}"
            for scenario in asked
            if not (found := compare(expected.run(scenario), live.run(scenario))).agrees
        ]
    assert differ == []


def test_limits_of_the_whole_system_are_refused_with_the_reason(machine: Live) -> None:
    refused = [one for one in ALL if limits_the_system(one)]
    assert len(refused) == 22
    with open("/proc/sys/vm/max_map_count") as sysctl:
        before = sysctl.read()
    for scenario in refused:
        error = machine.run(scenario).error
        assert error is not None
        assert "the live machine never writes it" in error
    with open("/proc/sys/vm/max_map_count") as sysctl:
        assert sysctl.read() == before


@pytest.mark.parametrize("name", LESSONS)
def test_the_scenarios_of_the_lessons_come_out_as_the_model_says(machine: Live, name: str) -> None:
    """With contents after every step."""
    try:
        model = Model(machine.release.split("-")[0].split("+")[0])
    except Exception as error:
        pytest.skip(f"no model of this kernel: {error}")
    found = compare(model.run(named(name)), machine.run(named(name)))
    assert [str(one) for one in found.differences()] == []


def test_the_same_twice(machine: Live) -> None:
    for scenario in ALL[:40]:
        if not limits_the_system(scenario):
            assert compare(machine.run(scenario), machine.run(scenario)).agrees
