"""A question to predict with: choose, say how sure you are, reveal; and what was predicted, at a lesson's end."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import traitlets

from vmalab.errors import UsageError
from vmalab.pictures.card import card, within
from vmalab.pictures.frames import as_json
from vmalab.programs.files import write_whole
from vmalab.teach import questions
from vmalab.teach.questions import MultipleChoice, session
from vmalab.teach.questions.question import marked, plain
from vmalab.teach.questions.session import SURE, Prediction
from vmalab.widgets.base import Widget


class Question(Widget):
    """A question of a lesson: choose, say how sure you are and, if you like, why; then reveal.

    >>> asked = Question("04-gap")
    >>> asked.choice, asked.sure = "b", "certain"
    >>> asked.reveal()[0]
    'b is right.'

    `question`: its name, or a `MultipleChoice`.  `choice`: letters of choices (`"b"`; `"bc"` where several can be so),
    `sure`: `"guess"`, `"fairly"` or `"certain"`, `why`: any words.  All can be set; `reveal()` says what the choice
    means.  What was chosen is kept for the session (`MyPredictions`), in the page and in Python, and nowhere else.  It
    plays without Python.
    """

    scripts = ("question.js",)
    render = "renderQuestion"
    needs_python = False
    pictured = False

    data = traitlets.Unicode().tag(sync=True)
    choice = traitlets.Unicode().tag(sync=True)
    sure = traitlets.Unicode().tag(sync=True)
    why = traitlets.Unicode().tag(sync=True)
    revealed = traitlets.Bool().tag(sync=True)

    def __init__(self, question: str | MultipleChoice) -> None:
        self.question = questions.find(question) if isinstance(question, str) else question
        one = session.kept(self.question.name)
        super().__init__(
            data=as_json(question_data(self.question)),
            choice=one.choice, sure=one.sure, why=one.why, revealed=one.revealed,
        )  # fmt: skip
        self.observe(self._keep, names=["choice", "sure", "why", "revealed"])

    def reveal(self) -> list[str]:
        """What the choice means.  Raises UsageError before anything is chosen."""
        if not self.choice:
            raise UsageError(f"choose one of {', '.join(self.question.letters)} first")
        self.revealed = True
        return told(self.question, self.choice)

    @traitlets.validate("choice")
    def _is_choice(self, proposal: Any) -> str:
        chosen = "".join(sorted(set(str(proposal["value"]).strip().lower())))
        asked = self.question
        if not set(chosen) <= set(asked.letters) or (len(chosen) > 1 and not asked.several):
            raise UsageError(f"a choice is {'letters' if asked.several else 'a letter'} of {', '.join(asked.letters)}, "
                             f"not {proposal['value']!r}")  # fmt: skip
        return chosen

    @traitlets.validate("sure")
    def _is_sure(self, proposal: Any) -> str:
        if proposal["value"] not in ("", *SURE):
            raise UsageError(f"sure is one of {', '.join(SURE)}, not {proposal['value']!r}")
        return str(proposal["value"])

    def _keep(self, _change: object) -> None:
        session.keep(self.question.name, Prediction(self.choice, self.sure, self.why, self.revealed))

    def summary(self) -> str:
        chosen = f"; chosen: {self.choice}" if self.choice else ""
        how = f"; {told(self.question, self.choice)[0]}" if self.revealed and self.choice else ""
        return f"{self.question.name}: {session.shortened(self.question.text)}{chosen}{how}"

    def still_html(self) -> str:
        """The question, with its answers folded."""
        return card(still(self.question), what="a question to predict with")


def question_data(question: MultipleChoice) -> dict[str, Any]:
    """All that a page needs of a question."""
    return {
        "name": question.name, "text": marked(question.text), "short": session.shortened(question.text),
        "right": question.right, "several": question.several, "because": marked(question.because),
        "sure": list(SURE.items()),
        "choices": [[letter, marked(one.text), marked(one.means)] for letter, one in _lettered(question)],
    }  # fmt: skip


def still(question: MultipleChoice) -> str:
    """A question as HTML without script, its answers folded."""
    choices = "".join(f"<li><b>{letter}</b> {marked(one.text)}</li>" for letter, one in _lettered(question))
    answers = "".join(
        f"<li><b>{letter}, {'right' if letter in question.right else 'not so'}.</b> {marked(one.means)}</li>"
        for letter, one in _lettered(question)
    )
    because = f"<p>{marked(question.because)}</p>" if question.because else ""
    return (
        f"<p><b>Predict.</b> {marked(question.text)}</p><ul>{choices}</ul>"
        f"<details><summary>Reveal</summary><ul>{answers}</ul>{because}</details>"
    )


def told(question: MultipleChoice, choice: str) -> list[str]:
    """What there is to say to a choice, in plain words."""
    right = choice == question.right
    first = f"{choice} is right." if right else f"{choice} is not so: it is {question.right or 'none of them'}."
    means = [
        f"{letter}: {plain(one.means)}" for letter, one in _lettered(question) if letter in choice + question.right
    ]
    return [first, *means, *([plain(question.because)] if question.because else [])]


def _lettered(question: MultipleChoice) -> list[tuple[str, questions.Choice]]:
    return list(zip(question.letters, question.choices, strict=True))


class MyPredictions(Widget):
    """What was predicted in a lesson in this session, and what came of it.

    >>> MyPredictions("10")
    MyPredictions(Nothing is revealed yet of 3 questions.)

    `lesson`: its number, `"04"`.  In a page that plays it follows what is chosen above it; `save` writes the choices
    into a file for a class, without a name.
    """

    scripts = ("question.js",)
    render = "renderMyPredictions"
    needs_python = False
    pictured = False

    data = traitlets.Unicode().tag(sync=True)

    def __init__(self, lesson: str) -> None:
        self.lesson = lesson
        asked = questions.of_lesson(lesson)
        if not asked:
            raise UsageError(f"there are no questions of a lesson {lesson!r}")
        rows = [
            [one.name, session.shortened(one.text), one.right, [kept.choice, kept.sure, kept.revealed]]
            for one in asked
            for kept in [session.kept(one.name)]
        ]
        super().__init__(data=as_json({"asked": rows, "sure": SURE}))

    def save(self, file: str | Path) -> None:
        """Write the choices to `file` as CSV: question, choice, how sure.  Nothing in it says who it was."""
        write_whole(Path(file), session.written(self.lesson))

    def summary(self) -> str:
        return session.summed(self.lesson)

    def still_html(self) -> str:
        table = session.my_predictions(self.lesson)
        if not len(table):
            return card(f"<p>{escape(session.summed(self.lesson))}</p>", what="my predictions")
        return card(within(table._repr_html_()), what="my predictions")
