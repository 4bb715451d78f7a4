"""The answer to a problem, explained: from the steps that the kernel takes, and choice by choice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from attrs import frozen

from vmalab.machines.outcome import Outcome
from vmalab.pictures.card import card
from vmalab.pictures.display import outcome_html
from vmalab.programs.calltext import call_text, result_text
from vmalab.teach.problems.asked_calls import Asked
from vmalab.words.explain import one_line, reason, story
from vmalab.words.failure import damage
from vmalab.words.wording import glue, listed, say, word


@frozen(repr=False)
class Solution:
    """`answer`: the right one.  `parts`: for each asked call its heading and what the kernel does, in sentences.
    `choices`: for each wrong choice what there is to say to it.  `more`: what else belongs to it."""

    answer: str
    parts: tuple[tuple[str, tuple[str, ...]], ...]
    choices: tuple[tuple[str, tuple[str, ...]], ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    more: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Everything, line by line."""
        told = [say("quiz", "answer", answer=self.answer)]
        for head, sentences in (*self.parts, *self.choices):
            told += [head, *(f"    {sentence}" for sentence in sentences)]
        return [*told, *self.more]

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        pictures = "".join(outcome_html(outcome, style=False, steps=True) for outcome in self.outcomes)
        wrong = "".join(
            f"<li>{escape(head)} {escape(' '.join(sentences))}</li>" for head, sentences in self.choices if sentences
        )
        answer = f"<p><b>{escape(say('quiz', 'answer', answer=self.answer))}</b></p>"
        more = "".join(f"<p>{escape(line)}</p>" for line in self.more)
        return card(answer + pictures + (f"<ul>{wrong}</ul>" if wrong else "") + more)


def solution_of(answer: str, runs: Sequence[Asked], wrong: Iterable[tuple[str, tuple[str, ...]]]) -> Solution:
    """The solution of a problem: its answer, what the asked calls did kernel by kernel, and what is said to each wrong
    choice.  O(steps)."""
    parts = []
    several = len(runs) > 1
    for run in runs:
        for outcome in run.runs:
            result = result_text(outcome.call, outcome.value, outcome.errno)
            where = f" on {run.kernel}" if several else ""
            told = (reason(outcome) or glue("sentence", clause=one_line(outcome)),) if several else _told(outcome)
            parts.append((f"{call_text(outcome.call)} → {result}{where}", tuple(told)))
    return Solution(answer, tuple(parts), tuple(wrong), () if several else tuple(runs[0].runs))


def _told(outcome: Outcome) -> list[str]:
    """What the kernel does, step by step; of a call that fails, what is left of it."""
    told = story(outcome, 2)
    if outcome.errno:
        done = damage(outcome)
        told.append(say("outcome", "reason_done", done=listed(done)) if done else word("outcome", "reason_intact"))
    return told
