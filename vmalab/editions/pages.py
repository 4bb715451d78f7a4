"""Lessons as pages of the site: stored outputs, and for each call that has steps the player that steps through it.

The lesson's code is run here once for the objects that it shows.  What a page plays stands in a script beside it, so
that the page itself stays small; without scripts the still picture is there.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from vmalab.differences.lockstep import Lockstep
from vmalab.editions.execute import played
from vmalab.editions.source import code_cells, gives_away, tags
from vmalab.machines.outcome import Outcome
from vmalab.pictures.frames import as_json, player_data
from vmalab.pictures.theme import picture_css, stylesheet

SCRIPTS = ("dom.js", "picture.js", "kernel.js", "player.js", "together.js", "question.js")
"""Of `widgets/static`: what plays one call, or one program on two machines, and what asks a question."""

WORDS = ("renderQuestion", "renderMyPredictions")
"""The widgets without pictures, by the function that puts them into a page."""

_OWN_STYLE = re.compile(r"\A[^<]*|<style>.*?</style>|<p class=\"vml-(?:unseen|veil)\">.*?</p>", re.DOTALL)
"""What an output brings along for a notebook: its first line and styles, and what it says where it is not alive."""

_ID = re.compile(r"\bvml[0-9a-f]{8}(?=-)")
_STATIC = Path(__file__).parent / "static"
_WIDGETS = Path(__file__).parents[1] / "widgets" / "static"


def page(nb: NotebookNode) -> tuple[NotebookNode, str]:
    """The lesson `nb` for myst-nb, which is changed, and the script with all that its page plays."""
    plays: list[dict[str, Any]] = []
    count = 0
    unasked = {cell.source: "None" for cell in code_cells(nb) if "live" in tags(cell)}
    with contextlib.redirect_stdout(io.StringIO()):  # what cells print is stored
        ran = list(played(nb, unasked))
    for cell, value in ran:
        if gives_away(cell):
            cell.metadata["tags"] = [*tags(cell), "hide-output"]
        play = play_of(value)
        for output in cell.outputs:
            html = output.get("data", {}).get("text/html", "")
            if "vml-card" not in html:
                continue
            count += 1  # the same picture twice has the same ids
            html = _ID.sub(rf"\g<0>n{count}", _OWN_STYLE.sub("", html))
            if play is not None:
                html = f'<div class="vml-play" data-play="{len(plays)}">{html}</div>'
                plays.append(play)
                play = None
            output.data["text/html"] = html
    return nb, f"window.vmalabPlays = {as_json({'all': plays})}.all;\n"


def play_of(value: object) -> dict[str, Any] | None:
    """What there is to play of an object that a lesson shows; None where its picture says all.

    `at_once`: whether the player stands there from the beginning, as the widget does in the lesson; else behind a
    button.
    """
    if (render := getattr(value, "render", "")) in WORDS:
        return {"kind": render, "at_once": True, "data": value.data}  # type: ignore[attr-defined]
    widget = hasattr(value, "still_html")
    lockstep = getattr(value, "lockstep", value)
    if isinstance(lockstep, Lockstep) and (data := lockstep.data())["calls"]:
        return {"kind": "sides", "at_once": widget, "data": data, "call": lockstep.first or len(data["calls"])}
    outcome = getattr(value, "outcome", value)
    if isinstance(outcome, Outcome) and outcome.steps:
        return {"kind": "call", "at_once": widget, "data": player_data(outcome)}
    return None


def shared_files() -> Mapping[str, str]:
    """The script and the style sheet that all pages share, by name."""
    scripts = [(_WIDGETS / name).read_text(encoding="utf-8") for name in SCRIPTS]
    scripts.append((_STATIC / "site.js").read_text(encoding="utf-8"))
    # a page from disk may not load modules, so this is one function
    body = "".join(scripts).replace("export class", "class").replace("export function", "function")
    return {
        "vmalab.js": f"(() => {{\n{body}}})();\n",
        "vmalab.css": picture_css()
        + stylesheet("controls.css")
        + stylesheet("question.css")
        + (_STATIC / "site.css").read_text(encoding="utf-8"),
    }
