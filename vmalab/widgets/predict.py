"""Predict before you see: say what a call will do, by drawing or in words, then reveal it."""

from __future__ import annotations

from html import escape
from typing import Any

import traitlets
from attrs import evolve

from vmalab.errors import UsageError
from vmalab.linux.call import Call, Mmap, Mremap
from vmalab.linux.errnos import ERRNOS_OF
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Snapshot
from vmalab.pictures.display import snapshot_html
from vmalab.pictures.frames import as_json, pictures, player_data
from vmalab.pictures.scale import Scale
from vmalab.pictures.scene import ranges_of, scene_of, scene_of_snapshot
from vmalab.pictures.svg import draw
from vmalab.programs.calltext import call_text, result_text
from vmalab.teach.misconceptions.layouts import Rows
from vmalab.teach.predictions import GIVEN, Answer, Verdict, judge, layout_text
from vmalab.widgets.base import Widget
from vmalab.widgets.fields import address
from vmalab.widgets.sketch import Sketch, judged, place_of, room_for
from vmalab.words.catalogue.words import ERRNOS

SUCCEEDS = "succeeds"
UNSAID = "You said nothing of the VMAs. If you expect them to stay as they are, press “Nothing changes”, then “Reveal”."
NOTHING = (
    "Nothing is revealed yet: say first what you expect. Choose what it returns, or change the picture; if you expect "
    "no change, press “Nothing changes”."
)


def errno_choices(call: Call) -> list[list[str]]:
    """What the errno of a prediction of `call` can be, with its words: only what the call can give."""
    given = ERRNOS_OF.get(call.name, tuple(ERRNOS))
    return [["", "(not said)"], [SUCCEEDS, "it succeeds"], *([name, f"it fails with {name}"] for name in given)]


class Predict(Widget):
    """Say what a call will do, then reveal it.

    >>> from vmalab.linux.addr import PAGE, page
    >>> from vmalab.linux.flags import MREMAP_FIXED, MREMAP_MAYMOVE
    >>> vm = Model("6.17"); _ = vm.mmap(page(0), 2 * PAGE)
    >>> guess = Predict(vm, Mremap(page(0), 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page(8)))
    >>> guess.errno, guess.value, guess.vmas = "succeeds", "8", "[8 to 9 rw]"
    >>> guess.reveal().right
    True

    `model`: the process before the call (never changed).  `call`: the call to predict, a record of `vmalab.linux.call`.

    The answer is three attributes, each left out while it is empty: `errno` (`"succeeds"` or an errno), `value` (what
    comes back: a page such as `"64"`, or hex) and `vmas` (`"[0 to 1 rw] [3 to 4 r]"`, which is what drawing writes).
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
        super().__init__(look=as_json(self._look()), state=as_json(self._state(0)))
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
            value = self._read_value()
        rows: Rows | None = self.sketch.rows if self._drawn else None
        return Answer(errno, value, rows)

    def _read_value(self) -> int:
        """Raises UsageError for a value that is not understood."""
        if isinstance(self.call, Mremap | Mmap):
            return address(self.value)
        try:
            return int(self.value, 0)
        except ValueError:
            raise UsageError(f"“{self.value}” is not a number that {self.call.name} could return.") from None

    def _value_error(self) -> str:
        """What is wrong with the value as it stands."""
        if not self.value.strip() or self.errno not in ("", SUCCEEDS):
            return ""
        try:
            self._read_value()
        except UsageError as error:
            return str(error)
        return ""

    def reveal(self) -> Verdict:
        """Hold the answer against what happens, and show both.  Raises UsageError for an answer not understood."""
        if self.sketch.error:
            raise UsageError(self.sketch.error)
        if not self._drawn and not self.errno and not self.value.strip():
            raise UsageError(NOTHING)
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
                self._drawn = self._drawn or what in ("tool", "write", "move")
        except (UsageError, ValueError, traitlets.TraitError) as error:
            self.problem = str(error)
        self._show(content.get("n", 0))

    def _state(self, n: Any) -> dict[str, Any]:
        return {
            "call": call_text(self.call), "kernel": str(self.model.profile), "errno": self.errno,
            "errnos": errno_choices(self.call),
            "value": self.value, "wrong": self._value_error(), "sketch": self.sketch.state(),
            "drawn": self._drawn, "problem": self.problem,
            "revealed": self.verdict is not None, "n": n,
        }  # fmt: skip

    def _show(self, n: Any = 0) -> None:
        verdict = self.verdict
        with self.hold_sync():  # one message
            self.look = as_json(self._look())
            self.state = as_json(self._state(n))
            self.told = self._telling(verdict) if verdict is not None else ""

    def _look(self) -> dict[str, Any]:
        real = self.verdict.real if self.verdict is not None else None
        before = before_band(self.model.snapshot(), self.call, self.sketch.scale(real))
        return {"before": before, **self.sketch.look("your prediction", self.verdict)}

    def _telling(self, verdict: Verdict) -> str:
        drawn = self.sketch.rows if self._drawn else None
        return as_json(_told(verdict, self._unsaid(), kernel_band(verdict.real, self.sketch, drawn)))

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


def before_band(before: Snapshot, call: Call, scale: Scale) -> dict[str, Any]:
    """What is before the call, with its range and its target."""
    marks = [
        (kind, *pair) for kind, pair in zip(("source", "target"), ranges_of(call), strict=True) if pair is not None
    ]
    first = scene_of_snapshot(before, "before the call", scale=scale, marks=marks, moment="before")
    return pictures([draw(first, live=True)])


def kernel_band(real: Outcome, sketch: Sketch, drawn: Rows | None) -> dict[str, Any]:
    """What the kernel does, in two frames: what was before, and what is then, on the scale of the sketch; each VMA that
    was not predicted is marked."""
    scale = sketch.scale(real)
    first = scene_of_snapshot(real.before, "what the kernel does", scale=scale, moment="kernel")
    last = scene_of(real, scale=scale)
    there = {(row.start, row.end, row.perms[:3]) for row in drawn or ()}
    boxes = tuple(
        judged(box, "missed") if drawn is not None and place_of(box.row) not in there else box
        for box in last.bands[-1].boxes
    )
    band = evolve(first.bands[0], boxes=boxes, gaps=last.bands[-1].gaps)
    return pictures([draw(scene, live=True) for scene in (first, evolve(first, bands=(band,)))])


def _told(verdict: Verdict, unsaid: str, kernel: dict[str, Any]) -> dict[str, Any]:
    return {
        "unsaid": unsaid,
        "headline": verdict.headline,
        "right": verdict.right,
        "lines": [[line.right, line.said] for line in verdict.lines],
        "suspected": [[one.belief, one.truth] for one in verdict.suspected],
        "play": player_data(verdict.real),
        "kernel": kernel,
    }
