"""The data of the player: complete, small, and the same pictures as the still ones."""

from __future__ import annotations

import doctest
import json
import re

from hypothesis import given
from hypothesis import strategies as st

import vmalab.pictures.frames
from tests.sample_outcomes import gap_move, many, outcome, random_outcomes, row
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Munmap
from vmalab.pictures.frames import as_json, player_data
from vmalab.pictures.groups import squeeze
from vmalab.pictures.scene import scenes_of
from vmalab.pictures.svg import draw
from vmalab.words.explain import narrate, one_line, reason


def unsqueeze(frames: list[list]) -> list[list[int]]:
    """As the player does it."""
    full: list[list[int]] = []
    for frame in frames:
        if frame and isinstance(frame[0], list):
            made, at = [], 0
            for start, end, parts in frame:
                made += [*full[-1][at:start], *parts]
                at = end
            full.append(made + full[-1][at:])
        else:
            full.append(frame)
    return full


def test_example_in_the_docstring():
    assert 0 == doctest.testmod(vmalab.pictures.frames).failed


@given(st.lists(st.lists(st.integers(0, 9), unique=True), min_size=1))
def test_squeezed_frames_are_the_frames(frames):
    assert frames == unsqueeze(squeeze([[frame] for frame in frames]))


def test_every_frame_is_the_picture_of_its_scene():
    told = gap_move()
    data = player_data(told)
    for frame, scene in zip(unsqueeze(data["frames"]), scenes_of(told), strict=True):
        drawing = draw(scene, live=True)
        assert drawing.svg() == data["head"] + "".join(data["parts"][n][1] for n in frame) + data["tail"]


def test_every_part_is_sent_once():
    data = player_data(gap_move())
    parts = [tuple(part) for part in data["parts"]]
    assert len(set(parts)) == len(parts)
    for key, text in parts:
        assert f'data-k="{key}"' in text


def test_the_words_are_those_of_the_explanations():
    told = gap_move()
    data = player_data(told)
    letter = re.compile(r"\b[A-Z](?:\+[A-Z])* (?=\[)")
    said = [letter.sub("", step["say"]) for step in data["steps"]]
    assert ["Before the call."] + [narrate(step) for step in told.steps] == said
    assert one_line(told) == letter.sub("", data["summary"])
    assert "" == data["reason"]
    failed = gap_move("6.16")
    assert reason(failed) == player_data(failed)["reason"]
    assert "EFAULT" == player_data(failed)["steps"][-1]["errno"]


def test_words_and_picture_use_the_same_letters():
    steps = player_data(gap_move())["steps"]
    assert "Next in the range: VMA A [0 to 1 rw-p] (2 pages), which is to go to page 64." == steps[2]["say"]
    assert "A [64 to 65 rw-p]" in steps[6]["say"]
    assert "B+C [66 to 68 r--p]" in steps[13]["say"]


def test_a_machine_without_steps_still_has_two_frames():
    told = outcome(Munmap(page(0), PAGE), 0, None, [row(0, 1)], [], machine="live")
    data = player_data(told)
    assert 2 == len(data["frames"]) == len(data["steps"])
    assert "After the call: it returns 0. This machine tells no steps." == data["steps"][1]["say"]


def test_as_many_steps_as_frames_for_every_outcome():
    for told in random_outcomes()[:120]:
        data = player_data(told)
        assert len(data["frames"]) == len(data["steps"])


def test_the_data_are_small_json_without_big_numbers():
    data = player_data(gap_move())
    text = as_json(data)
    assert data == json.loads(text)
    assert len(text) < 60_000

    def numbers(value):
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            return [number for item in value for number in numbers(item)]
        return [value] if isinstance(value, int) else []

    assert max(numbers(data)) < 2**31


def test_differences_are_shorter_than_frames():
    data = player_data(gap_move())
    whole = len(json.dumps(unsqueeze(data["frames"])))
    assert len(json.dumps(data["frames"])) < whole
    assert len(as_json(player_data(many(64)))) < 120_000


def test_a_frame_that_changes_at_two_places_is_two_differences():
    assert [[*range(20)], [[3, 4, [90]], [17, 19, []]]] == squeeze([[[*range(20)]], [[0, 1, 2, 90, *range(4, 17), 19]]])
