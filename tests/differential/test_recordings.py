"""The model against every recording of a real kernel: each scenario, each step, every key of the exchange format.

The documents are held side by side here, and not by `vmalab.differences.compare`: what judges the model is not part
of it.
"""

from __future__ import annotations

import json
import lzma
from collections import Counter
from typing import Any

import pytest

from vmalab.machines.document import played_to_json
from vmalab.machines.model import Model
from vmalab.machines.recorded import SCENARIOS, SUFFIX, releases
from vmalab.programs.data import folder
from vmalab.programs.scenario import Scenario, load_scenarios

STEP_KEYS = ("errno", "return", "vmas", "elsewhere", "values", "pages")
RECORDED = (
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
)
EVERY = load_scenarios(folder("recordings") / SCENARIOS)


def recording(release: str) -> dict[str, Any]:
    with lzma.open(folder("recordings") / (release + SUFFIX)) as packed:
        return {result["name"]: result for result in json.load(packed)["results"]}


def difference(want: Any, got: Any) -> str | None:
    """The first thing that the model gets wrong, or None."""
    if "error" in got:
        return f"the model says: {got['error']}"
    if len(want["steps"]) != len(got["steps"]):
        return f"{len(want['steps'])} steps recorded, {len(got['steps'])} made"
    for number, (kernel, model) in enumerate(zip(want["steps"], got["steps"], strict=True), 1):
        for key in STEP_KEYS:
            if key in kernel and kernel[key] != model.get(key):
                return f"step {number}, {key}: the kernel {kernel[key]}, the model {model.get(key)}"
    return None if want["final"] == got["final"] else f"final: the kernel {want['final']}, the model {got['final']}"


def run(release: str, scenario: Scenario) -> Any:
    """What the model answers, as a document."""
    return played_to_json(Model(release).run(scenario))


def test_every_recording_is_here() -> None:
    assert list(RECORDED) == releases()
    families = Counter(scenario.name.split("-")[0].split("/")[-1] for scenario in EVERY)
    assert (531, {"move", "merge", "args", "resize", "limit", "stack", "thp"}) == (len(EVERY), set(families))


@pytest.mark.parametrize("release", RECORDED)
def test_the_model_agrees_with_the_kernel(release: str) -> None:
    kernel = recording(release)
    differ = {
        scenario.name: found
        for scenario in EVERY
        if (found := difference(kernel[scenario.name], run(release, scenario))) is not None
    }
    assert {} == differ
    assert {scenario.name for scenario in EVERY} == set(kernel)


CALLS = sorted(path.stem for path in (folder("scenarios") / "calls").glob("*.json"))


@pytest.mark.parametrize("kind", CALLS)
def test_the_model_agrees_with_every_kernel_on_a_kind_of_call(kind: str) -> None:
    scenarios = load_scenarios(folder("scenarios") / "calls" / f"{kind}.json")
    assert scenarios
    for release in RECORDED:
        kernel = recording(f"calls/{kind}/{release}")
        differ = {
            scenario.name: found
            for scenario in scenarios
            if (found := difference(kernel[scenario.name], run(release, scenario))) is not None
        }
        assert {} == differ, release
        assert {scenario.name for scenario in scenarios} == set(kernel)


@pytest.mark.parametrize("release", ["6.1.0", "6.17.13", "7.3.4"])
def test_the_wrong_release_is_found_out(release: str) -> None:
    # so the recordings do tell the releases apart, and this comparison sees it
    kernel = recording(release)
    other = "6.16.12" if release != "6.16.12" else "7.3.4"
    differ = [one.name for one in EVERY if difference(kernel[one.name], run(other, one))]
    assert len(differ) > 50
