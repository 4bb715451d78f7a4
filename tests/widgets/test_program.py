"""`Program`: its timeline as data, the call that is stepped through, its page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.unpacked import unpacked
from vmalab.differences.timeline import timeline
from vmalab.errors import ScenarioError, UsageError
from vmalab.machines.replay.program import replay
from vmalab.programs import data
from vmalab.programs.strace import read_log
from vmalab.widgets import Program

HERE = data.folder("programs")
GROW = HERE / "grow.strace"


def played(sent: dict, moment: int) -> list[tuple[int, int, str, str]]:
    """What the browser makes of what was sent."""
    held = {vma[0]: vma for vma in sent["start"]}
    for row in sent["changes"][:moment]:
        gone = row[1 : row[0] + 1]
        for first in gone:
            del held[first]
        for at in range(row[0] + 1, len(row), 4):
            held[row[at]] = row[at : at + 4]
    return [(a, b, sent["perms"][c], sent["names"][d]) for a, b, c, d in (held[first] for first in sorted(held))]


@pytest.mark.parametrize("name", ["grow.strace", "moves.strace"])
def test_what_is_sent_leads_to_the_models_vmas(name: str):
    line = timeline(read_log(HERE / name))
    sent = line.data()
    for moment in (0, 5, 30, len(line.calls)):
        assert line.at(moment) == played(sent, moment)
    shapes = line.at(len(line.calls))
    assert line.counts[-1] == len(shapes)
    assert line.pages[-1] == sum(end - start for start, end, _, _ in shapes)
    last = [end for end in replay(read_log(HERE / name)).ends if end.layout]
    assert {(real.start >> 12, real.end >> 12) for pair in last[0].layout.pairs if (real := pair.real)} == {
        shape[:2] for shape in shapes
    }


def test_the_widget_says_where_it_is():
    shown = Program(GROW)
    assert shown.last == shown.moment == len(unpacked(shown.data)["words"])
    assert "24 VMAs" in repr(shown) and f"after call {shown.last} of {shown.last}" in repr(shown)
    shown.moment = 10_000
    assert shown.last == shown.moment
    assert "<polyline" in shown.still_html()


def test_a_call_step_by_step():
    shown = Program(GROW)
    moment = next(n for n, words in enumerate(unpacked(shown.data)["words"], 1) if words.startswith("mremap"))
    shown._heard(None, {"do": "step", "moment": moment}, None)
    found = unpacked(shown.stepped)
    assert moment == found["moment"]
    assert "mremap" in found["player"]["call"]
    shown.step(0)
    assert "nothing to step through" in unpacked(shown.stepped)["why"]


def test_what_can_not_be_shown():
    with pytest.raises(UsageError, match="there is no process 3 in it"):
        Program(GROW, 3)
    with pytest.raises(ScenarioError, match="No such file"):
        Program("nowhere")


def test_a_page_that_plays_it(tmp_path: Path):
    page = Program(GROW).to_html(tmp_path / "grow.html").read_text(encoding="utf-8")
    assert "mountOverTime" in page and "grow.strace" in page
    assert len(page) < 250_000


def test_steps_are_there_without_python():
    shown = Program(GROW)
    steps = json.loads(shown.steps)
    assert steps["whole"]
    (group,) = map(unpacked, steps["groups"][:1])
    moment = next(n for n, words in enumerate(unpacked(shown.data)["words"], 1) if words.startswith("mremap"))
    place = steps["at"][str(moment)]
    player = group["players"][place]
    shown.step(moment)
    asked = unpacked(shown.stepped)["player"]
    assert {key for key, _ in asked["parts"]} == {group["pool"][number][0] for number in player["parts"]}
    assert asked["head"] == group["pool"][player["head"]]
    assert asked["steps"] == player["steps"]


def test_a_page_with_the_steps_of_chosen_calls(tmp_path: Path):
    shown = Program(GROW)
    page = shown.to_html(tmp_path / "some.html", calls=(18, 20)).read_text(encoding="utf-8")
    found = json.loads(re.search(r'<script type="text/plain" id="data">(.*?)</script>', page)[1])
    assert (["18", "20"], False) == (list(found["steps"]["at"]), found["steps"]["whole"])
    with pytest.raises(UsageError, match="there are calls 1 to 39, and none with the number 40"):
        shown.to_html(tmp_path / "none.html", calls=(40,))
