"""What the questions of vmalab do in PrairieLearn: make a variant for a student, judge an answer."""

from html import escape
from pathlib import Path

from vmalab.editions.bank.draw import drawn
from vmalab.editions.bank.paper import paper_svg
from vmalab.editions.bank.question import PICTURE, explanation_html, question_html, said_to
from vmalab.errors import VmalabError

SECRET = (Path(__file__).parent / "vmalab_secret.txt").read_text(encoding="utf-8").strip()


def variant(data, topic, level, kind, count):
    """The problem of a student's variant: one of `count`, the same whenever it is asked for."""
    number = int(str(data["variant_seed"]), 36) % count
    for further in range(count):  # a place may be empty where a kind is seldom
        place = f"{topic}/{level}/{kind} {(number + further) % count}"
        one = drawn(SECRET, place, topic, level, kind)
        if one is not None:
            return one
    raise ValueError(f"topic {topic}, level {level} has no problem of the kind {kind}")


def generate(data, **made):
    """Put what is asked into `params`, and the answer where PrairieLearn shows it when a question is closed."""
    one = variant(data, **made)
    data["params"]["question"] = question_html(one, paper_svg(one.before, PICTURE))
    data["params"]["choices"] = [
        {"text": choice.text, "right": "true" if choice.right else "false", "said": " ".join(said_to(one, index))}
        for index, choice in enumerate(one.choices)
    ]
    data["params"]["explanation"] = explanation_html(one)
    if not one.choices:
        data["correct_answers"]["answer"] = one.answer


def grade(data, **made):
    """Judge what was drawn or written; choices are judged by PrairieLearn itself."""
    one = variant(data, **made)
    if one.choices or "answer" not in data["submitted_answers"]:
        return
    try:
        feedback = one.check(data["submitted_answers"]["answer"])
        right, said = bool(feedback), repr(feedback)
    except VmalabError as error:
        right, said = False, str(error)
    data["partial_scores"]["answer"] = {"score": float(right), "weight": 1, "feedback": escape(said)}
    data["score"] = float(right)
