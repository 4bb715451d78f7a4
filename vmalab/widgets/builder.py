"""The call builder: a call put together by dragging over the picture, by typing or from Python, and run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import traitlets

from vmalab.errors import UsageError
from vmalab.linux.call import Call
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.pictures.display import builder_html
from vmalab.pictures.export import program_page
from vmalab.pictures.frames import as_json, packed, player_data
from vmalab.programs.calltext import call_text
from vmalab.programs.files import write_whole
from vmalab.programs.scenario import Scenario, dumps
from vmalab.widgets.base import Widget
from vmalab.widgets.inpage import InPage
from vmalab.widgets.link import fragment
from vmalab.widgets.livepage import builder_page
from vmalab.widgets.session import WINDOW, Session

FIELDS = (
    "call", "release", "addr", "length", "new_len", "new_addr", "flags", "prot", "kind", "file", "pgoff", "options",
    "value", "advice", "resource", "headroom", "onfault", "which",
)  # fmt: skip


class CallBuilder(Widget):
    """Build a call and run it.

    >>> from vmalab.linux.addr import PAGE, page
    >>> vm = Model("6.16"); _ = vm.mmap(page(0), 2 * PAGE); _ = vm.mmap(page(3), 2 * PAGE, "r")
    >>> builder = CallBuilder(vm)
    >>> builder.set(addr="0", old_len="5", new_len="5", flags="maymove fixed", new_addr="64").run().errno
    'EFAULT'
    >>> builder.release = "6.18"      # the same calls under another kernel
    >>> builder.outcome.errno is None
    True

    `model`: the process to start from (never changed: the builder runs its calls on `builder.model`, a model of its
    own), or a release to start with an empty one.  `pages`: how many pages the picture shows at least.

    Every field of the form is an attribute and takes what a person would type: `addr`, `new_addr` (a page such as
    `"64"`, or hex bytes such as `"0x1000040000"`), `length` (`old_len` is the same), `new_len` (pages, or `"2 MiB"`),
    `flags` (`"maymove fixed"`, a list, or MREMAP_* bits), `prot` (`"rw"`), `kind`, `file`, `pgoff`, `options`,
    `value`, `advice`, `resource`, `headroom`, `onfault` (the flag of mlock2), `which` (the flags of mlockall); with
    `call` (`"mremap"`) and `release`.  Malformed text is kept and said in `errors`; a word that no choice has raises
    UsageError.

    `outcome` is the last outcome (None before the first run), `outcomes` and `calls` all of them, `model` the process
    by now.  `scenario` is the whole program, and `save(path)` writes it as a scenario file.
    """

    scripts = ("unpack.js", "player.js", "drag.js", "builder.js")
    render = "renderBuilder"

    state = traitlets.Unicode().tag(sync=True)
    look = traitlets.Unicode().tag(sync=True)
    """The picture of the process with the last call in it, packed; it stays while somebody types."""
    played = traitlets.Unicode().tag(sync=True)
    """The frames of the last outcome, packed, for a stepper of its own; empty where the one picture plays them."""
    texts = traitlets.Unicode().tag(sync=True)
    """All calls so far to copy and to save, packed."""

    width = traitlets.Int(0).tag(sync=True)
    """Pixels that the page has for the picture; 0 until it has told."""

    def __init__(self, model: Model | str = "6.18", pages: int = WINDOW) -> None:
        self.session = Session(model, pages)
        self._shown: Outcome | None = None
        self._drawn = (self.session.model, len(self.session.model.history), self.session.scale_width)
        super().__init__(
            look=packed(self.session.look(), 1),
            state=as_json({**self.session.state(), "n": 0}),
            texts=packed(self.session.texts(), 1),
        )
        self.on_msg(self._heard)
        self.observe(lambda _change: self._show() if self.session.fit(self.width) else None, names="width")

    # --- fields as attributes ---

    def __getattr__(self, name: str) -> Any:
        if name == "old_len":
            name = "length"
        if name in FIELDS and "session" in self.__dict__:
            session = self.session
            if name == "call":
                return session.call
            return session.model.release if name == "release" else session.values[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FIELDS or name == "old_len":
            self.set(**{name: value})
        else:
            super().__setattr__(name, value)

    def set(self, **fields: Any) -> CallBuilder:
        """Set several fields at once; returns the builder, so that `.run()` can follow.  Raises UsageError."""
        for name, value in fields.items():
            field = "length" if name == "old_len" else name
            if field not in FIELDS:
                raise UsageError(f"the call builder has no field {name!r}; it has {', '.join(FIELDS)} and old_len")
            self.session.set(field, value)
        self._show()
        return self

    # --- what can be done ---

    def run(self) -> Outcome | None:
        """Make the call that the fields say.  None if it could not be made; `status` and `errors` say why."""
        outcome = self.session.run()
        self._show()
        return outcome

    def undo(self) -> None:
        """Take the last call back."""
        self.session.undo()
        self._show()

    def redo(self) -> None:
        """Make the undone call again."""
        self.session.redo()
        self._show()

    def reset(self) -> None:
        """Back to the model given at the start."""
        self.session.reset()
        self._show()

    def load(self, scenario: Scenario, release: str = "6.18") -> CallBuilder:
        """Begin anew with the calls of `scenario`, each to be undone; returns the builder.

        Raises ProfileError for a release that no profile describes, UsageError for too many calls.
        """
        self.session.open(scenario, release)
        self._show()
        return self

    def save(self, path: str | Path) -> None:
        """Write the program so far, what was there at the start included, as a scenario file.

        `vmalab run` and every machine take it.  Raises UsageError if there is no call yet or the file can't be written,
        ScenarioError if an mmap left the address to the kernel.
        """
        text = dumps(self.scenario)
        try:
            write_whole(Path(path), text)
        except OSError as error:
            raise UsageError(f"{path} can't be written: {error.strerror}") from None

    # --- what there is ---

    @property
    def scenario(self) -> Scenario:
        """The program so far, what was there at the start included.  Raises UsageError if there is no call yet."""
        return self.session.scenario()

    @property
    def model(self) -> Model:
        """The process as it is now."""
        return self.session.model

    @property
    def outcome(self) -> Outcome | None:
        """What the last call did."""
        return self.session.outcomes[-1] if self.session.outcomes else None

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What each call made here did."""
        return tuple(self.session.outcomes)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls made here."""
        return tuple(outcome.call for outcome in self.session.outcomes)

    @property
    def built(self) -> Call | None:
        """The call that the fields say now, or None while one of them is wrong."""
        return self.session.built()[0]

    @property
    def errors(self) -> dict[str, str]:
        """For each wrong field what it needs."""
        return self.session.built()[1]

    @property
    def status(self) -> str:
        """The line under the buttons: what the last action did."""
        return self.session.status

    # --- the browser ---

    def _heard(self, _widget: object, content: Any, _buffers: object) -> None:
        """One message of the browser in; out come what it changes, and after a call what can be had of that."""
        if isinstance(content, dict) and content.get("do") == "page":
            self.send({"page": self.page()})
            self._show(content.get("n", 0))
        elif isinstance(content, dict):
            self.session.handle(content)
            self._show(content.get("n", 0))

    def page(self) -> str:
        """The program so far as a page of its own: in a page that runs Python the builder, alive; else its calls, to
        play.
        """
        if isinstance(self, InPage):
            link = fragment(self.scenario, self.release) if self.model.history else ""
            return builder_page(self, link=link)
        return program_page(Model(self.model.profile).run(self.scenario))

    def _show(self, n: Any = 0) -> None:
        outcome = self.outcome
        now = (self.session.model, len(self.session.model.history), self.session.scale_width)
        changed = now != self._drawn
        grown = self.session.grown()
        with self.hold_sync():  # one message
            if changed or grown:
                self._drawn = now
                self.look = packed(self.session.look(), 1)
            self.state = as_json({**self.session.state(), "n": n})
        with self.hold_sync():  # whoever looks at the picture need not wait for these
            if outcome is not self._shown:
                self._shown = outcome
                apart = outcome is not None and self.session.playable is None
                self.played = packed(player_data(outcome), 1) if outcome is not None and apart else ""
            if changed:
                self.texts = packed(self.session.texts(), 1)

    def summary(self) -> str:
        return self.session.summary()

    def still_html(self) -> str:
        call = self.built
        return builder_html(
            self.model.snapshot(), f"{self.model.profile} now", self.session.marks(),
            call_text(call) if call is not None else "", self.outcome,
        )  # fmt: skip
