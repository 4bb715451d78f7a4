"""A program's log over time: VMAs, mapped memory and calls, with the address space at any moment."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

import traitlets

from vmalab.differences.stepped import stepped, telling
from vmalab.differences.timeline import Shape, timeline
from vmalab.differences.why import call_at, outcome_of, state_before
from vmalab.errors import UsageError, VmalabError
from vmalab.linux.addr import PAGE
from vmalab.pictures.card import card
from vmalab.pictures.export import timeline_page
from vmalab.pictures.frames import as_json, packed, player_data, pooled
from vmalab.pictures.timeline import curves
from vmalab.programs.calltext import size
from vmalab.programs.files import write_whole
from vmalab.programs.strace import read_log
from vmalab.widgets.base import Widget

LISTED = 60
"""So many VMAs are named in a still picture's words."""

IN_NOTEBOOK, IN_PAGE = 60, 400
"""So many calls are kept with their steps, for whoever opens a notebook or a page without Python."""

TOGETHER = 32
"""So many calls with their steps are packed together: they have much of their markup in common."""


class Program(Widget):
    """A program as strace saw it, call by call.

    `file`: what `vmalab trace` or strace wrote.  `pid`: one of its processes, that with most calls if not given.  `on`:
    a release, such as `"6.16"`; the log's own kernel if not given.  `moment`: how many calls have been made.

    A timeline of VMAs and mapped memory to scrub, with the calls below it; the address space at that moment, each VMA
    as wide as any other, neighbours of one file put together; search, zoom by mouse and by + and -; and any call step
    by step.  All is sent once; scrubbing asks nobody.  Where no kernel runs, some calls have their steps there
    (`telling` in `vmalab/differences/stepped.py` says which).
    """

    scripts = ("unpack.js", "player.js", "overtime.js")
    render = "renderOverTime"
    needs_python = False

    data = traitlets.Unicode().tag(sync=True)
    moment = traitlets.Int(0).tag(sync=True)
    stepped = traitlets.Unicode("").tag(sync=True)
    """The player's data of the call that was asked for, packed; or why it can't be shown."""
    steps = traitlets.Unicode("").tag(sync=True)
    """The players' data of calls that are there without asking: see `steps_data`."""

    def __init__(
        self, file: str | Path, pid: int | None = None, *, on: str | None = None, moment: int | None = None
    ) -> None:
        self.on = on
        self.strace = read_log(file)
        self.line = timeline(self.strace, pid, on)
        last = len(self.line.calls)
        super().__init__(
            data=packed(self.line.data()),
            moment=last if moment is None else moment,
            steps=self.steps_data(telling(self.line, IN_NOTEBOOK)),
        )
        self.on_msg(self._heard)

    @property
    def last(self) -> int:
        """The last moment: how many calls there are."""
        return len(self.line.calls)

    @traitlets.validate("moment")
    def _within(self, proposal: Any) -> int:
        return min(max(int(proposal["value"]), 0), self.last)

    # --- the browser ---

    def _heard(self, _widget: object, content: Any, _buffers: object) -> None:
        if isinstance(content, dict) and content.get("do") == "step":
            self.step(content.get("moment"))

    def steps_data(self, moments: Iterable[int]) -> str:
        """What plays the calls that led to `moments`: `{"at": {moment: number}, "groups": [packed, ...], "whole"}` as
        JSON; `TOGETHER` players are in a group; `whole`: every call was asked for.  O(steps, and a replay)."""
        moments = list(moments)
        found = dict(stepped(self.line, moments))
        at = {moment: number for number, moment in enumerate(found)}
        outcomes = list(found.values())
        groups = [
            packed(pooled([player_data(outcome) for outcome in outcomes[first : first + TOGETHER]]))
            for first in range(0, len(outcomes), TOGETHER)
        ]
        return as_json({"at": at, "groups": groups, "together": TOGETHER, "whole": len(moments) == self.last})

    def step(self, moment: object = None) -> None:
        """Show the call that led to `moment` (the one shown if not given) step by step, below."""
        number = self.moment if not isinstance(moment, int) else min(max(moment, 0), self.last)
        if not number:
            self.stepped = packed({"moment": 0, "why": "Before the first call there is nothing to step through."})
            return
        event = call_at(self.strace, self.line.calls[number - 1][0])
        try:
            process, _ = state_before(self.strace, event, self.on)
            outcome = outcome_of(process, event)
        except VmalabError as error:
            self.stepped = packed({"moment": number, "why": str(error)})
            return
        if outcome is None:
            self.stepped = packed({"moment": number, "why": "This call changes no VMA, or the model does not know it."})
        else:
            self.stepped = packed({"moment": number, "player": player_data(outcome.near())})

    # --- words and still pictures ---

    def summary(self) -> str:
        line = self.line
        name = f" ({line.name})" if line.name else ""
        return f"{self.strace.name}, process {line.pid}{name} on {line.release}: {self._moment()}"

    def _moment(self) -> str:
        shapes = self.line.at(self.moment)
        mapped = size(sum(shape[1] - shape[0] for shape in shapes) * PAGE)
        return f"{len(shapes)} VMAs, {mapped} mapped after call {self.moment} of {self.last}"

    def still_html(self) -> str:
        about = f"VMAs and mapped memory over {self.last} calls; {self._moment()}"
        shapes = self.line.at(self.moment)
        listed = "".join(f"<li><code>{escape(shape_text(shape))}</code></li>" for shape in shapes[:LISTED])
        more = f"<p>and {len(shapes) - LISTED} more</p>" if len(shapes) > LISTED else ""
        text = f"<p>{escape(self.summary())}</p>{curves(self.line.counts, self.line.pages, about)}"
        return card(
            f"{text}<details><summary>VMAs</summary><ul>{listed}</ul>{more}</details>", what="a program over time"
        )

    def to_html(self, path: str | Path, calls: Iterable[int] | None = None, *, title: str = "") -> Path:
        """Write a page that plays the timeline, without Python or network; the path.

        `title`: the log's name if not given.  `calls`: numbers of the calls (from 1) that can be played step by step
        there; without, all of a program of up to `IN_PAGE` calls, else so many: those that failed, the first of each
        kind, moves, and what changed most.
        Raises UsageError for a call that is not there.
        """
        moments = telling(self.line, IN_PAGE) if calls is None else sorted(set(calls))
        odd = next((moment for moment in moments if not 1 <= moment <= self.last), None)
        if odd is not None:
            raise UsageError(f"{self.strace.name}: there are calls 1 to {self.last}, and none with the number {odd}")
        target = Path(path)
        steps = self.steps_data(moments)
        write_whole(target, timeline_page(title or self.strace.name, self.data, steps, self.still_html()))
        return target


def shape_text(shape: Shape) -> str:
    """A VMA in words, as a line of maps."""
    return f"{shape[0] * PAGE:x}-{shape[1] * PAGE:x} {shape[2]} {shape[3]}".rstrip()
