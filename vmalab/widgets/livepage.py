"""Pages that are alive: the script that they share, and a page with nothing but the call builder.

`editions/live.py` brings Python for them; a page that is saved in a browser takes it from the page it is saved in.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from vmalab.pictures.frames import as_json, packed
from vmalab.pictures.theme import stylesheet
from vmalab.widgets.base import STATIC, Widget, styles

SCRIPTS = (
    "dom.js", "picture.js", "kernel.js", "unpack.js", "player.js", "stepper.js", "drag.js", "builder.js", "predict.js",
    "quiz.js", "movecost.js", "together.js", "sidebyside.js", "modelandmachine.js", "overtime.js", "question.js",
    "watch.js",
)  # fmt: skip
"""All widgets that a page can bring to life."""

PAGE_SCRIPTS = ("remote.js", "cells.js", "site.js")
"""What a page does with them."""

VIEWS = """\
const VIEWS = { renderStepper, renderBuilder, renderPredict, renderQuiz, renderMoveCost, renderSideBySide,
  renderModelAndMachine, renderOverTime, renderQuestion, renderMyPredictions, renderWatch };
"""
"""The views of widgets by the names that Python knows them by."""

PARTS = "<!-- Python -->"
"""Where in a saved page the scripts with Python go."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'; form-action 'none'; \
img-src data: blob:; style-src 'unsafe-inline'; script-src 'self' file: blob: 'unsafe-inline' 'unsafe-eval'; \
worker-src blob:; connect-src blob: data:">
<title>{title}</title>
<style>{css}
html{{font-size:clamp(14px,.55vw + 9px,22px)}}
body{{margin:0;padding:12px 20px;background:var(--vml-ground);font-size:1rem}}
h1{{font-size:1.25em;margin:0 0 8px;overflow-wrap:anywhere}}
.vml-python{{margin:16px 0 0}}
</style>
</head>
<body class="vml">
<main>
<h1>{title}</h1>
<div data-play="0">{still}</div>
<div data-python></div>
</main>
<script>{data}</script>
{scripts}
</body>
</html>
"""


def joined(names: Sequence[str]) -> str:
    """Scripts of `static/` as one function: a page from disk may not load modules."""
    texts = [(STATIC / name).read_text(encoding="utf-8") for name in names]
    body = "".join(texts).replace("export class", "class").replace("export function", "function")
    return f"(() => {{\n{body}}})();\n"


def live_script() -> str:
    """What brings the players, widgets and cells of a page to life."""
    widgets, page = joined(SCRIPTS), joined(PAGE_SCRIPTS)
    return widgets.removesuffix("})();\n") + VIEWS + page.removeprefix("(() => {\n")


def live_css() -> str:
    """The styles of pictures, controls and cells."""
    return styles() + stylesheet("question.css") + (STATIC / "cells.css").read_text(encoding="utf-8")


def widget_play(widget: Widget, cell: str) -> dict[str, Any]:
    """What a page needs to show a widget at once, and to find it again in Python: the cell that makes it."""
    traits = {name: getattr(widget, name) for name in widget.keys if not name.startswith("_") and name != "place"}
    shown = {name: value for name, value in traits.items() if isinstance(value, str | int)}
    return {
        "kind": "widget",
        "at_once": True,
        "render": widget.render,
        "cell": cell,
        "traits": packed({"widget": shown}),
    }


def page_data(plays: Sequence[dict[str, Any]], lesson: dict[str, Any] | None = None) -> str:
    """The script with what a page plays, and with its cells: `{"name", "cells": [{"id", "code", "exercise"}]}`."""
    script = f"window.vmalabPlays = {as_json({'all': list(plays)})}.all;\n"
    return script if lesson is None else f"{script}window.vmalabLesson = {as_json(lesson)};\n"


EMPTY = "from vmalab.widgets import CallBuilder\nCallBuilder()"
"""The code of a builder with nothing in it."""


def builder_page(
    widget: Widget, code: str = EMPTY, *, link: str = "", title: str = "Call builder", scripts: str = ""
) -> str:
    """A page with a call builder and nothing else.

    `widget`: the builder as it is shown at once; `code`: makes it again; `link`: a program to open in it
    (`link.fragment`).  `scripts`: where the script that all pages share lies; without it the page holds everything
    itself, and what brings Python (`inline`) is to be put in place of `PARTS`.
    """
    cells = [{"id": "play", "code": code, "exercise": False}]
    lesson = {"name": "play", "opens": "play", "link": link, "data": False, "cells": cells}
    own = live_script().replace("</", "<\\/")
    data = page_data([widget_play(widget, "play")], lesson).replace("</", "<\\/")
    return _PAGE.format(
        title=escape(title), css=live_css(), still=widget.still_html(), data=data,
        scripts=f'<script src="{scripts}"></script>' if scripts else f"{PARTS}\n<script>{own}</script>",
    )  # fmt: skip


def inline(parts: dict[str, Any]) -> str:
    """Python as a script that stands in the page itself."""
    return "<script>window.vmalabParts = " + json.dumps(parts).replace("</", "<\\/") + ";</script>"
