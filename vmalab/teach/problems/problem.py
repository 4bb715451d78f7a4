"""`Problem`: one question with what belongs to it, how an answer is checked, and how it is told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cached_property
from html import escape
from typing import Any

from attrs import asdict, define, evolve, field

from vmalab.differences.causes import causes
from vmalab.errors import UsageError
from vmalab.linux.call import Call, Limit, Touch
from vmalab.linux.profile import profile
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Row, Snapshot
from vmalab.pictures.card import card
from vmalab.pictures.display import calls_html, snapshot_html
from vmalab.programs.calljson import call_to_json
from vmalab.programs.calltext import call_text
from vmalab.programs.scenario import Scenario, scenario_to_json
from vmalab.teach.feedback import Feedback, no_answer, not_yet, solved
from vmalab.teach.misconceptions import suspects
from vmalab.teach.misconceptions.layouts import Rows, outline
from vmalab.teach.predictions import layout_text, parse_layout, spelled
from vmalab.teach.problems.asked_calls import Asked
from vmalab.teach.problems.choices import LETTERS, Choice
from vmalab.teach.problems.difficulty import Difficulty
from vmalab.teach.problems.shortest import Goal
from vmalab.teach.problems.solution import Solution, solution_of
from vmalab.teach.problems.topics import about
from vmalab.words.wording import say, word


@define(eq=False, slots=False, repr=False)
class Problem:
    """One problem, as `vmalab.teach.problems.problem` makes it.

    `seed`, `level`, `topic`, `kind`: what it was made from (`topic` is the lesson's number).  `kernels`: the releases
    asked about, most often one.  `scenario`: the program, whose last `asked` calls are asked about (of the kind
    `releases` each of them by itself).  `question`: the question in one sentence.  `choices`: what may be chosen from,
    `()` where an answer is drawn or written.  `runs`: what the asked calls really do, kernel by kernel.
    `difficulty`: measured, see `vmalab.teach.problems.difficulty`.  `hide_seed`: set it, and what is printed of the
    problem tells nothing by which anyone could make it again, and read its answer.

    >>> from vmalab.teach.problems import problem
    >>> one = problem(level=1, seed=4, topic="02")
    >>> one.check(one.answer)
    ✓ Solved.
    That is right.
    """

    level: int
    seed: int
    topic: str
    kind: str
    kernels: tuple[str, ...]
    scenario: Scenario
    asked: int
    question: str
    choices: tuple[Choice, ...]
    difficulty: Difficulty
    runs: tuple[Asked, ...]
    goal: Goal | None = None
    chosen_topic: str | None = field(default=None)
    hide_seed: bool = False

    # --- what is asked ---

    @property
    def setup_calls(self) -> tuple[Call, ...]:
        """The calls before those that are asked about."""
        calls = self.scenario.steps
        return calls[: len(calls) - self.asked]

    @property
    def asked_calls(self) -> tuple[Call, ...]:
        """The calls that are asked about; none where a program is to be found."""
        calls = self.scenario.steps
        return calls[len(calls) - self.asked :]

    @property
    def before(self) -> Snapshot:
        """The address space before the asked calls."""
        return self.runs[0].setup

    @property
    def kernel_names(self) -> str:
        """The kernels for a person."""
        return ", ".join(word("quiz", "v3") if one == "v3" else str(profile(one)) for one in self.kernels)

    @property
    def after(self) -> str:
        """What stands before the calls of the set-up."""
        return say("quiz", "after_each" if len(self.kernels) > 1 else "after", kernels=self.kernel_names)

    @property
    def free(self) -> bool:
        """Whether the answer is drawn or written, and not chosen."""
        return not self.choices

    @property
    def title(self) -> str:
        """Level, topic and seed in one line; without the seed where that is hidden."""
        seed = "" if self.hide_seed else f", seed {self.seed}"
        return f"Level {self.level}, topic {self.topic} ({about(self.topic)}){seed}"

    def notes(self) -> list[str]:
        """What the notation of some calls means, where they occur."""
        kinds = {type(call) for call in self.scenario.steps}
        touch = "touch_values" if self.kind == "contents" else "touch"
        return [word("quiz", name) for kind, name in ((Touch, touch), (Limit, "limit")) if kind in kinds]

    def model(self) -> Model:
        """The process before the asked calls, on the first of the kernels: to try things."""
        vm = Model(self.kernels[0])
        for call in self.setup_calls:
            vm.do(call)
        return vm

    # --- answering ---

    @property
    def right(self) -> int:
        """The index of the right choice; -1 where there are none."""
        return next((index for index, choice in enumerate(self.choices) if choice.right), -1)

    @property
    def answer(self) -> str:
        """The right answer, as `check` takes it: a choice, the VMAs, or calls."""
        if self.choices:
            return self.choices[self.right].text
        if self.goal:
            return self.goal.program_text
        return layout_text(self.runs[-1].last.after) or word("quiz", "nothing")

    def check(self, answer: object = None) -> Feedback:
        """What there is to say to an answer.

        To choices: a letter (`"b"`), a number from 1, or the text of a choice.  To a drawing: `"[0 to 1 rw] [3 r]"` or
        `"nothing is mapped"`, rows, a snapshot or a model.  To a program: its calls as text, as records, or a
        model that has made them.  None or `...`: nobody has answered yet.  Raises UsageError for what is no
        answer to this question.
        """
        if answer is None or answer is ... or answer == "":
            return no_answer(word("quiz", "no_answer"), self.question)
        if self.choices:
            return self._checked_choice(self.choices[self.index_of(answer)])
        if self.goal:
            return self.goal.check(answer)
        return self._checked_drawing(_rows(answer))

    def index_of(self, answer: object) -> int:
        """Which choice an answer means.  Raises UsageError if it is none."""
        if isinstance(answer, int) and not isinstance(answer, bool) and 1 <= answer <= len(self.choices):
            return answer - 1
        text = str(answer).strip().rstrip(".").casefold()
        for index, choice in enumerate(self.choices):
            if text in (LETTERS[index], choice.text.rstrip(".").casefold()) or text == str(index + 1):
                return index
        raise UsageError(f"“{answer}” is none of the choices: choose one of {', '.join(LETTERS[: len(self.choices)])}")

    def _checked_choice(self, choice: Choice) -> Feedback:
        if choice.right:
            return solved(word("quiz", "right"))
        return not_yet(word("quiz", "wrong"), *self.about(choice))

    def about(self, choice: Choice) -> list[str]:
        """What there is to say to a wrong choice: the beliefs behind it, the kernel that does so, or why it is near."""
        held = {one.name: one.call for one in reversed(choice.beliefs)}  # of several calls the last one
        said = [_think(name, held[name]) for name in dict.fromkeys(one.name for one in choice.beliefs)][:2]
        if choice.kernel:
            said.append(say("quiz", "other", kernel=profile(choice.kernel)))
            found = causes(self.scenario, profile(self.kernels[0]), profile(choice.kernel))
            said += [say("quiz", "lacks" if one.in_a else "has", why=one.behaviour.meaning) for one in found]
        return said or ([choice.why] if choice.why else [])

    def _checked_drawing(self, drawn: Rows) -> Feedback:
        """VMA by VMA, without telling those that are missing."""
        run = self.runs[-1]
        real = outline(run.last.after)
        ours = outline(drawn)
        if ours == real:
            return solved(say("quiz", "all_drawn", all=len(real)) if real else word("quiz", "none_drawn"))
        wrong = [row for row, shape in zip(drawn, ours, strict=True) if shape not in real]
        said = [say("quiz", "drawn", right=len(ours) - len(wrong), all=len(real))]
        said += [say("quiz", "not_there", vma=spelled(row)) for row in wrong]
        more = len(real) - len(ours)
        if not wrong and more > 0:
            said.append(say("quiz", "missing_one" if more == 1 else "missing", count=more))
        found = suspects(run.case.model, run.case.call, rows=drawn)[:2]
        return not_yet(*said, *(_think(one.name) for one in found))

    # --- solving ---

    @cached_property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What the asked calls really do, one after the other, kernel by kernel."""
        return tuple(outcome for run in self.runs for outcome in run.runs)

    def solution(self) -> Solution:
        """The answer, explained from the steps of the kernel, and what is wrong with the wrong choices."""
        answer = f"{LETTERS[self.right]}  {self.answer}" if self.choices else self.answer
        wrong = [
            (f"{letter}  {choice.text}", tuple(self.about(choice)))
            for letter, choice in zip(LETTERS, self.choices, strict=False)
            if not choice.right
        ]
        return solution_of(answer, self.runs, wrong)

    # --- telling ---

    @property
    def before_title(self) -> str:
        """What the address space before the asked calls is called."""
        return word("quiz", "before" if self.asked else "start")

    @property
    def now(self) -> str:
        """What stands before the asked calls."""
        one, several = ("now", "now_several") if self.kind != "releases" else ("now", "now_one_of")
        return word("quiz", one if self.asked == 1 else several)

    @property
    def first_number(self) -> int:
        """The number of the first asked call."""
        return 1 if self.kind == "releases" else len(self.setup_calls) + 1

    def text(self) -> str:
        """All of it for a terminal, without the answer."""
        lines = [self.title, self.after]
        lines += [f"  {number:>3}  {call_text(call)}" for number, call in enumerate(self.setup_calls, 1)]
        lines += [say("quiz", "there_are", vmas=layout_text(self.before) or word("quiz", "nothing"))]
        if self.asked_calls:
            lines.append(self.now)
            asked = enumerate(self.asked_calls, self.first_number)
            lines += [f"  {number:>3}  {call_text(call)}" for number, call in asked]
        lines += [*self.notes(), self.question]
        lines += [f"    {letter}  {choice.text}" for letter, choice in zip(LETTERS, self.choices, strict=False)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_html(self, *, style: bool = True) -> str:
        """The problem without its answer, for a notebook.  `style` False where the page has the styles."""
        head = (
            f'<header class="vml-head"><b>{escape(self.title)}</b>'
            f'<span class="vml-machine">{escape(self.kernel_names)}</span></header>'
        )
        before = snapshot_html(self.before, self.before_title, style=False)
        asked = ""
        if self.asked_calls:
            asked = f"<p>{escape(self.now)}</p>{calls_html(self.asked_calls, self.first_number)}"
        notes = "".join(f'<p class="vml-hint">{escape(note)}</p>' for note in self.notes())
        choices = "".join(f"<li>{escape(choice.text)}</li>" for choice in self.choices)
        listed = f'<ol type="a">{choices}</ol>' if choices else ""
        body = (
            f"{head}{calls_html(self.setup_calls)}{before}{asked}{notes}<p><b>{escape(self.question)}</b></p>{listed}"
        )
        return card(body, style, "a problem")

    def to_json(self, solve: bool = False) -> dict[str, Any]:
        """The problem as data; with `solve` the answer, where the wrong choices come from, and the explanation.

        `scenario` is in the exchange format; its last `asked` steps are asked about.  `before`: the VMAs ahead of
        them.  `choices`: texts, `[]` where the answer is drawn or written.  `difficulty`: steps, rules, VMAs and their
        sum.  With `solve`: `answer` (as `check` takes it), `right` (index of the choice), `from` (for each choice its
        beliefs, kernel or near miss), `explanation` (lines).  Where the seed is hidden, there is no `seed`, no `digest`
        (a guess could be held against it), and the scenario's name tells nothing.
        """
        scenario = evolve(self.scenario, name="problem") if self.hide_seed else self.scenario
        told: dict[str, Any] = {
            "level": self.level,
            "seed": self.seed,
            "topic": self.topic,
            "kind": self.kind,
            "kernels": list(self.kernels),
            "scenario": scenario_to_json(scenario),
            "asked": self.asked,
            "before": layout_text(self.before),
            "question": self.question,
            "choices": [choice.text for choice in self.choices],
            "difficulty": self.difficulty.to_json(),
            "digest": self.digest,
        }
        if self.hide_seed:
            del told["seed"], told["digest"]
        if solve:
            told["answer"] = self.answer
            told["right"] = self.right if self.choices else None
            told["from"] = [
                {"beliefs": [asdict(held) for held in choice.beliefs], "kernel": choice.kernel, "near": choice.near}
                for choice in self.choices
            ]
            told["explanation"] = self.solution().lines()
        return told

    @property
    def identity(self) -> tuple[object, ...]:
        """What makes it another problem than others: the program, the kernels, what is asked."""
        calls = json.dumps([call_to_json(call) for call in self.scenario.steps], sort_keys=True)
        return (calls, self.asked, self.kernels, self.kind, self.goal.target if self.goal else "")

    @property
    def digest(self) -> str:
        """16 hex digits that stand for the problem with its choices and its answer: the same on every machine."""
        told = [*map(str, self.identity), *(choice.text for choice in self.choices), self.answer]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def _think(name: str, call: int = 0) -> str:
    key = "think_at" if call else "think"
    return say("quiz", key, number=call, belief=word("belief", name), truth=word("truth", name))


def _rows(answer: object) -> Rows:
    """The VMAs that an answer gives."""
    if isinstance(answer, str):
        return () if answer.strip().rstrip(".").casefold() == word("quiz", "nothing") else parse_layout(answer)
    if isinstance(answer, Model):
        return answer.snapshot().rows
    rows = tuple(answer) if isinstance(answer, Iterable) else (answer,)
    if not all(isinstance(row, Row) for row in rows):
        raise UsageError("VMAs are given as text, such as [0 to 1 rw] [3 to 4 r], as rows, or as a model")
    return rows
