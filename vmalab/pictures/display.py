"""How outcomes, address spaces and comparisons show themselves in a notebook: HTML that needs no script and no network.

Each function gives the picture, its words, and the same as `/proc/self/maps` text and as a table.  `Outcome`,
`Snapshot`, `Model` and `Comparison` call them from their `_repr_html_`; the widgets use them as what stands where no
kernel runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from vmalab.differences.compare import Comparison, unlike
from vmalab.machines.outcome import Outcome, Row, Snapshot
from vmalab.pictures.scale import Scale
from vmalab.pictures.scene import result_words, scale_for, scene_of, scene_of_snapshot
from vmalab.pictures.sceneparts import Band, Scene, backing_words, present_words, with_letters
from vmalab.pictures.svg import svg
from vmalab.pictures.tables import say_difference
from vmalab.pictures.theme import style_for
from vmalab.programs.calltext import call_text, size, span


def outcome_html(outcome: Outcome, *, style: bool = True, steps: bool = False) -> str:
    """A call: what it was, what came back and why, before above after.  `style` False where the page has the styles.

    `steps`: with the list of what the kernel did.  Self-contained; the same outcome gives the same text.
    """
    from vmalab.words.explain import one_line

    scene = scene_of(outcome)
    texts = [_maps("before", outcome.before), _maps("after", outcome.after)]
    story = _story(outcome, scene) if steps else ""
    summary = with_letters(one_line(outcome), (scene.bands[0], scene.bands[1]))
    body = outcome_head(outcome, summary) + _picture(scene) + story + _details(scene, texts)
    return card(body, style)


def snapshot_html(snapshot: Snapshot, title: str = "address space", *, style: bool = True) -> str:
    """An address space as it is: the picture, and as text and table."""
    scene = scene_of_snapshot(snapshot, title)
    head = f'<header class="vml-head"><b>{escape(scene.title)}</b></header>'
    return card(head + _picture(scene) + _details(scene, [_maps("", snapshot)]), style)


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
    return card(head + _steps_html(comparison) + named + _sides(comparison), True)


def _steps_html(comparison: Comparison) -> str:
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
        name = f"Step {step.number} on {outcome.machine}."
        drawn.append(side_html(outcome, name, scale, unlike(outcome.after, other.after)))
        if step.agrees:
            break
    return "".join(drawn)


def side_html(outcome: Outcome, name: str, scale: Scale, differing: frozenset[int]) -> str:
    """One machine's picture of a call beside another's: its name and summary, and what differs marked."""
    from vmalab.words.explain import one_line

    scene = scene_of(outcome, scale=scale, differing=differing)
    return f"<p><b>{escape(name)}</b> {escape(with_letters(one_line(outcome), scene.bands))}</p>{_picture(scene)}"


def outcome_head(outcome: Outcome, summary: str) -> str:
    """The line above a picture: the call, what came back, the machine, and the summary."""
    kind, sign = ("ok", "✓") if outcome.ok else ("fail", "✕")
    machine = f'<span class="vml-machine">{escape(outcome.machine)}</span>' if outcome.machine else ""
    return (
        f'<header class="vml-head"><code class="vml-call">{escape(call_text(outcome.call))}</code>'
        f'<span class="vml-result {kind}">{sign} {escape(result_words(outcome))}</span>{machine}'
        f'<p class="vml-summary">{escape(summary)}</p></header>'
    )


def rows_html(bands: Iterable[Band]) -> str:
    """The VMAs of `bands` as one table: the picture's letters, and all that it shows."""
    lines = [
        f"<tr><td>{escape(band.title)}</td><th scope=row>{escape(box.name)}</th>{_cells(box.row)}</tr>"
        for band in bands
        for box in band.boxes
    ]
    heads = "".join(
        f"<th scope=col>{name}</th>" for name in ("", "VMA", "pages", "size", "perms", "backing", "present")
    )
    return f'<table class="vml-table"><thead><tr>{heads}</tr></thead><tbody>{"".join(lines)}</tbody></table>'


def _cells(row: Row) -> str:
    place = span(row.start, row.end).removeprefix("pages ").removeprefix("page ")
    texts = (place, size(row.end - row.start), row.perms, backing_words(row), present_words(row))
    return "".join(f"<td>{escape(text)}</td>" for text in texts)


def card(body: str, style: bool = True, what: str = "a picture") -> str:
    """`body` as one output of a notebook, with the styles that it needs; `what` it is, for where it is folded."""
    if not style:
        return f'<div class="vml vml-card">{body}</div>'
    # JupyterLab shows the first line of an output that is folded
    return f'<!-- {what}: run the cell to see it -->\n<div class="vml vml-card">{style_for(body)}{body}</div>'


def _picture(scene: Scene) -> str:
    name = escape(f"picture of {scene.title}")
    return f'<div class="vml-scroll" role="region" tabindex="0" aria-label="{name}">{svg(scene)}</div>'


def _maps(title: str, snapshot: Snapshot) -> str:
    head = f"<figcaption>{escape(title)}</figcaption>" if title else ""
    return f"<figure>{head}<pre>{escape(snapshot.maps() or '(no VMAs)')}</pre></figure>"


def _details(scene: Scene, texts: Iterable[str]) -> str:
    return (
        f'<details class="vml-text"><summary>As words, table and /proc/self/maps</summary><p>{escape(scene.text())}</p>'
        f'{rows_html(scene.bands)}<div class="vml-maps">{"".join(texts)}</div></details>'
    )


def _story(outcome: Outcome, scene: Scene) -> str:
    from vmalab.words.explain import narrate

    told = "".join(
        f"<li><code>{escape(step.func)}</code> {escape(with_letters(narrate(step), scene.bands))}</li>"
        for step in outcome.steps
    )
    count = "The one step" if len(outcome.steps) == 1 else f"All {len(outcome.steps)} steps"
    return f"<details><summary>{count}</summary><ol>{told}</ol></details>" if told else ""


def builder_html(
    snapshot: Snapshot, title: str, marks: Sequence[tuple[str, int, int]], call: str, outcome: Outcome | None
) -> str:
    """The call builder where no kernel runs: the address space with the chosen range, the call, what it did last."""
    scene = scene_of_snapshot(snapshot, title, marks=marks)
    chosen = f'<p>The call being built: <code class="vml-call">{escape(call)}</code></p>' if call else ""
    head = f'<header class="vml-head"><b>{escape(scene.title)}</b></header>'
    below = outcome_html(outcome, style=False) if outcome is not None else ""
    return card(head + _picture(scene) + chosen + _details(scene, [_maps("", snapshot)]) + below, True)
