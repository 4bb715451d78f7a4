"""Choices: how answers are said, where wrong ones come from, what an error about an earlier call leads to."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.tiny_language import RELEASES, Little, parse
from vmalab.differences.generate import random_scenario
from vmalab.linux.addr import page
from vmalab.linux.call import CALLS
from vmalab.linux.profile import profile
from vmalab.teach.misconceptions import misconceptions
from vmalab.teach.misconceptions.layouts import shape
from vmalab.teach.problems import LEVELS, TOPICS, problem
from vmalab.teach.problems import difficulty as measured
from vmalab.teach.problems.asked_calls import play
from vmalab.teach.problems.choices import FILLED, LEAST_WRONG, READINGS, WRONG, Held, choose, offered
from vmalab.teach.problems.dice import Dice
from vmalab.teach.problems.error_carried_forward import errors_before, rebuilt
from vmalab.teach.problems.near import ERRNOS, NearMiss, near_entries
from vmalab.teach.problems.releases import Table
from vmalab.words.catalogue import TEXTS
from vmalab.words.catalogue.problems import KINDS, NEAR, QUESTIONS
from vmalab.words.failure import errno_meaning
from vmalab.words.wording import say

CANARY = "map 0-2; touch 0-2; map 3-5 r; map 66-67 r sharedfile canary"


def calls(program: str):
    return tuple(parse(step.strip())[0] for step in program.split(";"))


def asked(program: str, count: int = 1, release: str = "6.18"):
    found = play(calls(program), count, release)
    assert found is not None
    return found


def wrong(kind: str, program: str, count: int = 1, topic: str = "04") -> dict[str, object]:
    """The wrong choices of a question: text → where each comes from."""
    found = offered(kind, asked(program, count), TOPICS[topic], Dice("7"), calls(program), 1)
    return {choice.text: choice for choice in found or () if not choice.right}


# --- one call ---


@pytest.mark.parametrize(
    ("kind", "right"),
    [
        ("errno", "It succeeds."),
        ("value", "page 64"),
        ("vmas", "[64 to 65 rw] [66 r canary] [67 to 68 r]"),
        ("contents", "64: 1000, 65: 1001"),
    ],
)
def test_answers_are_said_shortly(kind: str, right: str) -> None:
    program = f"{CANARY.replace('touch 0-2', 'touch 0-2 1')}; move 0-5 to 64"
    found = offered(kind, asked(program), TOPICS["04"], Dice("7"), calls(program), 1)
    assert found is not None
    assert [right] == [choice.text for choice in found if choice.right]
    assert 1 + LEAST_WRONG <= len(found) == len({choice.text for choice in found}) <= 1 + WRONG


def test_wrong_ones_are_what_believers_say() -> None:
    program = f"{CANARY}; move 0-5 to 64"
    seen = {}
    for seed in range(30):
        found = offered("vmas", asked(program), TOPICS["04"], Dice(str(seed)), calls(program), 1)
        assert found is not None
        seen |= {choice.text: choice for choice in found if not choice.right}
    by_name = {held.name: text for text, choice in seen.items() for held in choice.beliefs}
    assert "[64 to 65 rw] [67 to 68 r]" == by_name["gap-unmaps"]
    assert "[64 to 65 rw] [66 to 67 r]" == by_name["gaps-close-up"]
    for name, text in by_name.items():
        expected = misconceptions()[name].expects_in(asked(program).case)
        assert expected is not None and READINGS["vmas"].said(expected) == text


@pytest.mark.parametrize("level", LEVELS)
def test_near_misses_come_only_where_beliefs_are_too_few_and_not_above_level_2(level: int) -> None:
    for seed in range(25):
        one = problem(level, seed)
        near = [choice for choice in one.choices if choice.near]
        others = [choice for choice in one.choices if choice.beliefs or choice.kernel]
        assert not one.choices or others
        assert len(near) + len(others) == max(0, len(one.choices) - 1)
        assert len(near) <= (LEAST_WRONG - 1 if level <= FILLED else 0)
        for choice in near:
            assert choice.near in NEAR
            assert [choice.why] == one.about(choice)


YES = {"works": NearMiss("no", "errno", "Not so."), "other": NearMiss("maybe", "errno", "Nor so.")}


def test_choices_that_lead_nowhere_make_no_question() -> None:
    assert choose("yes", {}, {}, iter(YES.values()), Dice("1")) is None
    assert choose("yes", {"yes": [Held("x")]}, {}, iter([YES["works"]]), Dice("1")) is None
    assert choose("yes", {"no": [Held("x")]}, {}, iter([]), Dice("1")) is None
    assert 3 == len(choose("yes", {"no": [Held("x")]}, {"later": "6.1"}, iter([]), Dice("1")) or ())
    filled = choose("yes", {"no": [Held("x")]}, {}, iter(YES.values()), Dice("1"))
    assert filled is not None
    assert {"yes": "", "no": "", "maybe": "Nor so."} == {choice.text: choice.why for choice in filled}


NEARLY = [
    # kind, program, text, what is said to it
    ("vmas", "map 0-4; map 8-12; unmap 1-3", "[0 rw] [8 to 11 rw]",
     "So it would be with one page more. The call is about pages 1 to 2."),
    ("vmas", "map 0-4; map 8-12; unmap 1-3", "[0 rw] [2 to 3 rw] [8 to 11 rw]",
     "So it would be with one page less. The call is about pages 1 to 2."),
    ("vmas", "map 0-4; map 8-12; unmap 1-3", "[0 to 3 rw] [8 to 11 rw]", "So it was before: something does change."),
    ("vmas", "map 0-4; map 8-12; unmap 1-3", "[0 rw] [3 rw]",
     "[8 to 11 rw-p] is not missing: the call leaves it as it was."),
    ("contents", "map 0-4; touch 0-2 1; move 0-2 to 64", "65: 1000, 66: 1001",
     "Every page goes as far as the range goes, and that is 64 pages."),
    ("contents", "map 0-4; touch 0-2 1; move 0-2 to 64", "64: 1000",
     "One page more holds a value: page 65 has 1001."),
    ("errno", "map 0-4; unmap 1-3", "It fails with EPERM.",
     f"EPERM means {errno_meaning('EPERM')}. Nothing of that kind is found here."),
    ("errno", "map 0-4; move 0-4 to 1", "It fails with EFAULT.",
     f"EFAULT means {errno_meaning('EFAULT')}. This call fails for another reason."),
    ("value", "map 0-4; move 1-3 to 64", "page 1", "mremap returns where the mapping begins after the call."),
    ("value", "map 0-4; unmap 1-3", "2",
     "How many pages were worked on is not returned: where it succeeds, this call returns 0."),
    ("entries", "map 512-1536; touch 512-1536; move 512-1536 to 4096", "1024 PTEs",
     say("near", "entries_place", to=page(4096))),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "program", "text", "why"), NEARLY)
def test_a_near_miss_says_what_is_wrong_with_it(kind: str, program: str, text: str, why: str) -> None:
    near = near_entries if kind == "entries" else READINGS[kind].near
    played = play(calls(program), 1, "6.18")
    assert played is not None
    assert why in [miss.why for miss in near(played, Dice("7")) if miss.text == text]


def test_an_address_that_nobody_could_name_is_not_asked_for() -> None:
    program = "map 0-2; map 2-3 r; resize 0-1 to 4 maymove"
    for kind in ("value", "vmas"):
        assert offered(kind, asked(program), TOPICS["02"], Dice("1"), calls(program), 1) is None
    assert offered("errno", asked(program), TOPICS["02"], Dice("1"), calls(program), 1) is not None


# --- several calls ---


def test_who_errs_about_the_first_call_is_met_at_the_end() -> None:
    program = "map 0-4; map 9-10; protect 1-2 r; unmap 3-4"
    found = {name: end for at, name, end in errors_before(asked(program, 2), calls(program)) if at == 3}
    assert "[0 to 2 r] [9 rw]" == READINGS["vmas"].said(found["whole-vma"])
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
