"""Python behind a page without Jupyter: runs cells, holds their widgets, answers messages.

One message in and any number out, as JSON text.  In, by `do`:

    {"do": "lesson", "cells": [[id, code], ...]}            the code cells of the page, in order
    {"do": "run", "cell": id, "code": code or null, "n"}    run a cell after those that it builds on; `code` replaces
                                                            what it says from now on
    {"do": "say", "widget": id, "content": content, "n"}    what a person did in a view
    {"do": "replay", "widget": id, "contents": [...], "n"}  the same, of an earlier visit: only what comes of it is told
    {"do": "set", "widget": id, "traits": {...}, "n"}       what a view has set

Out:

    {"n", "outputs": [...], "ok"}     a cell was run; each output is {"text"}, {"html"}, {"error", "line"} or
                                      {"widget", "render", "traits"}
    {"n", "done": true}               a message was worked off
    {"widget", "changes": {...}}      traits of a widget have other values
    {"widget", "custom": content}     a message of a widget
"""

from __future__ import annotations

import contextlib
import io
import json
import traceback
from collections.abc import Callable
from typing import Any

import traitlets

from vmalab.errors import VmalabError
from vmalab.widgets.base import Widget
from vmalab.widgets.cells import needed, value_of
from vmalab.widgets.inpage import InPage

CELL = "<cell>"
"""What tracebacks call the code of a cell."""

LONGEST = 100_000
"""Characters of a cell's printed output that are shown."""


class Page:
    """What a page has running.  `post`: takes each message out."""

    def __init__(self, post: Callable[[str], object]) -> None:
        self.post = post
        self.order: list[str] = []
        self.codes: dict[str, str] = {}
        self.widgets: dict[str, Widget] = {}

    def hear(self, text: str) -> None:
        """Work off one message in."""
        message = json.loads(text)
        what = message["do"]
        if what == "lesson":
            self.order = [cell for cell, _ in message["cells"]]
            self.codes = dict(message["cells"])
        elif what == "run":
            self._run(message["cell"], message.get("code"), message.get("n"))
        else:
            self._tell(what, self.widgets[message["widget"]], message)
            self._post({"n": message.get("n"), "done": True})

    def _post(self, message: dict[str, Any]) -> None:
        self.post(json.dumps(message, ensure_ascii=False, separators=(",", ":")))

    # --- widgets ---

    def _tell(self, what: str, widget: Widget, message: dict[str, Any]) -> None:
        if what == "say":
            widget._handle_custom_msg(message["content"], None)
        elif what == "replay":
            with widget.hold_sync():
                for content in message["contents"]:
                    widget._handle_custom_msg(content, None)
        elif what == "set":
            with widget.hold_sync(), contextlib.suppress(traitlets.TraitError, VmalabError):
                for name, value in message["traits"].items():
                    if name in widget.keys:
                        setattr(widget, name, value)

    def _adopt(self, widget: Widget) -> dict[str, Any]:
        """From now on the widget is told of to the page; what the page needs for a view of it."""
        assert isinstance(widget, InPage)
        known = f"w{len(self.widgets)}"
        self.widgets[known] = widget
        widget.hear = lambda said: self._post({"widget": known, **said})
        return {"widget": known, "render": widget.render, "traits": widget.values()}

    # --- cells ---

    def _run(self, cell: str, code: str | None, n: Any) -> None:
        if code is not None:
            self.codes[cell] = code
            if cell not in self.order:
                self.order.append(cell)
        outputs: list[dict[str, Any]] = []
        names: dict[str, Any] = {
            "__name__": "__main__",
            "display": lambda *shown: outputs.extend(map(self._shown, shown)),
        }
        codes = [self.codes[one] for one in self.order]
        index = self.order.index(cell)
        quiet = io.StringIO()
        with contextlib.redirect_stdout(quiet):
            for before in needed(codes, index):
                failed = _execute(codes[before], names)[1]
                if failed is not None:
                    words = f"A cell above, on which this one builds, fails. {failed['error']}"
                    self._post({"n": n, "outputs": [{"error": words, "line": None}], "ok": False})
                    return
        outputs.clear()
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            value, failed = _execute(codes[index], names)
            if failed is None and value is not None:
                outputs.append(self._shown(value))
        if failed is not None:
            outputs.append(failed)
        if text := printed.getvalue():
            more = f"\n… and {len(text) - LONGEST} characters more" if len(text) > LONGEST else ""
            outputs.insert(0, {"text": text[:LONGEST] + more})
        self._post({"n": n, "outputs": outputs, "ok": failed is None})

    def _shown(self, value: Any) -> dict[str, Any]:
        if isinstance(value, Widget):
            return self._adopt(value)
        html = getattr(value, "_repr_html_", None)
        made = html() if callable(html) else None
        return {"html": made} if made is not None else {"text": repr(value)}


def _execute(code: str, names: dict[str, Any]) -> tuple[Any, dict[str, Any] | None]:
    """Run code; the value of its last line, and what was wrong with it."""
    try:
        value = value_of(code, names, CELL)
        return None if code.rstrip().endswith(";") else value, None
    except SyntaxError as error:
        return None, {"error": f"{type(error).__name__}: {error.msg}", "line": error.lineno}
    except (Exception, SystemExit, RecursionError) as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == CELL]
        return None, {"error": f"{type(error).__name__}: {error}", "line": lines[-1] if lines else None}
