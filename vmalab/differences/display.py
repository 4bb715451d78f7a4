"""How a comparison shows itself in a notebook: every step in a table, and the first that differs as a picture on each.

Like `vmalab.pictures.display`: HTML that needs no script and no network.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from vmalab.differences.compare import Comparison, unlike
from vmalab.differences.say import say_difference
from vmalab.machines.outcome import Outcome
from vmalab.pictures.card import card
from vmalab.pictures.display import picture_html
from vmalab.pictures.scale import Scale
from vmalab.pictures.scene import result_words, scale_for, scene_of
from vmalab.pictures.sceneparts import with_letters
from vmalab.programs.calltext import call_text
from vmalab.words.explain import one_line


def comparison_html(comparison: Comparison, more: Iterable[str] = ()) -> str:
    """One scenario on two machines: every step in a table, and the first that differs as a picture on each.

    What differs is marked in the pictures and named in words.  Where they agree, the last step is shown, once.
    `more`: sentences to stand below the differences.
    """
    a, b = comparison.a.machine, comparison.b.machine
    verdict = "agree on every step" if comparison.agrees else "differ"
    kind, sign = ("ok", "✓") if comparison.agrees else ("fail", "≠")
    head = (
        f'<header class="vml-head"><b>{escape(comparison.scenario.name)}</b>'
        f'<span class="vml-result {kind}">{sign} {escape(a)} and {escape(b)} {verdict}</span></header>'
    )
    named = "".join(
        f"<p>{escape(text)}</p>"
        for text in (*(say_difference(found, a, b) for found in comparison.differences()), *more)
    )
    return card(head + steps_html(comparison) + named + _sides(comparison), True)


def steps_html(comparison: Comparison) -> str:
    lines = []
    for step in comparison.steps:
        told = "".join(f"<td>{escape(_told(outcome))}</td>" for outcome in (step.a, step.b))
        same = "✓ same" if step.agrees else "≠ differs"
        call = escape(call_text(step.call))
        lines.append(f"<tr><th scope=row>{step.number}</th><td><code>{call}</code></td>{told}<td>{same}</td></tr>")
    machines = (escape(comparison.a.machine), escape(comparison.b.machine))
    heads = "".join(f"<th scope=col>{name}</th>" for name in ("step", "call", *machines, ""))
    return f'<table class="vml-table"><thead><tr>{heads}</tr></thead><tbody>{"".join(lines)}</tbody></table>'


def _told(outcome: Outcome | None) -> str:
    return "did not come so far" if outcome is None else result_words(outcome)


def _sides(comparison: Comparison) -> str:
    """The first step that differs on each machine, on one scale; or the last step where none does."""
    steps = [step for step in comparison.steps if step.a is not None and step.b is not None]
    if not steps:
        return ""
    step = next((step for step in steps if not step.agrees), steps[-1])
    pair = [outcome for outcome in (step.a, step.b) if outcome is not None]
    scale = scale_for(pair)
    drawn = []
    for outcome, other in ((pair[0], pair[1]), (pair[1], pair[0])):
        name = f"Call {step.number} on {outcome.machine}."
        drawn.append(side_html(outcome, name, scale, unlike(outcome.after, other.after)))
        if step.agrees:
            break
    return "".join(drawn)


def side_html(outcome: Outcome, name: str, scale: Scale, differing: frozenset[int]) -> str:
    """One machine's picture of a call beside another's: its name and summary, and what differs marked."""
    scene = scene_of(outcome, scale=scale, differing=differing)
    return f"<p><b>{escape(name)}</b> {escape(with_letters(one_line(outcome), scene.bands))}</p>{picture_html(scene)}"
