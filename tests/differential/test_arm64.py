"""The model of arm64 against recordings of arm64 kernels, with pages of 4 KiB and of 16 KiB."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from tests.differential.test_recordings import EVERY, difference
from vmalab.machines.document import played_to_json
from vmalab.machines.model import Model
from vmalab.machines.recorded import SCENARIOS, SUFFIX, Recorded
from vmalab.programs.data import folder
from vmalab.programs.scenario import Scenario, load_scenarios

HERE = folder("recordings") / "arm64"
KERNELS = [("6.12.107", 4096), ("6.17.13", 4096), ("7.3.4", 4096), ("6.18.15-16k", 16384)]


def document(name: str) -> dict[str, Any]:
    with lzma.open(HERE / (name + SUFFIX)) as packed:
        found: dict[str, Any] = json.load(packed)
    return found


def differ(recorded: dict[str, Any], model: Model, scenarios: list[Scenario]) -> dict[str, str]:
    answers = {result["name"]: result for result in recorded["results"]}
    found = {one.name: difference(answers[one.name], played_to_json(model.run(one))) for one in scenarios}
    return {name: words for name, words in found.items() if words}


@pytest.mark.parametrize(("name", "page_size"), KERNELS)
def test_the_model_gives_the_answers_of_arm64(name: str, page_size: int) -> None:
    recorded = document(name)
    assert ("aarch64", page_size) == (recorded["machine"]["architecture"], recorded["machine"]["page_size"])
    assert {scenario.name for scenario in EVERY} == {result["name"] for result in recorded["results"]}
    model = Model(name.removesuffix("-16k"), arch="arm64", page_size=page_size)
    assert {} == differ(recorded, model, EVERY)


@pytest.mark.parametrize(
    "path", sorted(HERE.glob("limits*/[0-9]*.xz")), ids=lambda path: f"{path.parent.name}-{path.name}"
)
def test_where_addresses_end_and_what_a_tag_is(path: Path) -> None:
    with lzma.open(path) as packed:
        recorded = json.load(packed)
    model = Model(path.name.removesuffix(SUFFIX), arch="arm64", page_size=recorded["machine"]["page_size"])
    assert {} == differ(recorded, model, load_scenarios(path.parent / SCENARIOS))


def test_with_pages_of_16_kib_what_counts_bytes_differs() -> None:
    """A page of a scenario is a page of that kernel.  Its huge pages have 32 MiB, and RLIMIT_STACK is 512 pages."""
    found = differ(document("6.18.15-16k"), Model("6.18.15"), EVERY)
    assert {"thp", "stack"} == {name.rpartition("-")[0] for name in found}
    assert 28 == len(found)


def test_they_can_be_asked_like_others() -> None:
    recorded = Recorded(str(HERE / ("6.17.13" + SUFFIX)))
    assert len(EVERY) == len(recorded.scenarios)
    assert recorded.run(EVERY[0]).error is None
