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
from vmalab.pictures.display import outcome_html
from vmalab.pictures.frames import player_data
from vmalab.pictures.theme import picture_css, stylesheet
from vmalab.widgets.base import Widget
from vmalab.widgets.builder import CallBuilder
from vmalab.widgets.livepage import joined, live_css, live_script, page_data, widget_play

SCRIPTS = ("dom.js", "picture.js", "kernel.js", "player.js", "together.js", "question.js", "site.js")
"""Of `widgets/static`: what plays one call, or one program on two machines, and what asks a question."""

WORDS = ("renderQuestion", "renderMyPredictions")
"""The widgets without pictures, by the function that puts them into a page."""

FIRST = """\
from vmalab import PAGE, Model, page
from vmalab.widgets import CallBuilder

vm = Model("6.17")
vm.mmap(page(0), 2 * PAGE)
vm.touch(page(0), 2 * PAGE)
vm.mmap(page(3), 2 * PAGE, "r")
vm.mmap(page(6), PAGE, kind="shared")
builder = CallBuilder(vm)
builder.set(addr="0", old_len="7", new_len="7", flags="maymove fixed", new_addr="16").run()
"""
"""What the first page shows."""

_OWN_STYLE = re.compile(r"\A[^<]*|<style>.*?</style>|<p class=\"vml-(?:unseen|veil)\">.*?</p>", re.DOTALL)
"""What an output brings along for a notebook: its first line and styles, and what it says where it is not alive."""

_ID = re.compile(r"\bvml[0-9a-f]{8}(?=-)")
_STATIC = Path(__file__).parent / "static"


def page(nb: NotebookNode, name: str = "") -> tuple[NotebookNode, str]:
    """The lesson `nb` for myst-nb, which is changed, and the script with all that its page plays.

    `name`: what a page that runs Python calls the lesson; left out, the page has none.
    """
    plays: list[dict[str, Any]] = []
    count = 0
    unasked = {cell.source: "None" for cell in code_cells(nb) if "live" in tags(cell)}
    with contextlib.redirect_stdout(io.StringIO()):  # what cells print is stored
        ran = list(played(nb, unasked))
    for cell, value in ran:
        if gives_away(cell):
            cell.metadata["tags"] = [*tags(cell), "hide-output"]
        play = play_of(value)
        if name and isinstance(value, Widget) and play is None:
            play = widget_play(value, cell.id)
        if name:
            cell.metadata["tags"] = [*tags(cell), f"vml-cell-{cell.id}"]
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
    cells = [{"id": cell.id, "code": cell.source, "exercise": "exercise" in tags(cell)} for cell in code_cells(nb)]
    return nb, page_data(plays, {"name": name, "cells": cells} if name else None)


def first_sight(live: bool) -> tuple[str, str]:
    """The move of many VMAs as the first page shows it: its still picture, and the script with what it plays.

    `live`: in a call builder, to be changed at once.
    """
    names: dict[str, Any] = {}
    exec(compile(FIRST, "first", "exec"), names)
    builder: CallBuilder = names["builder"]
    assert builder.outcome is not None
    lesson = {"name": "index", "opens": "first", "data": False}
    cells = [{"id": "first", "code": f"{FIRST}builder", "exercise": False}]
    play = widget_play(builder, "first") if live else play_of(builder.outcome)
    assert play is not None
    script = page_data([{**play, "at_once": True, "autoplay": True}], {**lesson, "cells": cells} if live else None)
    still = _OWN_STYLE.sub("", outcome_html(builder.outcome))
    return f'<div class="vml-play" data-play="0">{still}</div><div data-python></div>', script


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


def shared_files(live: bool = False) -> Mapping[str, str]:
    """The script and the style sheet that all pages share, by name; `live`: for pages that run Python."""
    own = (_STATIC / "site.css").read_text(encoding="utf-8")
    if live:
        return {"vmalab.js": live_script(), "vmalab.css": live_css() + own}
    styles = picture_css() + stylesheet("controls.css") + stylesheet("question.css")
    return {"vmalab.js": joined(SCRIPTS), "vmalab.css": styles + own}
