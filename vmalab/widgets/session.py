"""What the call builder does, without a widget: fields, the program made so far, undo and redo, and what to show.

`Session.state` and `Session.look` are what the browser shows, as plain data; `Session.handle` takes what a person did.
The model given at the start is never changed: the session runs its calls on a model of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from vmalab.errors import ScenarioError, UsageError, VmalabError
from vmalab.linux.addr import ARENA_BASE, PAGE
from vmalab.linux.call import Call, Mremap
from vmalab.linux.flags import MREMAP_DONTUNMAP, MREMAP_FIXED
from vmalab.linux.profile import MEASURED
from vmalab.machines.model import Model
from vmalab.machines.outcome import FEW, Outcome
from vmalab.machines.program import scenario_of
from vmalab.pictures.frames import pictures, player_data
from vmalab.pictures.scale import WIDTH, Scale
from vmalab.pictures.scene import result_words, scene_of, scene_of_snapshot
from vmalab.pictures.sceneparts import Scene
from vmalab.pictures.svg import draw
from vmalab.pictures.svgparts import LEFT, RIGHT
from vmalab.programs.calltext import c_call, c_program, call_text, page_number, python_call, python_program
from vmalab.programs.scenario import Scenario, dumps, renamed
from vmalab.widgets.fields import CALL_LABELS, DEFAULTS, FORMS, build, clean, fields_of, has_range, label_of
from vmalab.widgets.geometry import geometry_of, page_text, pages_of, scale_for_dragging, vmas_of
from vmalab.widgets.link import fragment, opened
from vmalab.words.wording import number_of

WINDOW = 32
"""Pages that the picture shows at least, mapped or not: room to drag in."""

FARTHEST = 1 << 20
"""Pages up to which the picture follows what was chosen; what is farther is said to be beyond it."""

MOST_OPENED = 500
"""Calls of a program that is opened."""

ROOM = 4
"""Pages of free room at the edge of the picture; nearer to it, the picture grows."""


WIDEST = 1600
"""Pixels of the widest picture."""


class Session:
    """A program in the making.  `model`: the process to start from, or a release to start with an empty one."""

    def __init__(self, model: Model | str = "6.18", window: int = WINDOW) -> None:
        self.model = Model(model) if isinstance(model, str) else model.copy()
        self.window = window
        self.base = len(self.model.history)
        self.outcomes: list[Outcome] = []
        self.undone: list[Call] = []
        self.values: dict[str, Any] = dict(DEFAULTS)
        self.fields: list[dict[str, Any]] = []
        """What the fields said when each of the calls was made."""
        self.scale_width = WIDTH
        """Pixels of the address line."""
        self.reach = window
        """Pages that the picture shows: it grows when something is chosen at its edge."""
        self.call = "mremap" if len(self.model.snapshot()) else "mmap"
        self.status, self.status_ok = "", True
        self._suggest()

    # --- fields ---

    def set(self, name: str, value: Any) -> None:
        """Give a field (or `call`, `release`) a value.  Raises UsageError for one it cannot take."""
        if name == "call":
            if value not in FORMS:
                raise UsageError(f"call: {value!r} is none of {', '.join(FORMS)}")
            self.call = value
        elif name == "release":
            self.change_release(str(value))
        elif name in self.values:
            value = clean(name, value)
            if name == "length" and self.values["new_len"] == self.values["length"]:
                self.values["new_len"] = value  # the size is kept until somebody changes new_len
            self.values[name] = value
        else:
            raise UsageError(f"there is no field {name!r}; there are call, release, {', '.join(self.values)}")

    def select(self, start: str, end: str) -> None:
        """The range was dragged: pages `start` up to, not including, `end`."""
        first, last = sorted((int(start), int(end)))
        self.set("addr", page_text(first))
        self.set("length", str(max(last - first, 1)))

    def aim(self, start: str, end: str | None = None) -> None:
        """The target was dragged to page `start`: mremap then needs MREMAP_FIXED, which is set (and said)."""
        self.set("new_addr", page_text(int(start)))
        if end is not None:
            self.set("new_len", str(max(int(end) - int(start), 1)))
        self._fix("chose")

    def type_target(self, text: str) -> None:
        """The target was typed: the first time mremap then needs MREMAP_FIXED, as for one that was dragged."""
        first = not self.values["new_addr"].strip()
        self.set("new_addr", text)
        if first and text.strip():
            self._fix("typed")

    def _fix(self, how: str) -> None:
        if self.call == "mremap" and not {"fixed", "dontunmap"} & set(self.values["flags"]):
            self.set("flags", ("maymove", "fixed"))
            self._say(f"MREMAP_MAYMOVE and MREMAP_FIXED were set, because you {how} a target.")

    def built(self) -> tuple[Call | None, dict[str, str]]:
        """The call as it stands now, or None with the message for each wrong field."""
        return build(self.call, self.values)

    # --- running ---

    def run(self) -> Outcome | None:
        """Make the call.  None if a field is wrong or the model does not know the call; `status` says so."""
        call, errors = self.built()
        if call is None:
            needs = "needs" if len(errors) == 1 else "need"
            named = " and ".join(label_of(self.call, name) for name in errors)
            self._say(f"Not run: {named} {needs} another value.", ok=False)
            return None
        outcome = self._do(call)
        if outcome is not None:
            self.undone.clear()
        return outcome

    def _follow(self, outcome: Outcome) -> None:
        """The range goes where what it named has gone, and the target is free to be chosen again."""
        call = outcome.call
        if self.call == "mremap" and isinstance(call, Mremap) and outcome.ok and outcome.value != call.addr:
            where = page_number(outcome.value) if outcome.value is not None else None
            self.values["addr"] = where or f"{outcome.value:#x}"
            self.values["length"] = self.values["new_len"]
            self.values["new_addr"] = ""
            self.values["flags"] = tuple(word for word in self.values["flags"] if word == "maymove")

    def _do(self, call: Call) -> Outcome | None:
        try:
            outcome = self.model.do(call)
        except VmalabError as error:
            self._say(f"Not run: {error}", ok=False)
            return None
        self.outcomes.append(outcome)
        self.fields.append(dict(self.values))
        self._follow(outcome)
        self._tell(outcome)
        return outcome

    def undo(self) -> None:
        """Take the last call back."""
        if not self.outcomes:
            self._say("There is nothing to undo.", ok=False)
            return
        self.undone.append(self.outcomes[-1].call)
        self.values = self.fields.pop()
        self._replay(self.model.release, [outcome.call for outcome in self.outcomes[:-1]])
        self._say(f"Undone: {call_text(self.undone[-1])}.")

    def redo(self) -> None:
        """Make the call again that was undone last."""
        if not self.undone:
            self._say("There is nothing to redo.", ok=False)
            return
        call = self.undone.pop()
        if self._do(call) is None:
            self.undone.append(call)

    def reset(self) -> None:
        """Back to the model that the session began with, and to the fields' first values."""
        self._replay(self.model.release, [])
        self.undone.clear()
        self.fields.clear()
        self.reach = self.window
        self.values = dict(DEFAULTS)
        self._suggest()
        self._say("Back at the start.")

    def change_release(self, release: str) -> None:
        """Make the same calls under another kernel.  Raises ProfileError for one that no profile describes."""
        calls = [outcome.call for outcome in self.outcomes]
        self._replay(release, calls)
        if self.outcomes:
            last = self.outcomes[-1]
            same = "The same call" if len(calls) == 1 else f"The last of the same {len(calls)} calls"
            self._tell(last, f"{same} under {self.model.profile}: ")
        else:
            self._say(f"The kernel is now {self.model.profile}.")

    def _replay(self, release: str, calls: list[Call]) -> None:
        model = Model(release, privileged=self.model.privileged, trace=self.model.trace)
        for call in self.model.history[: self.base]:
            model.do(call)
        outcomes = [model.do(call) for call in calls]
        self.model, self.outcomes = model, outcomes

    def _say(self, text: str, *, ok: bool = True) -> None:
        self.status, self.status_ok = text, ok

    def _tell(self, outcome: Outcome, before: str = "") -> None:
        from vmalab.words.explain import reason

        end = f"fails: {reason(outcome)}" if outcome.errno else f"{result_words(outcome)}."
        self._say(f"{before}{outcome.call.name} {end}", ok=outcome.ok)

    def _suggest(self) -> None:
        """First values: the first VMA, and a target that is free."""
        rows = self.model.snapshot().rows
        inside = [row for row in rows if page_number(row.start) is not None]
        if not inside:
            return
        first = inside[0]
        self.values["addr"] = page_number(first.start) or "0"
        self.values["length"] = self.values["new_len"] = str(first.pages)

    def open(self, scenario: Scenario, release: str) -> None:
        """Begin anew with the calls of `scenario` on `release`: each is as one made here, to be undone.

        Raises ProfileError for a release that no profile describes, UsageError for what are no calls of a program.
        """
        calls = scenario.steps
        if len(calls) > MOST_OPENED:
            raise UsageError(f"{len(calls)} calls are too many to open, {MOST_OPENED} are the most")
        model = Model(release, privileged=not scenario.unprivileged)
        outcomes = [model.do(call) for call in calls]
        self.model, self.outcomes, self.base, self.undone = model, outcomes, 0, []
        self.values = dict(DEFAULTS)
        self.call = "mremap" if len(model.snapshot()) else "mmap"
        self._suggest()
        self.fields = [dict(self.values) for _ in outcomes]
        if outcomes:
            self._tell(outcomes[-1])

    # --- what a person did in the browser ---

    def handle(self, message: Mapping[str, Any]) -> None:
        """Take one message of the browser; a value that can't be taken becomes the status, never an exception."""
        actions = {"run": self.run, "undo": self.undo, "redo": self.redo, "reset": self.reset}
        what = message.get("do")
        self.status, self.status_ok = "", True
        try:
            if what in actions:
                actions[what]()
            elif what == "set" and message["name"] == "new_addr":
                self.type_target(str(message["value"]))
            elif what == "set":
                self.set(str(message["name"]), message["value"])
            elif what == "select":
                self.select(str(message["start"]), str(message["end"]))
            elif what == "aim":
                end = message.get("end")
                self.aim(str(message["start"]), None if end is None else str(end))
            elif what == "open":
                self.open(*opened(str(message["link"])))
            else:
                raise UsageError(f"the builder knows no {what!r}")
        except (VmalabError, KeyError, ValueError, TypeError) as error:
            self._say(f"Not understood: {error}", ok=False)

    # --- what to show ---

    @property
    def playable(self) -> Outcome | None:
        """The last outcome, where so few VMAs are there that the one picture plays it."""
        last = self.outcomes[-1] if self.outcomes else None
        return last if last is not None and max(len(last.before), len(last.after)) <= FEW else None

    def look(self) -> dict[str, Any]:
        """The picture of the process as it is now, and where things lie in it: changes when a call is made, and where
        something is chosen at its edge.

        With few VMAs it plays the last call: what was before it above what is now.  Of many there is only what is now.
        """
        scale, played = self._scale(), self.playable
        if played is not None:
            play = player_data(played, scale=scale, lanes=True)
            return {"play": play, "geometry": geometry_of(scale, bands=2), "vmas": vmas_of(self.model.snapshot())}
        scene = self._scene(scale)
        return {
            "picture": pictures([draw(scene, live=True, lanes=True)]),
            "geometry": geometry_of(scale),
            "vmas": vmas_of(self.model.snapshot()),
        }

    def _scene(self, scale: Scale) -> Scene:
        """What is now; what the last call moved comes from where it was."""
        scene = scene_of_snapshot(self.model.snapshot(), f"{self.model.profile} now", scale=scale)
        last = self.outcomes[-1] if self.outcomes else None
        if last is None or not last.moves:
            return scene
        boxes = scene_of(last, scale=scale).bands[-1].boxes
        return evolve(scene, bands=(evolve(scene.bands[0], boxes=boxes),))

    def texts(self) -> dict[str, str]:
        """All calls so far, to copy and to save; empty before the first."""
        calls = self.model.history
        if not calls:
            return {}
        texts = {"Python": python_program(calls, self.model.release), "C": c_program(calls)}
        try:
            scenario = self.scenario()
            return {**texts, "scenario": dumps(scenario), "link": fragment(scenario, self._series())}
        except ScenarioError as error:  # an address that the kernel chose
            return {**texts, "unsaved": f"Not saved: {error}."}

    def scenario(self) -> Scenario:
        """All calls so far, those of the model given at the start first.  Raises UsageError if there is none."""
        return renamed(scenario_of(self.model), "built")

    def state(self) -> dict[str, Any]:
        """Everything else that the browser shows, but for the outcome's frames."""
        call, errors = self.built()
        source, target = self._selection(call, errors)
        return {
            "calls": [[name, label] for name, label in CALL_LABELS.items()],
            "call": self.call,
            "releases": [[name, f"Linux {name}"] for name in MEASURED] + [["v3", "the patch, version 3"]],
            "release": self._series(),
            "form": [
                {"name": field.name, "label": field.label, "kind": field.kind, "hint": field.hint,
                 "options": [list(option) for option in field.options],
                 "value": _plain(self.values[field.name]), "error": errors.get(field.name, "")}
                for field in fields_of(self.call, self.values)
            ],
            "source": source,
            "target": target,
            "width": self.scale_width,
            "ranged": has_range(self.call),
            "aims": self.call == "mremap",
            "c": c_call(call) if call is not None else "",
            "python": python_call(call) if call is not None else "",
            "can": {"undo": bool(self.outcomes), "redo": bool(self.undone),
                    "reset": bool(self.outcomes or self.undone)},
            "program": [[call_text(outcome.call), result_words(outcome), outcome.ok] for outcome in self.outcomes],
            "status": self.status,
            "ok": self.status_ok,
        }  # fmt: skip

    def marks(self) -> list[tuple[str, int, int]]:
        """The range and the target as marks of a still picture (bytes)."""
        call, errors = self.built()
        source, target = self._selection(call, errors)
        found = (("source", source), ("target", target))
        return [
            (kind, ARENA_BASE + int(pair[0] * PAGE), ARENA_BASE + int(pair[1] * PAGE))
            for kind, pair in found
            if pair is not None
        ]

    def _series(self) -> str:
        release = self.model.release
        return release if release == "v3" or release in MEASURED else ".".join(release.split(".")[:2])

    def _selection(
        self, call: Call | None, errors: Mapping[str, str]
    ) -> tuple[list[float] | None, list[float] | None]:  # fmt: skip
        """Range and target in pages of the arena."""
        if call is None:
            # one wrong field does not hide the range that the others give
            call, _ = build("munmap", self.values) if not {"addr", "length"} & errors.keys() else (None, {})
        start: int | None = getattr(call, "addr", None)
        if start is None:
            return None, None
        long: int = call.old_len if isinstance(call, Mremap) else getattr(call, "length", 0)
        source = [pages_of(start), pages_of(start + long)]
        target = None
        if isinstance(call, Mremap) and call.flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) and call.new_addr:
            target = [pages_of(call.new_addr), pages_of(call.new_addr + call.new_len)]
        return source, target

    def fit(self, pixels: int) -> bool:
        """Draw the picture as wide as there is room, from the usual width up to `WIDEST`; whether that is new."""
        width = max(min(pixels, WIDEST) - LEFT - RIGHT, WIDTH)
        changed, self.scale_width = width != self.scale_width, width
        return changed

    def _scale(self) -> Scale:
        # what the last call took away keeps its place, so that the picture does not jump
        seen = [self.model.snapshot(), *(outcome.before for outcome in self.outcomes[-1:])]
        return scale_for_dragging([row for snapshot in seen for row in snapshot], self.reach, self.scale_width)

    def grown(self) -> bool:
        """Whether the picture must grow for what is chosen; it then has."""
        source, target = self._selection(*self.built())
        last = max([self.reach - ROOM, *(pair[1] for pair in (source, target) if pair is not None)])
        if last <= self.reach - ROOM or last > FARTHEST:
            return False
        self.reach = int(last) + 2 * ROOM
        return True

    def summary(self) -> str:
        """The session in one line, for the repr."""
        call, errors = self.built()
        now = call_text(call) if call is not None else f"{self.call} with a wrong {' and '.join(errors)}"
        count = len(self.model.snapshot())
        last = f"; last: {call_text(self.outcomes[-1].call)} {result_words(self.outcomes[-1])}" if self.outcomes else ""
        vmas = number_of("VMAs", count)
        return f"{self.model.profile}, {vmas}, {number_of('calls', len(self.outcomes))} made{last}; next: {now}"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
