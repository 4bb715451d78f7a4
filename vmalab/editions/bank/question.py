"""A problem as HTML for a page that is not ours: an LMS, a sheet.  No seed, no level and no answer is in it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from vmalab.linux.call import Call
from vmalab.programs.calltext import call_text
from vmalab.teach.predictions import layout_text
from vmalab.teach.problems import Problem
from vmalab.words.wording import say, word

HOW_DRAWN = (
    "Write the VMAs one after the other as [first page to last page permissions], "
    "such as [0 to 1 rw] [3 r]; or: nothing is mapped."
)
HOW_PROGRAM = "Write the calls as above, one after the other, divided by semicolons."
PICTURE = "The VMAs before the calls that are asked about"


def how(one: Problem) -> str:
    """How an answer is to be written; "" where it is chosen."""
    return "" if one.choices else HOW_PROGRAM if one.goal else HOW_DRAWN


def name(one: Problem, number: int) -> str:
    """What the lecturer sees in a list of questions.

    >>> from vmalab.teach.problems import problem
    >>> name(problem(1, 3, "01", kind="errno"), 7)
    'vmalab 01 errno 007'
    """
    return f"vmalab {one.topic} {one.kind} {number:03}"


def question_html(one: Problem, picture: str) -> str:
    """What is asked, without the choices.  `picture`: HTML of the picture of the VMAs."""
    setup = _calls(one.setup_calls)
    asked = f"<p>{escape(one.now)}</p>{_calls(one.asked_calls, one.first_number)}" if one.asked_calls else ""
    there = say("quiz", "there_are", vmas=layout_text(one.before) or word("quiz", "nothing"))
    notes = "".join(f"<p><em>{escape(note)}</em></p>" for note in (*one.notes(), how(one)) if note)
    return (
        f"<p>{escape(one.after)}</p>{setup}<p>{escape(there)}</p>{picture}{asked}"
        f"<p><strong>{escape(one.question)}</strong></p>{notes}"
    )


def _calls(calls: Sequence[Call], first: int = 1) -> str:
    lines = "".join(f"<li><code>{escape(call_text(call))}</code></li>" for call in calls)
    # `start` for an LMS, which may strip styles; the counter for what makes PDF
    return f'<ol start="{first}" style="counter-reset:list-item {first - 1}">{lines}</ol>' if lines else ""


def alternative(one: Problem) -> str:
    """The picture in words."""
    return f"{PICTURE}: {layout_text(one.before) or word('quiz', 'nothing')}"


def said_to(one: Problem, index: int) -> list[str]:
    """What there is to say to a choice: that it is right, or the belief behind it."""
    choice = one.choices[index]
    return [word("quiz", "right")] if choice.right else [word("quiz", "wrong"), *one.about(choice)]


def explanation_html(one: Problem) -> str:
    """The answer with its reasons, step by step; not what is said to wrong choices."""
    told = one.solution()
    parts = "".join(
        f"<p><code>{escape(head)}</code></p><ul>{''.join(f'<li>{escape(line)}</li>' for line in sentences)}</ul>"
        for head, sentences in told.parts
    )
    return f"<p><strong>{escape(say('quiz', 'answer', answer=one.answer))}</strong></p>{parts}"
