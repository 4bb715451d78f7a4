"""The stepper: what the kernel did in one call, step by step."""

from __future__ import annotations

from typing import Any

import traitlets

from vmalab.errors import UsageError
from vmalab.machines.outcome import Outcome
from vmalab.pictures.display import outcome_html
from vmalab.pictures.frames import as_json, player_data
from vmalab.pictures.scene import result_words
from vmalab.programs.calltext import call_text
from vmalab.widgets.base import Widget


class Stepper(Widget):
    """Step through what one call did.

    >>> from vmalab.machines.model import Model
    >>> from vmalab.linux.addr import PAGE, page
    >>> stepper = Stepper(Model("6.18").mmap(page(0), PAGE))
    >>> stepper.index = stepper.last
    >>> stepper
    Stepper(mmap(page 0, 1 page, "rw") returns page 0 on model:6.18; step 1 of 1)

    `outcome`: of any machine; without steps (live, recorded) it shows before and after.  `index`: the step that is
    shown, 0 for before the call, up to `last`.

    `depth`: how deep the words go, 1 (the call in one line), 2 (step by step), 3 (with kernel functions, hex values
    and commits) or, where the program was recorded on this release, 4 (beside the steps the kernel's own trace).
    `page_tables`: whether the page-table entries are shown below the VMAs, level by level.

    All frames, words and entries are sent to the browser once; scrubbing asks the kernel nothing.  Keys: left and
    right, Home and End, space plays; up and down go from VMA to VMA when one has the focus.
    """

    scripts = ("player.js", "stepper.js")
    render = "renderStepper"
    needs_python = False

    data = traitlets.Unicode().tag(sync=True)
    index = traitlets.Int(0).tag(sync=True)
    depth = traitlets.Int(2).tag(sync=True)
    page_tables = traitlets.Bool(False).tag(sync=True)

    def __init__(self, outcome: Outcome, index: int = 0, depth: int = 2, page_tables: bool = False) -> None:
        self.outcome = outcome
        data = player_data(outcome)
        self._line: str = data["line"]
        traced = data.get("trace", {"says": [""] * len(data["steps"])})["says"]
        self._said: list[tuple[str, str, str]] = [
            (step["say"], step["detail"] or step["say"], f"{step['detail'] or step['say']} {where}".strip())
            for step, where in zip(data["steps"], traced, strict=True)
        ]
        super().__init__(data=as_json(data), index=index, depth=depth, page_tables=page_tables)

    @property
    def last(self) -> int:
        """The number of the last step."""
        return len(self._said) - 1

    @property
    def narration(self) -> str:
        """The words of the step that is shown, as deep as `depth` says."""
        return self._line if self.depth == 1 else self._said[self.index][self.depth - 2]

    @traitlets.validate("index")
    def _within(self, proposal: Any) -> int:
        return min(max(int(proposal["value"]), 0), self.last)

    @traitlets.validate("depth")
    def _known_depth(self, proposal: Any) -> int:
        if proposal["value"] == 4 and self.outcome.trace is None:
            raise UsageError(
                "depth is 4 (the kernel's own trace) only where these calls were traced; here it is 1 to 3"
            )
        if proposal["value"] not in (1, 2, 3, 4):
            raise UsageError(
                f"depth is 1 (short), 2 (plain), 3 (kernel) or 4 (the kernel's own trace), not {proposal['value']!r}"
            )
        return int(proposal["value"])

    def summary(self) -> str:
        call = call_text(self.outcome.call)
        machine = f" on {self.outcome.machine}" if self.outcome.machine else ""
        return f"{call} {result_words(self.outcome)}{machine}; step {self.index} of {self.last}"

    def still_html(self) -> str:
        return outcome_html(self.outcome, steps=True)
