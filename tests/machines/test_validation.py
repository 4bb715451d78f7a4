"""Recordings are looked at before anything is made of them."""

from __future__ import annotations

from typing import Any

import pytest

from vmalab.errors import RecordingError
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Mmap
from vmalab.machines.document import played_from_json
from vmalab.programs.scenario import Scenario

BAD = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    "change",
    [
        {"perms": BAD}, {"perms": "rwxq"}, {"backing": "a\x1b[2J"}, {"backing": 5}, {"start": "0"},
        {"start": 2}, {"end": 0},
        {"pgoff": -1}, {"flags": [BAD]}, {"pages": {"x": 1}}, {"pages": {"0": BAD}},
    ],
)  # fmt: skip
def test_a_recording_is_looked_at_like_a_live_answer(change: dict[str, Any]) -> None:
    scenario = Scenario("one", (Mmap(page(0), PAGE),))
    row = {"start": 0, "end": 1, "perms": "rw-p", "backing": None, "pgoff": None}
    step = {"errno": None, "return": 0, "vmas": [row], "return_rel": "not known to the format, and left alone"}
    final = [row | {"pages": {}, "flags": ["ac"]}]
    assert 1 == len(played_from_json(scenario, {"steps": [step], "final": final}, "recorded").final)
    with pytest.raises(RecordingError, match="the answers to 'one' are not in the exchange format"):
        played_from_json(scenario, {"steps": [step], "final": [final[0] | change]}, "recorded")
    with pytest.raises(RecordingError, match="exchange format"):
        played_from_json(scenario, {"steps": [step | {"vmas": [row | change]}], "final": final}, "recorded")


@pytest.mark.parametrize("step", [{"errno": BAD}, {"return": BAD}, {"values": [BAD]}, {"pages": {"0": BAD}}])
def test_a_step_of_a_recording_too(step: dict[str, Any]) -> None:
    scenario = Scenario("one", (Mmap(page(0), PAGE),))
    good = {"errno": None, "return": 0, "vmas": []}
    with pytest.raises(RecordingError, match="exchange format"):
        played_from_json(scenario, {"steps": [good | step], "final": []}, "recorded")
