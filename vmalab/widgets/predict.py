"""Predict before you see: say what a call will do, by drawing or in words, then reveal it."""

from __future__ import annotations

from html import escape
from typing import Any

import traitlets

from vmalab.errors import UsageError
from vmalab.linux.call import Call, Mmap, Mremap
from vmalab.machines.model import Model
from vmalab.pictures.display import snapshot_html
from vmalab.pictures.frames import as_json, player_data
from vmalab.programs.calltext import call_text, result_text
from vmalab.teach.misconceptions.layouts import Rows
from vmalab.teach.predictions import GIVEN, Answer, Verdict, judge, layout_text
from vmalab.widgets.base import Widget
from vmalab.widgets.fields import address
from vmalab.widgets.sketch import Sketch, room_for
from vmalab.words.catalogue.words import ERRNOS

SUCCEEDS = "succeeds"
UNSAID = "You said nothing of the VMAs. If you expect them to stay as they are, press “Nothing changes”, then “Reveal”."
ERRNO_CHOICES = [["", "(not said)"], [SUCCEEDS, "it succeeds"], *([name, f"it fails with {name}"] for name in ERRNOS)]


class Predict(Widget):
    """Say what a call will do, then reveal it.

    >>> from vmalab.linux.addr import PAGE, page
    >>> from vmalab.linux.flags import MREMAP_FIXED, MREMAP_MAYMOVE
    >>> vm = Model("6.17"); _ = vm.mmap(page(0), 2 * PAGE)
    >>> guess = Predict(vm, Mremap(page(0), 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page(8)))
    >>> guess.errno, guess.value, guess.vmas = "succeeds", "8", "[8-10 rw]"
    >>> guess.reveal().right
    True

    `model`: the process before the call (never changed).  `call`: the call to predict, a record of `vmalab.linux.call`.

    The answer is three attributes, each left out while it is empty: `errno` (`"succeeds"` or an errno), `value` (what
    comes back: a page such as `"64"`, or hex) and `vmas` (`"[0-2 rw] [3-5 r]"`, which is what drawing writes).
    `reveal()` gives the verdict and shows what really happens; it is not in the page before.
    """

    scripts = ("player.js", "drag.js", "predict.js")
    render = "renderPredict"

    state = traitlets.Unicode().tag(sync=True)
    look = traitlets.Unicode().tag(sync=True)
    """The picture of the sketch."""
    told = traitlets.Unicode().tag(sync=True)
    """The verdict and the frames of the outcome; empty until it is revealed."""

    errno = traitlets.Unicode()
    value = traitlets.Unicode()

    def __init__(self, model: Model, call: Call) -> None:
        self.model = model.copy()
        self.call = call
        self.verdict: Verdict | None = None
        self.problem = ""
        self.sketch = Sketch(self.model.snapshot(), room_for(call))
        self._drawn = False
        super().__init__(look=as_json(self.sketch.look("your prediction")), state=as_json(self._state(0)))
        self.observe(lambda _change: self._show(), names=["errno", "value"])
        self.on_msg(self._heard)

    # --- the answer ---

    @property
    def vmas(self) -> str:
        """The VMAs after the call as they were drawn; empty while nobody has drawn."""
        return self.sketch.text if self._drawn else ""

    @vmas.setter
    def vmas(self, text: str) -> None:
        self.sketch.write(text)
        if self.sketch.error:
            raise UsageError(self.sketch.error)
        self._drawn = True
        self._show()

    @traitlets.validate("errno")
    def _known(self, proposal: Any) -> str:
        text = str(proposal["value"]).strip()
        known = text if text.lower() in ("", SUCCEEDS) else text.upper()
        if known not in ("", SUCCEEDS) and known not in ERRNOS:
            raise UsageError(f"errno: {text!r} is no errno of these calls; it is {SUCCEEDS!r} or {', '.join(ERRNOS)}")
        return known

    def answer(self) -> Answer:
        """What was said so far.  Raises UsageError for a value that is not understood."""
        errno: object = GIVEN if not self.errno else None if self.errno == SUCCEEDS else self.errno
        value: object = GIVEN
        if self.value.strip() and self.errno in ("", SUCCEEDS):
            value = address(self.value) if isinstance(self.call, Mremap | Mmap) else int(self.value, 0)
        rows: Rows | None = self.sketch.rows if self._drawn else None
        return Answer(errno, value, rows)

    def reveal(self) -> Verdict:
        """Hold the answer against what happens, and show both.  Raises UsageError for an answer not understood."""
        if self.sketch.error:
            raise UsageError(self.sketch.error)
        self.verdict = judge(self.model, self.call, self.answer())
        self._show()
        return self.verdict

    def again(self) -> None:
        """Hide the truth again; the answer stays, to be changed."""
        self.verdict = None
        self._show()

    # --- the browser ---

    def _heard(self, _widget: object, content: Any, _buffers: object) -> None:
        if not isinstance(content, dict):
            return
        self.problem = ""
        try:
            what = content.get("do")
            if what == "reveal":
                self.reveal()
            elif what == "again":
                self.again()
            elif what in ("errno", "value"):
                setattr(self, what, str(content.get("value", "")))
            elif self.sketch.handle(content):
                self._drawn = self._drawn or what in ("tool", "write")
        except (UsageError, ValueError, traitlets.TraitError) as error:
            self.problem = str(error)
        self._show(content.get("n", 0))

    def _state(self, n: Any) -> dict[str, Any]:
        return {
            "call": call_text(self.call), "kernel": str(self.model.profile), "errno": self.errno,
            "errnos": ERRNO_CHOICES,
            "value": self.value, "sketch": self.sketch.state(), "drawn": self._drawn, "problem": self.problem,
            "revealed": self.verdict is not None, "n": n,
        }  # fmt: skip

    def _show(self, n: Any = 0) -> None:
        verdict = self.verdict
        with self.hold_sync():  # one message
            self.look = as_json(self.sketch.look("your prediction"))
            self.state = as_json(self._state(n))
            self.told = as_json(_told(verdict, self._unsaid())) if verdict is not None else ""

    def _unsaid(self) -> str:
        """What to say to somebody who has left the picture as it was: that may be an answer, or none."""
        return "" if self._drawn else UNSAID

    def summary(self) -> str:
        said = [words for words in (self.errno, self.value, self.vmas) if words]
        told = f"; {self.verdict.headline}" if self.verdict is not None else ""
        return f"{call_text(self.call)} on {self.model.profile}; predicted: {', '.join(said) or 'nothing yet'}{told}"

    def still_html(self) -> str:
        """The question with what is there before the call; the answer only once it was revealed."""
        ask = f'<p>What does <code class="vml-call">{escape(call_text(self.call))}</code> do?</p>'
        before = snapshot_html(self.model.snapshot(), f"{self.model.profile}, before the call")
        if self.verdict is None:
            return before + ask
        lines = "".join(f"<li>{escape(line)}</li>" for line in self.verdict.texts())
        result = result_text(self.call, self.verdict.real.value, self.verdict.real.errno)
        after = layout_text(self.verdict.real.after) or "nothing is mapped"
        unsaid = f"<p>{self._unsaid()}</p>" if self._unsaid() else ""
        return f"{before}{ask}<ul>{lines}</ul>{unsaid}<p>{escape(result)}; {escape(after)}</p>"


def _told(verdict: Verdict, unsaid: str) -> dict[str, Any]:
    return {
        "unsaid": unsaid,
        "headline": verdict.headline,
        "right": verdict.right,
        "lines": [[line.right, line.said] for line in verdict.lines],
        "suspected": [[one.belief, one.truth] for one in verdict.suspected],
        "play": player_data(verdict.real),
    }
