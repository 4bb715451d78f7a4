"""Choices: how answers are said, where wrong ones come from, what an error about an earlier call leads to."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.tiny_language import RELEASES, Little, parse
from vmalab.differences.generate import random_scenario
from vmalab.linux.call import CALLS
from vmalab.linux.profile import profile
from vmalab.teach.misconceptions import misconceptions
from vmalab.teach.misconceptions.layouts import shape
from vmalab.teach.problems import LEVELS, TOPICS, problem
from vmalab.teach.problems import difficulty as measured
from vmalab.teach.problems.asked_calls import play
from vmalab.teach.problems.choices import ERRNOS, READINGS, WRONG, Held, choose, offered
from vmalab.teach.problems.dice import Dice
from vmalab.teach.problems.error_carried_forward import errors_before, rebuilt
from vmalab.teach.problems.releases import Table
from vmalab.words.catalogue import TEXTS
from vmalab.words.catalogue.problems import KINDS, NEAR, QUESTIONS

CANARY = "map 0-2; touch 0-2; map 3-5 r; map 66-67 r sharedfile canary"


def calls(program: str):
    return tuple(parse(step.strip())[0] for step in program.split(";"))


def asked(program: str, count: int = 1, release: str = "6.18"):
    found = play(calls(program), count, release)
    assert found is not None
    return found


def wrong(kind: str, program: str, count: int = 1, topic: str = "04") -> dict[str, object]:
    """The wrong choices of a question: text → where each comes from."""
    found = offered(kind, asked(program, count), TOPICS[topic], Dice("7"), calls(program))
    return {choice.text: choice for choice in found or () if not choice.right}


# --- one call ---


@pytest.mark.parametrize(
    ("kind", "right"),
    [
        ("errno", "It succeeds."),
        ("value", "page 64"),
        ("vmas", "[64-66 rw] [66-67 r canary] [67-69 r]"),
        ("contents", "64: 1000, 65: 1001"),
    ],
)
def test_answers_are_said_shortly(kind: str, right: str) -> None:
    program = f"{CANARY.replace('touch 0-2', 'touch 0-2 1')}; move 0-5 to 64"
    found = offered(kind, asked(program), TOPICS["04"], Dice("7"), calls(program))
    assert found is not None
    assert [right] == [choice.text for choice in found if choice.right]
    assert 1 + WRONG == len(found) == len({choice.text for choice in found})


def test_wrong_ones_are_what_believers_say() -> None:
    program = f"{CANARY}; move 0-5 to 64"
    seen = {}
    for seed in range(30):
        found = offered("vmas", asked(program), TOPICS["04"], Dice(str(seed)), calls(program))
        assert found is not None
        seen |= {choice.text: choice for choice in found if not choice.right}
    by_name = {held.name: text for text, choice in seen.items() for held in choice.beliefs}
    assert "[64-66 rw] [67-69 r]" == by_name["gap-unmaps"]
    assert "[64-66 rw] [66-68 r]" == by_name["gaps-close-up"]
    for name, text in by_name.items():
        expected = misconceptions()[name].expects_in(asked(program).case)
        assert expected is not None and READINGS["vmas"].said(expected) == text


def test_near_misses_come_only_where_beliefs_are_too_few() -> None:
    for seed in range(60):
        one = problem(3, seed, "04")
        near = [choice for choice in one.choices if choice.near]
        others = [choice for choice in one.choices if choice.beliefs or choice.kernel]
        assert not one.choices or others
        assert len(near) + len(others) == max(0, len(one.choices) - 1)
        assert all(choice.near in NEAR for choice in near)


def test_choices_that_lead_nowhere_make_no_question() -> None:
    assert choose("yes", {}, {}, iter([("no", "errno"), ("maybe", "errno")]), Dice("1")) is None
    assert choose("yes", {"yes": [Held("x")]}, {}, iter([("no", "errno")]), Dice("1")) is None
    assert choose("yes", {"no": [Held("x")]}, {}, iter([]), Dice("1")) is None
    assert 3 == len(choose("yes", {"no": [Held("x")]}, {"later": "6.1"}, iter([]), Dice("1")) or ())


def test_an_address_that_nobody_could_name_is_not_asked_for() -> None:
    program = "map 0-2; map 2-3 r; resize 0-1 to 4 maymove"
    for kind in ("value", "vmas"):
        assert offered(kind, asked(program), TOPICS["02"], Dice("1"), calls(program)) is None
    assert offered("errno", asked(program), TOPICS["02"], Dice("1"), calls(program)) is not None


# --- several calls ---


def test_who_errs_about_the_first_call_is_met_at_the_end() -> None:
    program = "map 0-4; map 9-10; protect 1-2 r; unmap 3-4"
    found = {name: end for at, name, end in errors_before(asked(program, 2), calls(program)) if at == 3}
    assert "[0-4 r] [9-10 rw]".replace("0-4", "0-3") == READINGS["vmas"].said(found["whole-vma"])
    texts = wrong("vmas", program, 2, "01")
    assert any(held.call == 3 for choice in texts.values() for held in choice.beliefs)


def test_what_is_rebuilt_is_what_was_there() -> None:
    same = 0
    for seed in range(80):
        vm = Little("6.18").model
        for call in random_scenario(f"rebuilt {seed}", steps=8).steps:
            vm.do(call)
        rows = vm.snapshot().rows
        made = rebuilt(profile("6.18"), rows)
        if made is not None:
            same += 1
            assert shape(rows) == shape(made.snapshot())
    assert same > 20


# --- several kernels ---


def test_where_calls_succeed_is_said_for_each() -> None:
    cells = {(0, column): play(calls("map 0-2; map 2-4 r; move 0-4 to 64"), 1, release)
             for column, release in enumerate(("6.16", "6.17", "7.3"))}  # fmt: skip
    table = Table(calls("move 0-4 to 64"), ("6.16", "6.17", "7.3"), cells)
    assert ((False, True, True),) == table.marks()
    assert "on 6.17 and 7.3 only" == table.text(table.marks())
    assert ((False, False, False),) == table.believed("one-vma-per-call")
    assert "nowhere" == table.text(table.believed("one-vma-per-call"))
    assert "1: everywhere; 2: on 6.16 only" == table.text(((True, True, True), (True, False, False)))


# --- tables ---


def test_the_levels_are_those_of_their_docstring_and_leave_no_gap() -> None:
    bounds = list(LEVELS.values())
    assert all(low[1] + 1 == high[0] for low, high in pairwise(bounds))
    for level, (least, most) in LEVELS.items():
        assert f"    {level}  {least:>7} to {most} " in measured.__doc__


def test_topics_name_what_there_is() -> None:
    for name, topic in TOPICS.items():
        assert name in TEXTS["topic"]
        assert set(topic.kinds) <= set(KINDS) <= set(QUESTIONS)
        assert set(topic.beliefs) <= set(misconceptions())
        for release in (*topic.kernels, *topic.beside, *topic.together):
            assert profile(release)
    assert set(ERRNOS) <= set(CALLS)
    assert {"6.18"} <= set().union(*(topic.kernels for topic in TOPICS.values()))
    assert "6.18.44" in RELEASES
