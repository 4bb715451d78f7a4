"""Model and machine: one program on the model, on a recording of a real kernel, and on this machine when asked."""

from __future__ import annotations

from typing import Any

import traitlets

from vmalab.differences.agreement import Agreement
from vmalab.machines.program import Program
from vmalab.pictures.frames import as_json
from vmalab.widgets.base import Widget


class ModelAndMachine(Widget):
    """One program on the model, on a recorded kernel, and on this machine's own kernel once it is asked.

    >>> from vmalab.linux.addr import PAGE, page
    >>> from vmalab.machines.model import Model
    >>> vm = Model("6.17"); _ = vm.mmap(page(0), PAGE)
    >>> ModelAndMachine(vm)
    ModelAndMachine(Linux 6.17, recorded: this program was not recorded on it; this machine: not asked yet; call 1 of 1)

    `program`: a model (its history), a scenario or its name, or calls.  `release`: the one that the model follows; that
    of the program, or Linux 6.17.  `call`: whose pictures are shown, from 1; at first the first that differs, or the
    last.

    Every difference is explained by a named behaviour (or bug) of a release, or flagged: then the model is wrong, or
    the kernel is unknown to it.  This machine is asked by the button or by `ask()`, never before: what a notebook
    stores does not depend on it.  Where it can't answer, one line says why.
    """

    scripts = ("player.js", "together.js", "modelandmachine.js")
    render = "renderModelAndMachine"
    needs_python = False

    data = traitlets.Unicode().tag(sync=True)
    call = traitlets.Int(1).tag(sync=True)

    def __init__(self, program: Program, release: str | None = None, call: int | None = None) -> None:
        self.agreement = Agreement(program, release)
        first = self.agreement.first or self.agreement.steps[-1]
        super().__init__(data=as_json(self.agreement.data()), call=call or first)
        self.on_msg(self._heard)

    def ask(self) -> str:
        """Run the program on this machine's kernel; the verdict, in one line."""
        self.agreement.ask()
        with self.hold_sync():  # one message
            if self.agreement.recorded.kind in ("same", "none") and self.agreement.first:
                self.call = self.agreement.first
            self.data = as_json(self.agreement.data())
        return self.agreement.live.line

    @property
    def verdicts(self) -> tuple[str, ...]:
        """A line for each kernel: whether it answers as the model does, and why not."""
        return tuple(kernel.line for kernel in self.agreement.kernels)

    @traitlets.validate("call")
    def _within(self, proposal: Any) -> int:
        return min(max(int(proposal["value"]), 1), len(self.agreement.steps))

    def _heard(self, _widget: object, content: Any, _buffers: object) -> None:
        if isinstance(content, dict) and content.get("do") == "ask":
            self.ask()

    def summary(self) -> str:
        lines = "; ".join(f"{kernel.answer.who}: {kernel.words.rstrip('.')}" for kernel in self.agreement.kernels)
        return f"{lines}; call {self.call} of {len(self.agreement.steps)}"

    def still_html(self) -> str:
        return self.agreement._repr_html_()
