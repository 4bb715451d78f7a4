"""The stepper: what the kernel did in one call, step by step."""

from __future__ import annotations

from typing import Any

import traitlets

from vmalab.calltext import call_text
from vmalab.display import outcome_html
from vmalab.frames import as_json, player_data
from vmalab.outcome import Outcome
from vmalab.scene import result_words
from vmalab.widgets.base import Widget


class Stepper(Widget):
    """Step through what one call did.

    >>> from vmalab.machines.model import Model
    >>> from vmalab.addr import PAGE, page
    >>> stepper = Stepper(Model("6.18").mmap(page(0), PAGE))
    >>> stepper.index = stepper.last
    >>> stepper
    Stepper(mmap(page 0, 1 page, "rw") returns page 0 on model:6.18; step 1 of 1)

    `outcome`: of any machine; without steps (live, recorded) it shows before and after.  `index`: the step that is
    shown, 0 for before the call, up to `last`.

    All frames are sent to the browser once; scrubbing asks the kernel nothing.  Keys: left and right, Home and End,
    space plays; up and down go from VMA to VMA when one has the focus.
    """

    scripts = ("player.js", "stepper.js")
    render = "renderStepper"

    data = traitlets.Unicode().tag(sync=True)
    index = traitlets.Int(0).tag(sync=True)

    def __init__(self, outcome: Outcome, index: int = 0) -> None:
        self.outcome = outcome
        data = player_data(outcome)
        self._said: list[str] = [step["say"] for step in data["steps"]]
        super().__init__(data=as_json(data), index=index)

    @property
    def last(self) -> int:
        """The number of the last step."""
        return len(self._said) - 1

    @property
    def narration(self) -> str:
        """The words of the step that is shown."""
        return self._said[self.index]

    @traitlets.validate("index")
    def _within(self, proposal: Any) -> int:
        return min(max(int(proposal["value"]), 0), self.last)

    def summary(self) -> str:
        call = call_text(self.outcome.call)
        machine = f" on {self.outcome.machine}" if self.outcome.machine else ""
        return f"{call} {result_words(self.outcome)}{machine}; step {self.index} of {self.last}"

    def still_html(self) -> str:
        return outcome_html(self.outcome, steps=True)
