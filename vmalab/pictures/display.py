"""How outcomes, address spaces and comparisons show themselves in a notebook: HTML that needs no script and no network.

Each function gives the picture, its words, and the same as `/proc/self/maps` text and as a table.  `Outcome`,
`Snapshot` and `Model` call them from their `_repr_html_`; the widgets use them as what stands where no
kernel runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from vmalab.linux.call import Call
from vmalab.machines.outcome import Outcome, Row, Snapshot
from vmalab.pictures.card import card
from vmalab.pictures.scale import Scale
from vmalab.pictures.scene import result_words, scene_of, scene_of_snapshot
from vmalab.pictures.sceneparts import Band, Scene, backing_words, present_words, with_letters
from vmalab.pictures.svg import svg
from vmalab.programs.calltext import call_text, size, span
from vmalab.words.explain import apart, narrate, one_line


def outcome_html(outcome: Outcome, *, style: bool = True, steps: bool = False) -> str:
    """A call: what it was, what came back and why, before above after.  `style` False where the page has the styles.

    `steps`: with the list of what the kernel did.  Self-contained; the same outcome gives the same text.
    """
    scene = scene_of(outcome)
    texts = [_maps("before", outcome.before), _maps("after", outcome.after)]
    story = _story(outcome, scene) if steps else ""
    bands = (scene.bands[1], scene.bands[0])
    summary = with_letters(one_line(outcome), bands[::-1])
    stays = "".join(f'<p class="vml-hint">{escape(with_letters(said, bands))}</p>' for said in apart(outcome))
    body = outcome_head(outcome, summary) + picture_html(scene) + stays + story + _details(scene, texts)
    return card(body, style)


def snapshot_html(
    snapshot: Snapshot, title: str = "address space", *, style: bool = True, scale: Scale | None = None
) -> str:  # fmt: skip
    """An address space as it is: the picture, and as text and table.  `scale`: one that others are shown on too."""
    scene = scene_of_snapshot(snapshot, title, scale=scale)
    head = f'<header class="vml-head"><b>{escape(scene.title)}</b></header>'
    return card(head + picture_html(scene) + _details(scene, [_maps("", snapshot)]), style)


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


def picture_html(scene: Scene) -> str:
    name = escape(f"picture of {scene.title}")
    ask = ""
    if any(band.seams for band in scene.bands):
        ask = '<label class="vml-switch"><input type="checkbox" class="vml-ask"> why not one?</label>'
    return f'<div class="vml-scroll" role="region" tabindex="0" aria-label="{name}">{svg(scene)}</div>{ask}'


def _maps(title: str, snapshot: Snapshot) -> str:
    head = f"<figcaption>{escape(title)}</figcaption>" if title else ""
    return f"<figure>{head}<pre>{escape(snapshot.maps() or '(no VMAs)')}</pre></figure>"


def _details(scene: Scene, texts: Iterable[str]) -> str:
    return (
        f'<details class="vml-text"><summary>As words, table and /proc/self/maps</summary><p>{escape(scene.text())}</p>'
        f'{rows_html(scene.bands)}<div class="vml-maps">{"".join(texts)}</div></details>'
    )


def _story(outcome: Outcome, scene: Scene) -> str:
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
    return card(head + picture_html(scene) + chosen + _details(scene, [_maps("", snapshot)]) + below, True)


def calls_html(calls: Iterable[Call], first: int = 1) -> str:
    """Calls as a numbered list."""
    lines = "".join(f'<li><code class="vml-call">{escape(call_text(call))}</code></li>' for call in calls)
    return f'<ol start="{first}">{lines}</ol>'
