"""A scenario file from somebody who means harm: it can name nothing but data, and costs no more than a glance."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmalab.errors import ScenarioError
from vmalab.linux.call import CALLS
from vmalab.programs import scenario as files
from vmalab.programs.scenario import load_scenarios, loads


def one(**step: object) -> str:
    return json.dumps({"name": "x", "steps": [step]})


def nested(levels: int) -> str:
    return '{"name": "x", "steps": [], "note": ' + "[" * levels + "]" * levels + "}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[" * 5_000_000, "it is nested too deeply"),
        (nested(5000), "nested"),  # how deep Python reads depends on its version
        (nested(900), 'scenario "x": it carries something that is nested more than 100 levels deep'),
        (f'{{"name": "x", "steps": [{{"call": "read", "addr": 0.{"1" * 1_000_000}}}]}}', "400 are the most"),
        (f'{{"name": "x", "steps": [{{"call": "read", "addr": {"9" * 5000}}}]}}', "Exceeds the limit"),
        ('{"name": "x", "steps": [{"call": "read", "addr": 1e999999999, "pages": 1}]}', "expected a number of pages"),
        ('{"name": "x", "steps": [{"call": "read", "addr": 1e-999999999, "pages": 1}]}', "expected a number of pages"),
        ('{"name": "x", "arena_pages": 17179869185, "steps": []}', "a whole number from 1 to 17179869184"),
        ('{"name": "x\\u0000", "steps": []}', "1 to 300 printable characters"),
        (one(call="mmap", addr=0, pages=1, kind="file", file="/dev/zero"), "another name for a memfd"),
        (one(call="exec", path="/bin/sh"), "call"),
        (one(call="__class__"), "call"),
        (one(call="madvise", addr=0, pages=1, advice="poison"), "expected one of"),
        (one(call="mmap", addr=0, pages=1, kind="huge"), "expected one of"),
        (one(call="limit", resource="nofile", headroom=1), "expected one of"),
    ],
    ids=lambda value: value[:30] if len(value) < 300 else "long",
)
def test_one_clear_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(text)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_too_many_scenarios_and_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    step = {"call": "munmap", "addr": 0, "pages": 1}
    with pytest.raises(ScenarioError, match="it has 10001 steps; 10000 are the most"):
        loads(json.dumps({"name": "x", "steps": [step] * 10_001}))
    monkeypatch.setattr(files, "MOST_SCENARIOS", 3)
    with pytest.raises(ScenarioError, match="it holds 4 scenarios; 3 are the most"):
        loads(json.dumps([{"name": str(n), "steps": []} for n in range(4)]))


def test_a_small_file_that_unpacks_to_a_large_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    packed = tmp_path / "bomb.json.xz"
    packed.write_bytes(lzma.compress(b" " * (4 << 20)))
    assert packed.stat().st_size < 2000
    monkeypatch.setattr(files, "MOST_BYTES", 1 << 20)
    with pytest.raises(ScenarioError, match="larger than 1 MiB"):
        load_scenarios(packed)


def test_a_file_name_is_only_a_name() -> None:
    """It becomes a memfd's, so a path leads nowhere."""
    (scenario,) = loads(one(call="mmap", addr=0, pages=1, kind="file", file="../../etc/passwd"))
    assert getattr(scenario.steps[0], "file", None) == "../../etc/passwd"


SIMPLE = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
ANY = st.recursive(
    SIMPLE,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from("addr pages old_pages new_pages new_addr flags badflags prot kind file value headroom".split())


@given(st.sampled_from(sorted(CALLS)) | st.text(max_size=8), st.dictionaries(KEYS, ANY, max_size=6))
def test_anything_at_all_is_a_scenario_or_one_sentence(call: str, arguments: dict[str, object]) -> None:
    said = ""
    try:
        (scenario,) = loads(one(**{**arguments, "call": call}))
    except ScenarioError as error:
        said = str(error)
    else:
        assert len(scenario.steps) == 1
    assert "\n" not in said
