"""The quiz: problems that never run out, one at a time; an answer, words on it, the explanation, the next one."""

from __future__ import annotations

from html import escape
from typing import Any

import traitlets

from vmalab.errors import UsageError
from vmalab.pictures.card import within
from vmalab.pictures.frames import as_json, pictures, player_data
from vmalab.pictures.scene import scene_of_snapshot
from vmalab.pictures.svg import draw
from vmalab.programs.calltext import call_text
from vmalab.teach.feedback import Feedback
from vmalab.teach.problems import LEVELS, TOPICS, Problem, Solution, problem
from vmalab.teach.problems.choices import LETTERS
from vmalab.teach.problems.topics import about, added
from vmalab.widgets.base import Widget
from vmalab.widgets.sketch import Sketch, room_for
from vmalab.words.wording import say, word

ANY = "any"
"""What the chooser calls no topic."""


class Quiz(Widget):
    """Problems, one after the other.

    >>> quiz = Quiz(topic="04", level=2, seed=4)
    >>> quiz.answer = quiz.problem.answer
    >>> quiz.check().solved
    True
    >>> quiz.next()
    >>> quiz.seed
    5

    `level`: 1 to 5.  `seed`: which problem; the next one has the next seed.  `topic`: a lesson's number such as `"04"`,
    None for any.  All three can be set.  `answer`: what was chosen (`"b"`), drawn (`"[0 to 1 rw] [3 r]"`) or written
    (`"munmap(3, 2)"`).  `check()` says what there is to say to it, `explain()` shows the solution, `next()` goes on.

    Nothing is counted and nothing is kept: what is to be graded belongs into a cell, as `problem(level, seed)`.
    """

    scripts = ("player.js", "drag.js", "predict.js", "quiz.js")
    render = "renderQuiz"

    state = traitlets.Unicode().tag(sync=True)
    look = traitlets.Unicode().tag(sync=True)
    """The picture of the address space before the asked calls, and that of the sketch where there is one."""
    told = traitlets.Unicode().tag(sync=True)
    """The explanation; empty until it is asked for."""

    level = traitlets.Int(1)
    seed = traitlets.Int(1)
    topic = traitlets.Unicode(None, allow_none=True)
    answer = traitlets.Unicode("")

    def __init__(self, level: int = 1, seed: int = 1, topic: str | None = None) -> None:
        self.feedback: Feedback | None = None
        self.solution: Solution | None = None
        self.trouble = ""
        self._begin(problem(level, seed, topic))
        super().__init__(level=level, seed=seed, topic=topic)
        self._show()
        self.observe(self._changed, names=["level", "seed", "topic"])
        self.observe(self._answered, names=["answer"])
        self.on_msg(self._heard)

    def _begin(self, made: Problem) -> None:
        self.problem = made
        self.feedback = self.solution = None
        self.sketch: Sketch | None = None
        self._before = pictures([draw(scene_of_snapshot(made.before, made.before_title), live=True)])
        if made.kind == "draw":
            room = [row for call in made.asked_calls for row in room_for(call)]
            self.sketch = Sketch(made.before, room)

    # --- from Python ---

    def check(self) -> Feedback:
        """What there is to say to the answer.  Raises UsageError for one that is not understood."""
        if self.sketch is not None and self.sketch.error:
            raise UsageError(self.sketch.error)
        self.feedback = self.problem.check(self.answer)
        self._show()
        return self.feedback

    def explain(self) -> Solution:
        """Show the solution."""
        self.solution = self.problem.solution()
        self._show()
        return self.solution

    def next(self) -> None:
        """Go to the problem with the next seed."""
        self.seed += 1

    @traitlets.validate("level", "seed", "topic")
    def _possible(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        if name == "topic" and value is not None:
            value = value.zfill(2)
        self._follow(**{name: value})
        return value

    def _follow(self, **changed: Any) -> None:
        """Have the problem that level, seed and topic stand for."""
        asked = {name: getattr(self, name) for name in ("level", "seed", "topic")} | changed
        if (self.problem.level, self.problem.seed, self.problem.chosen_topic) != tuple(asked.values()):
            self._begin(problem(**asked))

    def _changed(self, _change: object) -> None:
        self._follow()  # traitlets asks nobody whether None is fine
        self.answer = ""
        self._show()

    def _answered(self, _change: object) -> None:
        self.feedback = None
        drawn = "" if self.answer == word("quiz", "nothing") else self.answer
        if self.sketch is not None and self.answer and drawn != self.sketch.text:
            self.sketch.write(drawn)
        self._show()

    # --- the browser ---

    def _heard(self, _widget: object, content: Any, _buffers: object) -> None:
        if not isinstance(content, dict):
            return
        self.trouble = ""
        with self.hold_sync():  # one message
            try:
                self._do(content)
            except (UsageError, ValueError, traitlets.TraitError) as error:
                self.trouble = f"{str(error)[:1].upper()}{str(error)[1:].rstrip('.')}."
            self._show(content.get("n", 0))

    def _do(self, content: dict[str, Any]) -> None:
        what, value = content.get("do"), content.get("value")
        if what == "check":
            self.check()
        elif what == "explain":
            self.explain()
        elif what == "next":
            self.next()
        elif what in ("level", "seed"):
            if not str(value).isdecimal():
                raise UsageError(f"{what} is a whole number, not “{value}”")
            setattr(self, what, int(str(value)))
        elif what == "topic":
            self.topic = None if value == ANY else str(value)
        elif what == "answer":
            self.answer = str(value)
        elif self.sketch is not None and self.sketch.handle(content) and what in ("tool", "write"):
            self.answer = self.sketch.text or word("quiz", "nothing")

    def _look(self) -> str:
        drawn = self.sketch.look("your drawing") if self.sketch is not None else {}
        return as_json({"before": self._before, **drawn})

    def _state(self, n: Any) -> dict[str, Any]:
        made = self.problem
        return {
            "level": self.level, "levels": list(LEVELS), "seed": self.seed, "topic": self.topic or ANY,
            "topics": [[ANY, "any topic"], *([name, f"{name}  {about(name)}"] for name in (*TOPICS, *added))],
            "title": made.title, "kernels": made.kernel_names, "difficulty": str(made.difficulty),
            **_calls(made), "notes": made.notes(), "question": made.question, "kind": made.kind,
            "choices": [[LETTERS[index], choice.text] for index, choice in enumerate(made.choices)],
            "answer": self.answer, "sketch": self.sketch.state() if self.sketch is not None else None,
            "program": made.goal is not None,
            "said": list(self.feedback.said) if self.feedback is not None else [],
            "solved": self.feedback is not None and self.feedback.solved,
            "explained": self.solution is not None, "problem": self.trouble, "n": n,
        }  # fmt: skip

    def _show(self, n: Any = 0) -> None:
        with self.hold_sync():
            self.look = self._look()
            self.state = as_json(self._state(n))
            self.told = as_json(_told(self.solution)) if self.solution is not None else ""

    def summary(self) -> str:
        said = f"; answered: {self.answer}" if self.answer else ""
        how = "" if self.feedback is None else "; right" if self.feedback.solved else "; not right"
        topic = f", topic {self.topic}" if self.topic else ""
        return f"level {self.level}, seed {self.seed}{topic}: {self.problem.question}{said}{how}"

    def still_html(self) -> str:
        """The problem; words on the answer and the explanation once they were asked for."""
        said = "".join(f"<li>{escape(line)}</li>" for line in (self.feedback.said if self.feedback else ()))
        solution = within(self.solution._repr_html_()) if self.solution is not None else ""
        return self.problem.to_html() + (f"<ul>{said}</ul>" if said else "") + solution


def _calls(made: Problem) -> dict[str, Any]:
    return {
        "after": made.after,
        "there": word("quiz", "there"),
        "setup": [call_text(call) for call in made.setup_calls],
        "now": made.now if made.asked_calls else "",
        "asked": [call_text(call) for call in made.asked_calls],
        "first": made.first_number,
    }


def _told(solution: Solution) -> dict[str, Any]:
    return {
        "answer": say("quiz", "answer", answer=solution.answer),
        "parts": [[head, list(sentences)] for head, sentences in solution.parts],
        "plays": [player_data(outcome) for outcome in solution.outcomes],
        "choices": [[head, list(sentences)] for head, sentences in solution.choices],
        "more": list(solution.more),
    }
