"""The widget that asks before it shows, from Python."""

from __future__ import annotations

import json

import pytest
import traitlets

from vmalab.errors import UsageError
from vmalab.teach.questions import session
from vmalab.widgets import MyPredictions, Question


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_kept", {})


def test_a_choice_is_revealed_with_what_it_means():
    asked = Question("04-gap")
    with pytest.raises(UsageError, match="choose one of a, b, c, d first"):
        asked.reveal()
    asked.choice, asked.sure = "C", "guess"
    first, second, *_ = asked.reveal()
    assert first == "c is not so: it is b."
    assert second.startswith("b: The destination is unmapped piece by piece, each time just where a VMA arrives.")
    assert repr(asked) == "Question(04-gap: What is at page 66 afterwards?; chosen: c; c is not so: it is b.)"


@pytest.mark.parametrize(("choice", "name"), [("e", "04-gap"), ("ab", "04-gap"), ("z", "01-full")])
def test_what_can_not_be_chosen_is_said(choice: str, name: str):
    with pytest.raises((UsageError, traitlets.TraitError), match="a choice is"):
        Question(name).choice = choice


def test_several_are_chosen_in_any_order():
    asked = Question("01-full")
    asked.choice = "cb"
    assert asked.reveal()[0] == "bc is right."


def test_choices_are_kept_for_who_asks_again_and_for_the_end():
    asked = Question("04-gap")
    asked.choice, asked.sure = "b", "certain"
    assert Question("04-gap").choice == "b"
    asked.reveal()
    mine = MyPredictions("04")
    assert repr(mine).startswith("MyPredictions(1 of 1 revealed predictions were right, of 8 questions. Of 1 that")
    rows = {name: kept for name, _, _, kept in json.loads(mine.data)["asked"]}
    assert rows["04-gap"] == ["b", "certain", True] and rows["04-last"] == ["", "", False]
    assert "What is at page 66 afterwards?" in mine.still_html()


def test_without_scripts_the_question_reads_and_its_answers_are_folded():
    html = Question("04-gap").still_html()
    before, folded = html.split("<details><summary>Reveal</summary>")
    assert "<b>Predict.</b> Pages 0 to 4 go to page 64." in before and "<b>d</b> Nothing has changed" in before
    assert "right" not in before and "<b>b, right.</b> The destination" in folded


def test_the_code_that_each_output_brings_along_is_small():
    assert len(Question("04-gap").output_html()) < 16_000


def test_choices_are_saved_without_a_name(tmp_path):
    Question("04-gap").choice = "b"
    MyPredictions("04").save(tmp_path / "mine.csv")
    assert (tmp_path / "mine.csv").read_text() == "question,choice,sure\n04-gap,b,\n"
    with pytest.raises(UsageError, match="no questions of a lesson '44'"):
        MyPredictions("44")
