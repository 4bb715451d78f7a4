"""The model against recordings of arm64 kernels: with pages of 4 KiB what mm/ does is the same there."""

from __future__ import annotations

import json
import lzma

import pytest

from tests.differential.test_recordings import EVERY, difference, run
from vmalab.machines.recorded import SUFFIX, Recorded
from vmalab.programs.data import folder

HERE = folder("recordings") / "arm64"


@pytest.mark.parametrize("release", ["6.12.107", "6.17.13", "7.3.4"])
def test_the_model_gives_the_answers_of_arm64(release: str) -> None:
    with lzma.open(HERE / (release + SUFFIX)) as packed:
        document = json.load(packed)
    assert ("aarch64", 4096) == (document["machine"]["architecture"], document["machine"]["page_size"])
    answers = {result["name"]: result for result in document["results"]}
    assert {scenario.name for scenario in EVERY} == set(answers)
    found = {scenario.name: difference(answers[scenario.name], run(release, scenario)) for scenario in EVERY}
    assert {} == {name: words for name, words in found.items() if words}


def test_with_pages_of_16_kib_only_what_counts_bytes_differs() -> None:
    """A page of a scenario is a page of that kernel.  Its huge pages have 32 MiB, and RLIMIT_STACK is 512 pages."""
    with lzma.open(HERE / ("6.18.15-16k" + SUFFIX)) as packed:
        document = json.load(packed)
    assert 16384 == document["machine"]["page_size"]
    answers = {result["name"]: result for result in document["results"]}
    differ = {one.name for one in EVERY if difference(answers[one.name], run("6.18.15", one))}
    assert {"thp", "stack"} == {name.rpartition("-")[0] for name in differ}
    assert 28 == len(differ)


def test_they_can_be_asked_like_others() -> None:
    recorded = Recorded(str(HERE / ("6.17.13" + SUFFIX)))
    assert len(EVERY) == len(recorded.scenarios)
    assert recorded.run(EVERY[0]).error is None
