"""Scenario files: what is read, what is carried along, what is refused, and that writing gives it back."""

from __future__ import annotations

import io
import json
import lzma
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.programs.test_calljson import calls
from vmalab.errors import ScenarioError
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Fork, Mmap, Munmap
from vmalab.machines.model import Model
from vmalab.machines.recorded import Recorded
from vmalab.programs import scenario as subject
from vmalab.programs.data import folder
from vmalab.programs.scenario import Scenario, dumps, load_scenarios, loads, named, renamed, same_program

STEP = {"call": "munmap", "addr": 0, "pages": 1}


def text(**more: Any) -> str:
    return json.dumps({"name": "x", "steps": [STEP], **more})


@given(
    st.lists(
        st.builds(
            Scenario,
            st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=20),
            st.lists(calls(), max_size=5).map(tuple),
            st.integers(1, 1 << 34),
            st.booleans(),
            st.booleans(),
        ),
        max_size=3,
        unique_by=lambda scenario: scenario.name,
    )
)
def test_what_is_written_is_read_again(scenarios: list[Scenario]) -> None:
    assert loads(dumps(scenarios)) == scenarios
    for one in scenarios:
        assert loads(dumps(one)) == [one]


def test_the_example_of_the_format() -> None:
    (one,) = loads(
        """{"name": "gap", "arena_pages": 128, "unprivileged": true, "contents": false,
            "steps": [{"call": "mmap", "addr": 0, "pages": 2, "prot": "rw", "kind": "anon"}, {"call": "fork"}]}"""
    )
    assert one == Scenario("gap", (Mmap(page(0), 2 * PAGE), Fork()), 128, True, False)


def test_defaults() -> None:
    assert loads(text()) == [Scenario("x", (Munmap(page(0), PAGE),), 4096, False, False)]


def test_unknown_keys_are_carried_along_and_come_back_in_place() -> None:
    given = {
        "name": "x", "arena_pages": 4096, "steps": [{"call": "fork"}, {**STEP, "note": ["twice", 1.5]}],
        "expect": {"errno": None}, "note": "why",
    }  # fmt: skip
    (one,) = loads(json.dumps(given))
    assert dict(one.extra)["note"] == "why"
    assert json.loads(dumps(one)) == given


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"name": "x", "steps": [{"call": "fork"}, {"call": "munmap", "addr": 0, "addr": 1, "pages": 1}]}',
         'scenario "x", step 2 (munmap), key "addr": it stands there more than once'),
        ('{"name": "x", "steps": [], "contents": true, "contents": false}',
         'scenario "x", key "contents": it stands there more than once'),
        ('{"name": "x", "steps": [{"call": "fork", "note": {"a": 1, "a": 1}}]}',
         'scenario "x", step 1, key "a": it stands there more than once'),
    ],
)  # fmt: skip
def test_a_key_that_stands_there_twice(text: str, message: str) -> None:
    with pytest.raises(ScenarioError) as error:
        loads(text)
    assert message == str(error.value)


def test_a_scenario_with_what_is_not_modelled_is_answered_by_every_machine() -> None:
    steps = [STEP, {"call": "madvise", "addr": 0, "pages": 1, "advice": "pageout"}, {"call": "mbind"}]
    one, other = loads(json.dumps([{"name": "x", "steps": steps}, {"name": "y", "steps": [STEP]}]))
    said = "step 2 (madvise): the model does not know MADV_PAGEOUT: needs swap, and which pages go is up to reclaim"
    assert ((), said) == (one.steps, one.refused)
    assert said == Model("6.18").run(one).error == Recorded("6.18").run(one).error
    assert Model("6.18").run(other).error is None
    with pytest.raises(ScenarioError, match="MADV_PAGEOUT"):
        dumps(one)


def test_what_is_wrong_is_an_error_beside_what_is_not_modelled_too() -> None:
    with pytest.raises(ScenarioError, match="step 2"):
        loads(json.dumps({"name": "x", "steps": [{"call": "mbind"}, {"call": "mmapp"}]}))


def test_a_list_and_a_single_one() -> None:
    assert len(loads(f"[{text()}]")) == len(loads(text())) == 1
    assert loads("[]") == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{", "the text: not JSON: "),
        ("[1, 2", "in line 1, column"),
        ('{"name": "x", "steps": [{"call": "munmap", "addr": NaN, "pages": 1}]}', "NaN is no number"),
        ("[" * 100_000, "nested too deeply"),
        ("1" * 5000, "not JSON"),
        ("3", "the text: expected an object"),
        ("[3]", "the text, scenario 1: expected an object"),
        ("{}", 'the text, key "name": expected a string'),
        ('{"name": 3}', 'key "name"'),
        ('{"name": ""}', 'key "name"'),
        ('{"name": "\\ud800"}', 'key "name"'),
        ('{"name": "\\u001b[31m"}', 'key "name"'),
        ('{"name": "x"}', 'scenario "x", key "steps": expected a list of steps, it is missing'),
        ('{"name": "x", "steps": {}}', 'scenario "x", key "steps"'),
        ('{"name": "x", "steps": [{"call": "fork"}, {"call": "spoon"}]}', 'scenario "x", step 2, key "call"'),
        (text(arena_pages=0), 'scenario "x", key "arena_pages"'),
        (text(arena_pages=True), 'key "arena_pages"'),
        (text(arena_pages=4096.5), 'key "arena_pages"'),
        (text(arena_pages=2**35), 'key "arena_pages"'),
        (text(unprivileged=1), 'key "unprivileged": expected true or false, found 1'),
        (text(contents="yes"), 'key "contents": expected true or false, found "yes"'),
        (f"[{text()}, {text()}]", 'scenarios 1 and 2 have the same name, "x"'),
        (json.dumps({"name": "x", "steps": [{"call": "fork"}] * 10_001}), "it has 10001 steps"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_where(given: str, message: str) -> None:
    with pytest.raises(ScenarioError) as error:
        loads(given)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_text_that_is_not_utf8() -> None:
    with pytest.raises(ScenarioError, match="not UTF-8"):
        loads(b"\xff\xfe{}")


def test_a_byte_order_mark_is_no_trouble() -> None:
    assert loads(b"\xef\xbb\xbf" + text().encode()) == loads(text())


# --- files ---


def test_plain_packed_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, packed = tmp_path / "a.json", tmp_path / "a.json.xz"
    plain.write_text(text())
    packed.write_bytes(lzma.compress(text().encode()))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text().encode())))
    assert load_scenarios(plain) == load_scenarios(packed) == load_scenarios("-") == loads(text())


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"missing\.json: no such file or directory"):
        load_scenarios(tmp_path / "missing.json")
    with pytest.raises(ScenarioError, match="is a directory"):
        load_scenarios(tmp_path)
    (tmp_path / "a.xz").write_text("not packed")
    with pytest.raises(ScenarioError, match="not packed with xz"):
        load_scenarios(tmp_path / "a.xz")


def test_a_packed_file_that_is_huge_when_unpacked_is_refused_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "MOST_BYTES", 1 << 20)
    (tmp_path / "a.xz").write_bytes(lzma.compress(b" " * (1 << 24)))
    with pytest.raises(ScenarioError, match="larger than 1 MiB"):
        load_scenarios(tmp_path / "a.xz")


# --- the rest ---


def test_what_does_the_same_is_known_as_the_same() -> None:
    (one,) = loads(text())
    assert same_program(renamed(one, "other")) == same_program(one)
    (another,) = loads(text(unprivileged=True))
    assert same_program(another) != same_program(one)


LESSONS = sorted(path.stem for path in folder("scenarios").glob("*.json"))


@pytest.mark.parametrize("name", LESSONS)
def test_scenarios_of_the_lessons_load_by_name_and_say_what_they_show(name: str) -> None:
    one = named(name)
    assert one.name == name
    assert str(dict(one.extra)["note"]).endswith(".")
    assert f"| `{name}` | {dict(one.extra)['note']} |" in (folder("scenarios") / "README.md").read_text()


def test_a_lesson_scenario_that_is_missing() -> None:
    with pytest.raises(ScenarioError, match=r"there is no scenario .*never-heals"):
        named("no-such-scenario")
