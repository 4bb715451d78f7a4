"""Recordings made here: by `vmalab record`, and by the driver alone as it runs in guests."""

from __future__ import annotations

import json
import lzma
import re
import subprocess
import sys
from pathlib import Path

import pytest

import vmalab
from vmalab.__main__ import run
from vmalab.differences.compare import compare
from vmalab.machines.live import Live
from vmalab.machines.live.process import BOOT
from vmalab.machines.recorded import Recorded
from vmalab.programs.data import folder
from vmalab.programs.scenario import load_scenarios, named

LIVE = Path(vmalab.__file__).parent / "machines" / "live"
FILES = [str(folder("scenarios") / f"{name}.json") for name in ("never-heals", "grow-has-to-move", "uffd-stops-it")]


def test_a_recording_says_where_it_comes_from_and_can_be_run(
    machine: Live, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mine.json.xz"
    assert run(["record", *FILES, "-o", str(out)]) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"3 scenarios recorded on Linux {machine.release}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.json.xz"]
    recorded = Recorded(str(out))
    about = recorded.provenance
    assert about["release"] == machine.release
    assert about["tool"] == f"vmalab {vmalab.__version__}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", about["date"])
    assert about["machine"]["architecture"] == "x86_64"
    assert int(about["sysctls"]["vm.max_map_count"]) > 0
    assert set(about["machine"]) == {
        "system", "version", "architecture", "page_size", "processor_flags", "python",
    }  # and no name of a host  # fmt: skip
    for file in FILES:
        (scenario,) = load_scenarios(file)
        assert compare(recorded.run(scenario), machine.run(scenario)).agrees


def test_a_recording_on_standard_output(machine: Live, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["record", FILES[0], "-o", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [result["name"] for result in document["results"]] == ["never-heals"]
    assert [scenario["name"] for scenario in document["scenarios"]] == ["never-heals"]


def test_what_can_not_be_recorded(machine: Live, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["record", FILES[0], FILES[0], "-o", str(tmp_path / "x.json")]) == 2
    assert 'there is a scenario "never-heals" in a file before it' in capsys.readouterr().err
    assert run(["record", FILES[0], "-o", str(tmp_path / "no" / "x.json")]) == 2
    assert "no such file or directory" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_scenario_that_can_not_run_is_in_the_recording_as_such(machine: Live, tmp_path: Path) -> None:
    file, out = tmp_path / "a.json", tmp_path / "b.json"
    file.write_text('{"name": "x", "steps": [{"call": "limit", "resource": "map_count", "headroom": 3}]}')
    assert run(["record", str(file), "-o", str(out)]) == 0
    (scenario,) = load_scenarios(file)
    assert "vm.max_map_count" in str(Recorded(str(out)).run(scenario).error)


# --- the driver alone ---


def record(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", BOOT, str(LIVE), "record", *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_driver_records_by_itself_what_the_live_machine_answers(machine: Live, tmp_path: Path) -> None:
    scenarios = load_scenarios(folder("recordings") / "scenarios.json.xz")[:60]
    names = {scenario.name for scenario in scenarios}
    text = lzma.decompress((folder("recordings") / "scenarios.json.xz").read_bytes())
    packed, out = tmp_path / "in.json.xz", tmp_path / "out.json"
    packed.write_bytes(lzma.compress(json.dumps([one for one in json.loads(text) if one["name"] in names]).encode()))
    done = record(str(packed), "-o", str(out), "--time-limit", "5")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    document = json.loads(out.read_text())
    document["scenarios"] = [one for one in json.loads(text) if one["name"] in names]
    out.write_text(json.dumps(document))
    recorded = Recorded(str(out))
    assert recorded.release == machine.release
    for scenario in scenarios:
        a, b = recorded.run(scenario), machine.run(scenario)
        assert compare(a, b).agrees or (a.error is not None and b.error is not None and "vm.max_map_count" in a.error)


def test_the_driver_alone_goes_on_after_crashes_and_hangs(machine: Live, tmp_path: Path) -> None:
    crash = {"call": "munmap", "addr": -(2**24) + 1, "pages": 2**35 - 2}
    fork = {"call": "fork_child"}
    scenarios = [
        {"name": "crash", "steps": [{"call": "mmap", "addr": 0, "pages": 1}, crash]},
        {"name": "crash in a child", "steps": [fork, fork, crash]},
        {"name": "fine", "steps": [{"call": "mmap", "addr": 0, "pages": 1}, {"call": "touch", "addr": 0, "pages": 1}]},
        {"name": "refused", "steps": [{"call": "limit", "resource": "map_count", "headroom": 1}]},
    ]
    path = tmp_path / "in.json"
    path.write_text(json.dumps(scenarios))
    results = json.loads(record(str(path)).stdout)["results"]
    assert results[0] == {"name": "crash", "error": "step 2: the process ended (SIGSEGV)"}
    assert results[1] == {"name": "crash in a child", "error": "step 3: the process ended (SIGSEGV)"}
    assert results[2]["steps"][1]["vmas"] == results[2]["steps"][0]["vmas"]
    assert results[2]["final"][0]["pages"] == {"0": 2000}
    assert "vm.max_map_count" in results[3]["error"]


def test_how_to_use_the_driver_alone() -> None:
    done = record()
    assert (done.returncode, done.stderr[:13]) == (2, "usage: record")


def test_a_lesson_scenario_has_the_same_outcome_when_played(machine: Live) -> None:
    scenario = named("never-heals")
    played = machine.play(scenario.steps, unprivileged=True)
    assert [row.pages for row in played.final] == [3, 3, 3]
