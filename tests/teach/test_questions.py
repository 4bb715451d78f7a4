"""The questions of the lessons: each answer that is revealed is held against the model, choice by choice."""

from __future__ import annotations

import json
import re

import pytest

from vmalab.editions.source import lesson_paths
from vmalab.errors import UsageError
from vmalab.teach import questions
from vmalab.teach.questions import Choice, MultipleChoice, session, votes
from vmalab.teach.questions.question import marked, plain

ALL = [one for lesson in questions.OURS for one in questions.of_lesson(lesson)]


@pytest.mark.parametrize("question", ALL, ids=lambda one: one.name)
def test_what_is_revealed_is_what_the_model_shows(question: MultipleChoice):
    assert question.right == question.found()


def test_names_are_told_apart_and_each_is_asked_in_its_lesson():
    assert len({one.name for one in ALL}) == len(ALL)
    for path in lesson_paths():
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        asked = re.findall(r'^Question\("([^"]+)"\)$', code, flags=re.MULTILINE)
        assert [one.name for one in questions.of_lesson(path.stem[:2])] == asked
        assert f'MyPredictions("{path.stem[:2]}")' in code


def test_every_choice_says_what_it_means_in_plain_words():
    for one in ALL:
        assert all(choice.means.strip().endswith((".", ")")) for choice in one.choices), one.name
        for text in (one.text, one.because, *(part for choice in one.choices for part in (choice.text, choice.means))):
            assert "!" not in text and not re.search(r"[`*]", re.sub(r"<code>.*?</code>", "", marked(text)))
            assert "`" not in plain(text)


def two(**changed: object) -> MultipleChoice:
    choices = (Choice("2", "So it is.", lambda sum: sum == 2), Choice("3", "That is too much.", lambda sum: sum == 3))
    asked = {"name": "x-two", "text": "1 + 1?", "choices": choices, "right": "a", "shown": lambda: 2}
    return MultipleChoice(**(asked | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": "two"}, "a lesson and a word"),
        ({"right": "c"}, "right is one of a, b, not 'c'"),
        ({"right": "ab"}, "right is one of a, b, not 'ab'"),
        ({"choices": ()}, "2 to 8 choices, not 0"),
    ],
)
def test_a_question_that_can_not_be_says_why(changed: dict[str, object], words: str):
    with pytest.raises(UsageError, match=words):
        two(**changed)


def test_an_answer_that_is_not_so_is_found():
    assert two(right="b").found() == "a"


def test_questions_of_others_are_known_once_they_are_added(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(questions, "_added", {})
    questions.add_questions(two())
    assert questions.find("x-two").right == "a" and questions.of_lesson("x")[0].name == "x-two"
    with pytest.raises(UsageError, match="those of the course's lesson"):
        questions.add_questions(two(name="04-two"))
    with pytest.raises(UsageError, match=r"no question '04-gaps': there are 04-canary, 04-spanning, 04-gap"):
        questions.find("04-gaps")
    with pytest.raises(UsageError, match="lessons with questions: 00"):
        questions.find("gap")


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_kept", {})


@pytest.mark.usefixtures("fresh")
def test_what_was_predicted_is_told_at_the_end():
    assert session.summed("04") == "Nothing is revealed yet of 8 questions."
    session.keep("04-gap", session.Prediction("b", "certain", revealed=True))
    session.keep("04-last", session.Prediction("a", "certain", revealed=True))
    session.keep("04-alone", session.Prediction("a", "guess"))
    assert session.summed("04") == (
        "1 of 2 revealed predictions were right, of 8 questions. Of 2 that you were certain of, 1 were not so."
    )
    table = session.my_predictions("04")
    assert table["I chose"] == ["b", "a", "a"]
    assert table["it is"] == ["b", "b", "not revealed"]
    assert session.written("04") == "question,choice,sure\n04-gap,b,certain\n04-last,a,certain\n04-alone,a,guess\n"


@pytest.mark.usefixtures("fresh")
def test_votes_of_a_class_are_counted(tmp_path):
    for number, choice in enumerate("abba"):
        session.keep("04-gap", session.Prediction(choice, "guess"))
        (tmp_path / f"{number}.csv").write_text(session.written("04"))
    assert votes.read_votes(tmp_path.glob("*.csv"), "04-gap") == {"a": 2, "b": 2}
    (tmp_path / "9.csv").write_text("question,choice,sure\n04-gap,z,guess\n")
    with pytest.raises(UsageError, match=r"9.csv, line 2: '04-gap,z,guess' is no prediction"):
        votes.read_votes(sorted(tmp_path.glob("*.csv")), "04-gap")
    (tmp_path / "9.csv").write_text("a,b\n")
    with pytest.raises(UsageError, match="line 1: the columns are question,choice,sure"):
        votes.read_votes(sorted(tmp_path.glob("*.csv")), "04-gap")


def test_two_votes_stand_side_by_side_and_tell_nothing_before_it_is_asked():
    told = votes.class_votes("04-gap", "a 3, b 1", {"a": 0, "b": 4})
    assert told["first vote"] == ["███████████████ 3", "█████ 1", "0", "0"]
    assert told["after talking"] == ["0", "████████████████████ 4", "0", "0"]
    assert "right" not in repr(told) and told.verdict == "Votes: 4, then 4."
    told = votes.class_votes("04-gap", "a 3 b 1", reveal=True)
    assert told["it is"] == ["not so", "right", "not so", "not so"]
    assert told.verdict == "Votes: 4. 1 of 4 were right"
    with pytest.raises(UsageError, match="has the choices a, b, c, d, not 'g'"):
        votes.class_votes("04-gap", "g 4")
    with pytest.raises(UsageError, match="votes are a folder with files, or counts"):
        votes.class_votes("04-gap", "many")
