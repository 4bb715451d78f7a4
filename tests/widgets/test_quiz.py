"""Quiz without a browser: from Python, by messages as the browser sends them, and what the page is told when."""

from __future__ import annotations

import json
from typing import Any

import pytest
from traitlets import TraitError

from vmalab.errors import UsageError
from vmalab.teach.problems import problem
from vmalab.widgets import Quiz


def first(kind: str, level: int = 2, topic: str | None = None) -> Quiz:
    seed = next(seed for seed in range(400) if problem(level, seed, topic).kind == kind)
    return Quiz(level=level, seed=seed, topic=topic)


def hear(widget: Quiz, **message: Any) -> dict[str, Any]:
    widget._heard(widget, message, [])
    state: dict[str, Any] = json.loads(widget.state)
    return state


def test_from_python() -> None:
    quiz = Quiz(topic="04", level=3, seed=2)
    assert problem(3, 2, "04").digest == quiz.problem.digest
    assert f"Quiz(level 3, seed 2, topic 04: {quiz.problem.question})" == repr(quiz)
    quiz.answer = quiz.problem.answer
    assert quiz.check().solved
    assert repr(quiz).endswith("; right)")
    assert quiz.explain().answer.endswith(quiz.problem.answer)
    quiz.next()
    assert (3, problem(3, 3, "04").digest, "", "") == (quiz.seed, quiz.problem.digest, quiz.answer, quiz.told)
    quiz.level, quiz.topic = 1, None
    assert problem(1, 3).digest == quiz.problem.digest


def test_a_topic_may_be_written_shortly() -> None:
    quiz = Quiz(topic="4")
    assert ("04", "04") == (quiz.topic, quiz.problem.topic)
    quiz.topic = "5"
    assert ("05", "05") == (quiz.topic, quiz.problem.topic)


def test_the_first_one_needs_no_argument() -> None:
    assert problem(1, 1).digest == Quiz().problem.digest


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"level": 9}, "level is a number"),
        ({"seed": -1}, "seed is a whole number"),
        ({"topic": "00"}, "no problems for"),
    ],
)
def test_wrong_arguments_are_one_clear_sentence(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Quiz(**wrong)
    quiz = Quiz()
    ((name, value),) = wrong.items()
    with pytest.raises((UsageError, TraitError), match=words):
        setattr(quiz, name, value)
    assert problem(1, 1).digest == quiz.problem.digest
    assert (1, 1, None) == (quiz.level, quiz.seed, quiz.topic)


def test_a_choice_by_messages() -> None:
    quiz = first("vmas")
    right = quiz.problem.right
    wrong = "abcd"[(right + 1) % 4]
    assert wrong == hear(quiz, do="answer", value=wrong, n=1)["answer"]
    state = hear(quiz, do="check", n=2)
    assert (2, False, "That is not so.") == (state["n"], state["solved"], state["said"][0])
    state = hear(quiz, do="answer", value="abcd"[right], n=3)
    assert [] == state["said"]  # another answer is not judged yet
    assert hear(quiz, do="check", n=4)["solved"]
    assert "" == quiz.told
    state = hear(quiz, do="explain", n=5)
    told = json.loads(quiz.told)
    assert state["explained"] and quiz.problem.answer in told["answer"]
    assert len(told["plays"]) == quiz.problem.asked
    state = hear(quiz, do="next", n=6)
    assert ("", [], False, "") == (state["answer"], state["said"], state["explained"], quiz.told)


def test_a_drawing_by_messages() -> None:
    quiz = first("draw")
    state = hear(quiz, do="check", n=1)
    assert ["Nobody has answered yet.", quiz.problem.question] == state["said"]
    hear(quiz, do="select", start=0, end=1, n=2)
    state = hear(quiz, do="tool", value="map", n=3)
    assert state["answer"].startswith("[0 rw]")
    assert not hear(quiz, do="check", n=4)["solved"]
    assert "ends before it starts" in hear(quiz, do="write", value="[2 to 1 r]", n=5)["sketch"]["error"]
    assert "ends before it starts" in hear(quiz, do="check", n=6)["problem"]
    hear(quiz, do="write", value=quiz.problem.answer, n=7)
    assert hear(quiz, do="check", n=8)["solved"]
    quiz.answer = "[1 r]"
    assert "[1 r]" == quiz.sketch.text


def test_nothing_may_be_drawn() -> None:
    quiz = Quiz(level=1, seed=1536)
    state = hear(quiz, do="write", value="", n=1)
    assert ("nothing is mapped", "") == (state["answer"], state["sketch"]["text"])
    assert hear(quiz, do="check", n=2)["solved"]
    quiz.answer = "[1 r]"
    quiz.answer = "nothing is mapped"
    assert quiz.check().solved


def test_a_program_by_messages() -> None:
    quiz = first("shortest", 2, "01")
    assert json.loads(quiz.state)["program"]
    hear(quiz, do="answer", value="munmap 1", n=1)
    assert "“munmap 1” is not understood" in hear(quiz, do="check", n=2)["problem"]
    hear(quiz, do="answer", value=quiz.problem.answer, n=3)
    assert hear(quiz, do="check", n=4)["solved"]


def test_level_topic_and_seed_by_messages() -> None:
    quiz = Quiz()
    assert 3 == hear(quiz, do="level", value="3", n=1)["level"]
    assert "05" == hear(quiz, do="topic", value="05", n=2)["topic"]
    assert 77 == hear(quiz, do="seed", value="77", n=3)["seed"]
    assert problem(3, 77, "05").digest == quiz.problem.digest
    assert "any" == hear(quiz, do="topic", value="any", n=4)["topic"]
    assert "Seed is a whole number, not “x”." == hear(quiz, do="seed", value="x", n=5)["problem"]
    assert "There are no problems for topic '12'" in hear(quiz, do="topic", value="12", n=6)["problem"]
    assert problem(3, 77).digest == quiz.problem.digest


@pytest.mark.parametrize(
    "message", [{}, {"do": "no"}, {"do": "answer"}, {"do": "level"}, {"do": "tool", "value": "no"}, 7]
)
def test_a_message_that_makes_no_sense_changes_nothing(message: Any) -> None:
    quiz = Quiz()
    before = quiz.problem.digest
    quiz._heard(quiz, message, [])
    assert before == quiz.problem.digest


@pytest.mark.parametrize("kind", ["vmas", "draw", "errno", "releases", "entries", "shortest"])
def test_the_answer_is_not_in_the_page_before_it_is_asked_for(kind: str) -> None:
    quiz = first(kind, 2 if kind != "releases" else 4)
    page = quiz.state + quiz.look + quiz.told + quiz.still_html() + repr(quiz)
    if quiz.problem.free:
        assert quiz.problem.answer not in page
    assert "“" not in page.replace("Did you", "")  # no belief is told
    quiz.explain()
    assert quiz.problem.answer.split(" ")[0] in quiz.told


def test_one_message_for_one_action(monkeypatch: pytest.MonkeyPatch) -> None:
    quiz = Quiz()
    sent: list[object] = []
    monkeypatch.setattr(quiz, "send_state", lambda key=None: sent.append(key))
    hear(quiz, do="answer", value="a", n=1)
    assert 1 == len(sent)


def test_the_still_picture_is_the_problem() -> None:
    quiz = Quiz(level=2, seed=3)
    still = quiz.still_html()
    assert quiz.problem.question in still and "<svg" in still
    assert "<script" not in still
    assert still == Quiz(level=2, seed=3).still_html()
