"""Fuzzing: programs by seed, differences found and made small, the command's exit status."""

import json
from pathlib import Path

import pytest
from attrs import evolve

from vmalab.__main__ import run
from vmalab.differences import fuzz
from vmalab.differences.generate import THEMES, random_scenario
from vmalab.linux.call import Mmap, Mremap
from vmalab.machines.model import Model
from vmalab.machines.recorded import Recorded
from vmalab.programs.scenario import Scenario, load_scenarios

OLD, NEW = Model("6.16"), Model("6.17")


def differs(scenario: Scenario) -> bool:
    return fuzz.first_difference(OLD, NEW, scenario) is not None


def a_difference() -> Scenario:
    return next(s for s in (random_scenario(f"9/{n}", steps=14) for n in range(100)) if len(s.steps) > 8 and differs(s))


def test_a_difference_is_made_small() -> None:
    found = a_difference()
    small = fuzz.shrink(found, differs)
    assert differs(small)
    assert len(small.steps) <= 3 < len(found.steps)
    # no single step can be left out of it
    assert not [
        n for n in range(len(small.steps)) if differs(evolve(small, steps=small.steps[:n] + small.steps[n + 1 :]))
    ]


def test_a_program_that_does_not_differ_stays_as_it_is() -> None:
    scenario = random_scenario("1/1")
    assert scenario == fuzz.shrink(scenario, lambda _: False)


def test_hunting_stops_at_the_first_chunk_that_differs() -> None:
    last = list(fuzz.hunt("model:6.16", "model:6.17", seed=3, programs=500, jobs=1))[-1]
    assert last.found
    assert last.programs < 500
    found = last.found[0]
    assert found.scenario == random_scenario(f"3/{found.number}", themes=THEMES)


def test_hunting_the_same_machine_finds_nothing_and_runs_every_program() -> None:
    last = list(fuzz.hunt("model:6.18", "model:6.18", seed=3, programs=130, jobs=1))[-1]
    assert (130, []) == (last.programs, last.found)
    assert len(last.behaviours) > 20


def test_simpler_calls_differ_from_the_call_in_one_respect() -> None:
    call = Mmap(1 << 36, 3 << 12, 1, "file", "f1", 7)
    assert all(simple != call for simple in fuzz.simpler(call))
    assert Mmap(1 << 36, 3 << 12, 1) in fuzz.simpler(call)
    assert fuzz.simpler(Mremap(0, 4096, 4096)) == []


def test_the_command_writes_the_smallest_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "d.json"
    arguments = ["fuzz", "--programs", "200", "--jobs", "1", "--on", "model:6.16", "--against", "model:6.17"]
    assert run([*arguments, "--output", str(output)]) == 1
    assert "steps are enough" in capsys.readouterr().out
    (small,) = load_scenarios(output)
    assert differs(small)
    assert "note" in json.loads(output.read_text())


def test_a_recording_is_asked_only_what_it_knows(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fuzz", "--programs", "30", "--jobs", "1", "--against", "recorded:6.16.12"]) == 0
    assert "30 programs" in capsys.readouterr().out
    assert fuzz.most_programs("recorded:6.16.12") == len(Recorded("6.16.12").scenarios)


@pytest.mark.live
def test_the_model_agrees_with_this_kernel(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fuzz", "--programs", "400", "--seed", "11", "--jobs", "1"]) == 0
    assert "no difference" in capsys.readouterr().out
