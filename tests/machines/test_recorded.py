"""Recordings: which there are, that they are as they were made, and looking scenarios up in them."""

from __future__ import annotations

import hashlib
import json
import lzma
from pathlib import Path

import pytest
from attrs import evolve

from vmalab.errors import ProfileError, RecordingError, UsageError
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Munmap
from vmalab.machines import machine_from_name
from vmalab.machines.document import played_to_json
from vmalab.machines.machine import Machine
from vmalab.machines.recorded import Recorded, releases
from vmalab.programs.data import folder
from vmalab.programs.scenario import Scenario, dumps, load_scenarios, renamed

RELEASES = [
    "6.1.0",
    "6.12.107",
    "6.16.12",
    "6.17.13",
    "6.18.15",
    "6.18.44",
    "6.19.14",
    "7.0.13",
    "7.1.13",
    "7.2.13",
    "7.3.4",
]

# A recording is never edited.  Whoever adds one adds its line.
SUMS = {
    "6.1.0.json.xz": "da4cde1d80163c9b",
    "6.12.107.json.xz": "3d0331db7335ad92",
    "6.16.12.json.xz": "4132db921b210bcd",
    "6.17.13.json.xz": "b7d852cf11c0b10c",
    "6.18.15.json.xz": "252e1d6463992208",
    "6.18.44.json.xz": "b5aa73bfe66beb35",
    "6.19.14.json.xz": "387d3a53c08036f2",
    "7.0.13.json.xz": "14a2acf270ecca53",
    "7.1.13.json.xz": "0b577921d1880a1c",
    "7.2.13.json.xz": "1eebe372863285c4",
    "7.3.4.json.xz": "df69cb2fcbdd0e7f",
    "scenarios.json.xz": "db80b9cff9ce7170",
}


@pytest.fixture(scope="module")
def scenarios() -> list[Scenario]:
    return load_scenarios(folder("recordings") / "scenarios.json.xz")


def test_the_releases_oldest_first() -> None:
    assert releases() == RELEASES


def test_no_recording_has_been_edited() -> None:
    files = folder("recordings").glob("*.xz")
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in files} == SUMS


@pytest.mark.parametrize("release", RELEASES)
def test_every_answer_is_read_and_written_again_as_it_was_recorded(release: str, scenarios: list[Scenario]) -> None:
    text = lzma.decompress((folder("recordings") / f"{release}.json.xz").read_bytes())
    recorded = {result["name"]: result for result in json.loads(text)["results"]}
    machine = Recorded(release)
    assert isinstance(machine, Machine)
    for scenario in scenarios:
        want = recorded[scenario.name]
        for step in want["steps"]:
            step.pop("return_rel", None)
        assert played_to_json(machine.run(scenario)) == want


def test_a_series_stands_for_its_latest_recording() -> None:
    assert Recorded("6.18").name == "recorded:6.18.44"
    assert Recorded("6.1").name == "recorded:6.1.0"
    assert Recorded("6.18").release.startswith("6.18.44")


@pytest.mark.parametrize("release", ["5.15", "6", "6.1.1", "", "6.18.4"])
def test_a_release_that_nobody_recorded(release: str) -> None:
    if release == "6":
        assert Recorded(release).name == "recorded:6.19.14"
        return
    with pytest.raises(RecordingError, match=r"there are 6\.1\.0, 6\.12\.107"):
        Recorded(release)


def test_a_scenario_is_found_by_what_it_does(scenarios: list[Scenario]) -> None:
    other = renamed(scenarios[0], "another name")
    played = Recorded("6.18").run(other)
    assert played.error is None
    assert played.scenario.name == "another name"
    assert len(played.outcomes) == len(other.steps)


def test_a_scenario_that_was_not_recorded_is_an_error_of_that_scenario(scenarios: list[Scenario]) -> None:
    machine = Recorded("6.18")
    for changed in (
        evolve(scenarios[0], steps=(Munmap(page(0), PAGE), *scenarios[0].steps)),
        evolve(scenarios[0], unprivileged=False),
        evolve(scenarios[0], arena_pages=128),
    ):
        played = machine.run(changed)
        assert played.error == f"the recording of Linux {machine.release} does not hold this scenario"
        assert played.outcomes == ()


def test_contents_that_nobody_looked_at_are_not_made_up(scenarios: list[Scenario]) -> None:
    played = Recorded("6.18").run(evolve(scenarios[0], contents=True))
    assert not played.scenario.contents
    assert all("pages" not in step for step in played_to_json(played)["steps"])


# --- recordings of one's own ---


def own(tmp_path: Path, **changes: object) -> str:
    scenario = Scenario("mine", (Munmap(page(0), PAGE),))
    step = {"errno": None, "return": None, "vmas": []}
    document = {
        "release": "9.9.9", "date": "today", "scenarios": [json.loads(dumps(scenario))],
        "results": [{"name": "mine", "steps": [step], "final": []}],
    }  # fmt: skip
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({key: value for key, value in (document | changes).items() if value is not None}))
    return str(path)


def test_a_recording_that_holds_its_scenarios(tmp_path: Path) -> None:
    path = own(tmp_path)
    machine = Recorded(path)
    assert (machine.name, machine.release, machine.provenance) == (
        f"recorded:{path}",
        "9.9.9",
        {"release": "9.9.9", "date": "today"},
    )
    assert machine.run(Scenario("other", (Munmap(page(0), PAGE),))).error is None
    assert "does not hold" in str(machine.run(Scenario("other", ())).error)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"release": None}, "not a recording"),
        ({"results": 3}, "not a recording"),
        ({"scenarios": None}, "no scenarios.json.xz beside it"),
        ({"scenarios": [{"name": "x"}]}, "its scenarios can't be read"),
        ({"scenarios": 3}, "its scenarios can't be read"),
        ({"results": [{"name": "mine", "steps": 3, "final": []}]}, "not in the exchange format"),
    ],
)
def test_a_malformed_recording_says_so(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    machine = Recorded(own(tmp_path, **changes))
    with pytest.raises(RecordingError, match=message):
        machine.run(Scenario("mine", (Munmap(page(0), PAGE),)))


def test_a_path_that_is_missing() -> None:
    with pytest.raises(RecordingError, match="there is no recording"):
        Recorded("./missing.json")


# --- machines by name ---


def test_machines_by_name() -> None:
    assert machine_from_name("recorded:6.16").name == "recorded:6.16.12"
    assert machine_from_name("model:6.16").name == "model:6.16"
    assert machine_from_name("model:v3").name == "model:v3"


@pytest.mark.parametrize("name", ["", "live:6.18", "model", "model:", "recorded", "qemu:6.1", "Model:6.18"])
def test_names_of_no_machine(name: str) -> None:
    with pytest.raises(UsageError, match="model:RELEASE, live or recorded:RELEASE"):
        machine_from_name(name)


def test_a_release_that_no_model_knows() -> None:
    with pytest.raises(ProfileError):
        machine_from_name("model:2.4")
