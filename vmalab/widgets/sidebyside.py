"""Side by side: one program on two machines in lock-step."""

from __future__ import annotations

from typing import Any

import traitlets

from vmalab.differences.lockstep import Lockstep, Side
from vmalab.errors import UsageError
from vmalab.machines.program import Program
from vmalab.pictures.frames import as_json
from vmalab.widgets.base import Widget


class SideBySide(Widget):
    """One program under two releases (or on any two machines), call by call and step by step.

    >>> from vmalab.linux.addr import PAGE, page
    >>> from vmalab.machines.model import Model
    >>> vm = Model("6.17"); _ = vm.mmap(page(0), PAGE), vm.mmap(page(1), PAGE, "r")
    >>> _ = vm.mremap(page(0), 2 * PAGE, 2 * PAGE, 3, page(64))
    >>> both = SideBySide(vm, "6.16", "6.17")
    >>> both
    SideBySide(Linux 6.16 and Linux 6.17 differ first at call 3; call 3 of 3, step 14 of 14)
    >>> both.why
    ('multi_vma_move',)

    `program`: a model (its history), a scenario or its name, or calls.  `a`, `b`: releases of the model, names of
    machines (`"recorded:6.17"`), machines, or what they have answered.  `call` (from 1) and `step` (0 is before the
    call): what is shown; at first the end of the first call that differs.

    Steps that both sides take stand at one place of the timeline; where they part, one waits while the other goes on.
    `why` names the behaviours of `vmalab.linux.profile` that make the difference.  Keys are those of the stepper.
    """

    scripts = ("player.js", "together.js", "sidebyside.js")
    render = "renderSideBySide"
    needs_python = False

    data = traitlets.Unicode().tag(sync=True)
    call = traitlets.Int(1).tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)

    def __init__(
        self, program: Program, a: Side = "6.16", b: Side = "6.17", call: int | None = None, step: int | None = None
    ) -> None:
        self.lockstep = Lockstep(program, a, b)
        data = self.lockstep.data()
        if not data["calls"]:
            raise UsageError(f"there is nothing to show side by side: {self.lockstep.verdict}")
        self._lasts = [len(one["places"]) - 1 for one in data["calls"]]
        call = call or self.lockstep.first or len(self._lasts)
        super().__init__(data=as_json(data), call=call)
        self.step = self.last if step is None else step

    @property
    def last(self) -> int:
        """The last step of the call that is shown."""
        return self._lasts[self.call - 1]

    @property
    def why(self) -> tuple[str, ...]:
        """The names of the behaviours by which the two sides differ."""
        return tuple(cause.behaviour.name for cause in self.lockstep.causes)

    @traitlets.validate("call")
    def _within_calls(self, proposal: Any) -> int:
        return min(max(int(proposal["value"]), 1), len(self._lasts))

    @traitlets.validate("step")
    def _within_steps(self, proposal: Any) -> int:
        return min(max(int(proposal["value"]), 0), self.last)

    @traitlets.observe("call")
    def _other_call(self, _change: Any) -> None:
        self.step = min(self.step, self.last)

    def summary(self) -> str:
        verdict = self.lockstep.verdict.rstrip(".")
        return f"{verdict}; call {self.call} of {len(self._lasts)}, step {self.step} of {self.last}"

    def still_html(self) -> str:
        return self.lockstep._repr_html_()
