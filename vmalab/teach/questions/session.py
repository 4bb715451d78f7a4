"""What was predicted in this session: kept in this process, and nowhere else."""

from __future__ import annotations

import csv
import io

from attrs import frozen

from vmalab.pictures.table import Table
from vmalab.teach import questions
from vmalab.teach.questions.question import MultipleChoice, plain

SURE = {"guess": "a guess", "fairly": "fairly sure", "certain": "certain"}
"""How sure somebody may be, and the words for it."""

HEADS = ("question", "choice", "sure")


@frozen
class Prediction:
    """A choice: its letters (`"b"`, `"bc"`), how sure (a key of SURE), why if that was said, and whether it was
    revealed."""

    choice: str = ""
    sure: str = ""
    why: str = ""
    revealed: bool = False


_kept: dict[str, Prediction] = {}


def keep(name: str, prediction: Prediction) -> None:
    """Keep what was predicted to the question `name`."""
    _kept[name] = prediction


def kept(name: str) -> Prediction:
    """What was predicted to the question `name`: empty where nothing was."""
    return _kept.get(name, Prediction())


def forget() -> None:
    """Forget all of them."""
    _kept.clear()


def said(question: MultipleChoice, one: Prediction) -> tuple[str, ...]:
    """A row about one prediction: what was asked, chosen, how sure, what is so, and the verdict in a word."""
    verdict = "" if not one.revealed else "right" if one.choice == question.right else "not so"
    return (shortened(question.text), one.choice or "nothing", SURE.get(one.sure, ""),
            question.right if one.revealed else "not revealed", verdict)  # fmt: skip


def shortened(text: str, most: int = 90) -> str:
    """The question itself, its last sentence, without marks."""
    words = plain(text)
    last = words.rstrip("?.").rfind(". ") + 1
    words = words[last:].strip()
    return words if len(words) <= most else f"{words[: most - 1].rsplit(' ', 1)[0]} …"


def my_predictions(lesson: str) -> Table:
    """What was predicted in a lesson in this session, and what came of it."""
    asked = questions.of_lesson(lesson)
    rows = [said(one, kept(one.name)) for one in asked if kept(one.name).choice]
    return Table("My predictions", ("asked", "I chose", "I was", "it is", ""), rows, summed(lesson))


def summed(lesson: str) -> str:
    """The same in a sentence or two."""
    asked = questions.of_lesson(lesson)
    revealed = [(one, kept(one.name)) for one in asked if kept(one.name).revealed and kept(one.name).choice]
    right = [pair for pair in revealed if pair[0].right == pair[1].choice]
    if not revealed:
        return f"Nothing is revealed yet of {len(asked)} questions."
    certain = [pair for pair in revealed if pair[1].sure == "certain"]
    wrong = sum(one.choice != question.right for question, one in certain)
    held = f" Of {len(certain)} that you were certain of, {wrong} were not so." if certain else ""
    return f"{len(right)} of {len(revealed)} revealed predictions were right, of {len(asked)} questions.{held}"


# --- for a class: without names ------------------------------------------------------------------------------


def written(lesson: str) -> str:
    """The predictions of a lesson as CSV: question, choice, how sure; nothing about who it was."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(HEADS)
    rows.writerows(
        (one.name, kept(one.name).choice, kept(one.name).sure)
        for one in questions.of_lesson(lesson)
        if kept(one.name).choice
    )
    return text.getvalue()
