"""What a problem shows in a notebook: the program, the picture before the asked calls, the question and its choices."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from vmalab.pictures.display import card, snapshot_html
from vmalab.programs.calltext import call_text

if TYPE_CHECKING:
    from vmalab.teach.problems.problem import Problem

    from vmalab.linux.call import Call


def problem_html(problem: Problem, *, style: bool = True) -> str:
    """The problem without its answer.  `style` False where the page has the styles."""
    head = (
        f'<header class="vml-head"><b>{escape(problem.title)}</b>'
        f'<span class="vml-machine">{escape(problem.kernel_names)}</span></header>'
    )
    before = snapshot_html(problem.before, problem.before_title, style=False)
    asked = ""
    if problem.asked_calls:
        asked = f"<p>{escape(problem.now)}</p>{calls_html(problem.asked_calls, problem.first_number)}"
    notes = "".join(f'<p class="vml-hint">{escape(note)}</p>' for note in problem.notes())
    choices = "".join(f"<li>{escape(choice.text)}</li>" for choice in problem.choices)
    listed = f'<ol type="a">{choices}</ol>' if choices else ""
    body = (
        f"{head}{calls_html(problem.setup_calls)}{before}{asked}{notes}<p><b>{escape(problem.question)}</b></p>{listed}"
    )
    return card(body, style, "a problem")


def calls_html(calls: Iterable[Call], first: int = 1) -> str:
    """Calls as a numbered list."""
    lines = "".join(f'<li><code class="vml-call">{escape(call_text(call))}</code></li>' for call in calls)
    return f'<ol start="{first}">{lines}</ol>'
