"""Outcome documents: the exact format, there and back."""

from __future__ import annotations

from typing import Any

import pytest

from vmalab.errors import RecordingError
from vmalab.linux.addr import ARENA_BASE, PAGE, page
from vmalab.linux.call import Fork, Mmap, Mremap, Munmap, Read, Touch
from vmalab.linux.mm.runs import Run
from vmalab.machines.document import document, outcome_to_json, played_from_json, played_to_json, rows_from_json
from vmalab.machines.machine import Played
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Row, Snapshot
from vmalab.programs.scenario import Scenario

BASE = ARENA_BASE // PAGE
ROW = Row(page(64), page(66), "rw-p", None, None, ("ac", "rd"), (Run(BASE + 64, BASE + 66, "anon", 3000, 1),), 7, 1)
PLAIN = {"start": 64, "end": 66, "perms": "rw-p", "backing": None, "pgoff": None}
SCENARIO = Scenario("x", (Mmap(page(64), 2 * PAGE), Touch(page(64), 2 * PAGE)))


def outcome(call: Any, value: int | None = 0, errno: str | None = None, *rows: Row, **more: Any) -> Outcome:
    return Outcome(call, value, errno, after=lambda: Snapshot(rows), **more)


def test_the_example_of_the_format() -> None:
    played = Played(
        SCENARIO,
        "model:6.18",
        (outcome(SCENARIO.steps[0], page(64), None, ROW), outcome(SCENARIO.steps[1], 0, None, ROW)),
        Snapshot((ROW,)),
    )
    assert document("6.18.44", [played]) == {
        "release": "6.18.44",
        "results": [
            {
                "name": "x",
                "steps": [
                    {"errno": None, "return": 64, "vmas": [PLAIN]},
                    {"errno": None, "return": None, "vmas": [PLAIN]},
                ],
                "final": [{**PLAIN, "pages": {"0": 3000, "1": 3001}, "flags": ["ac"]}],
            }
        ],
    }


def test_a_machine_that_could_not_run_it() -> None:
    assert played_to_json(Played(SCENARIO, "live", error="no")) == {"name": "x", "error": "no"}


def test_contents_after_every_step_count_from_the_arena() -> None:
    scenario = Scenario("x", SCENARIO.steps, contents=True)
    assert outcome_to_json(outcome(scenario.steps[1], 0, None, ROW), scenario)["pages"] == {"64": 3000, "65": 3001}
    assert "pages" not in outcome_to_json(outcome(SCENARIO.steps[1], 0, None, ROW), SCENARIO)


@pytest.mark.parametrize(
    ("call", "value", "errno", "expected"),
    [
        (Mmap(page(1), PAGE), page(1), None, 1),
        (Mmap(page(1), PAGE), None, "ENOMEM", None),
        (Mremap(page(1), PAGE, PAGE), page(4095), None, 4095),
        (Mremap(page(1), PAGE, PAGE), page(4096), None, "elsewhere"),
        (Mremap(page(1), PAGE, PAGE), 0, None, "elsewhere"),
        (Munmap(page(1), PAGE), 0, None, None),
        (Fork(), 0, None, None),
    ],
)
def test_what_a_step_returns(call: Any, value: int | None, errno: str | None, expected: object) -> None:
    assert outcome_to_json(outcome(call, value, errno), SCENARIO)["return"] == expected


def test_elsewhere_has_rows_relative_to_the_returned_address_with_pages() -> None:
    there = Snapshot((Row(0, 2 * PAGE, "rw-p", "f0", 7, ("ac",), (Run(1, 2, "anon", 5, 1),)),))
    step = outcome_to_json(outcome(Mremap(page(0), PAGE, 2 * PAGE, 1), 1 << 46, elsewhere=there), SCENARIO)
    assert step["elsewhere"] == [
        {"start": 0, "end": 2, "perms": "rw-p", "backing": "f0", "pgoff": 7, "pages": {"1": 5}}
    ]


def test_rows_outside_the_arena_are_left_out_and_those_across_its_edge_kept_whole() -> None:
    rows = [Row(page(n), page(n + 2), "r--p") for n in (-3, -1, 4095, 4096)]
    step = outcome_to_json(outcome(Fork(), 0, None, *rows), SCENARIO)
    assert [row["start"] for row in step["vmas"]] == [-1, 4095]


# --- back ---


def test_there_and_back() -> None:
    values = (None, 7)
    steps = (
        Mmap(page(64), 2 * PAGE),
        Read(page(64), 2 * PAGE),
        Mremap(page(64), PAGE, 2 * PAGE, 1),
        Munmap(page(0), 1),
    )
    scenario = Scenario("x", steps, contents=True)
    there = Snapshot((Row(0, 2 * PAGE, "rw-p", None, None),))
    played = Played(
        scenario,
        "model:6.18",
        (
            outcome(steps[0], page(64), None, ROW),
            outcome(steps[1], None, "SEGV", ROW, values=values),
            outcome(steps[2], None, None, ROW, elsewhere=there),
            outcome(steps[3], 0, None, ROW),
        ),
        Snapshot((ROW,)),
    )
    written = played_to_json(played)
    read = played_from_json(scenario, written, "recorded:6.18")
    assert played_to_json(read) == written
    assert [one.value for one in read.outcomes] == [page(64), None, None, 0]
    assert [one.ok for one in read.outcomes] == [True, False, True, True]
    assert read.outcomes[1].values == values
    assert read.outcomes[1].before == read.outcomes[0].after
    assert read.outcomes[0].before == Snapshot()


def test_consecutive_words_make_one_run_and_others_do_not() -> None:
    row = {**PLAIN, "end": 70, "pages": {"0": 3000, "1": 3001, "2": 9, "4": 10, "5": None}}
    (made,) = rows_from_json([row])
    assert [(run.start - BASE, run.end - BASE, run.value) for run in made.runs] == [
        (64, 66, 3000),
        (66, 67, 9),
        (68, 69, 10),
    ]
    assert made.contents() == {0: 3000, 1: 3001, 2: 9, 4: 10}


@pytest.mark.parametrize(
    "result",
    [
        None,
        {},
        {"steps": [], "final": []},
        {"steps": [{"errno": None}] * 2, "final": []},
        {"steps": [{"errno": None, "return": None, "vmas": [{}]}] * 2, "final": []},
        {"steps": [{"errno": None, "return": "x", "vmas": []}] * 2, "final": []},
        {"steps": [{"errno": None, "return": None, "vmas": []}] * 2, "final": [{**PLAIN, "pages": {"a": 1}}]},
        {"steps": [{"errno": None, "return": None, "vmas": []}] * 2},
    ],
)
def test_answers_that_are_not_in_the_format(result: object) -> None:
    with pytest.raises(RecordingError, match=r"recorded:6\.1"):
        played_from_json(SCENARIO, result, "recorded:6.1")


def test_a_recorded_error_is_an_error() -> None:
    assert played_from_json(SCENARIO, {"name": "x", "error": "no"}, "recorded:6.1").error == "no"


@pytest.mark.parametrize("contents", [False, True])
def test_a_document_lists_so_many_pages_and_no_more(contents: bool) -> None:
    pages = 1 << 32
    steps = (Mmap(page(0), pages * PAGE), Touch(page(0), pages * PAGE))
    played = Model("6.18").run(Scenario("x", steps, arena_pages=pages, contents=contents))
    said = f"{pages * (1 + contents):,} pages to list one by one; a document lists at most 262,144 for a scenario"
    assert {"name": "x", "error": said} == played_to_json(played)
