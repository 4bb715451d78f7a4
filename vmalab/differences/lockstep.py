"""One program on two machines in lock-step: calls and steps brought side by side, what differs, and the rule behind it.

`Lockstep` is the data with its text and its still pictures; `vmalab.widgets.SideBySide` steps through it.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import cached_property
from typing import Any

from attrs import evolve, frozen

from vmalab.differences.answers import number
from vmalab.differences.causes import END, Cause, Why, causes, explained
from vmalab.differences.compare import ComparedStep, Comparison, compare, unlike
from vmalab.differences.display import comparison_html
from vmalab.differences.say import say_difference
from vmalab.errors import ProfileError, UsageError
from vmalab.linux.profile import KernelProfile, profile
from vmalab.machines import NAMES, machine_from_name
from vmalab.machines.machine import Machine, Played
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Snapshot
from vmalab.machines.program import Program, scenario_of
from vmalab.pictures.frames import pictures, told_steps
from vmalab.pictures.scale import BESIDE, Scale
from vmalab.pictures.scene import result_words, scale_for, scene_of, scenes_of, with_differing
from vmalab.pictures.sceneparts import Scene, with_letters
from vmalab.pictures.svg import draw_all
from vmalab.programs.calltext import call_text, result_text
from vmalab.programs.scenario import Scenario, same_program
from vmalab.words.explain import one_line

Side = str | Machine | Played
"""A machine: a release of the model (`"6.16"`, `"v3"`), a name such as `"recorded:6.17"`, a machine, or its answers."""


@frozen
class Place:
    """One place on the common timeline of a call: the frame that each side shows there.

    `parted`: the sides do different things here, or one has nothing to do while the other goes on.
    """

    a: int
    b: int
    parted: bool


class Lockstep:
    """One program on two machines, call by call and step by step.

    >>> from vmalab.linux.addr import PAGE, page
    >>> vm = Model("6.17")
    >>> _ = vm.mmap(page(0), PAGE), vm.mmap(page(1), PAGE, "r"), vm.mremap(page(0), 2 * PAGE, 2 * PAGE, 3, page(64))
    >>> both = Lockstep(vm, "6.16", "6.17")
    >>> [cause.behaviour.name for cause in both.causes], both.first
    (['multi_vma_move'], 3)

    `program`: a model (its history), a scenario or its name, or calls.  `a`, `b`: see `Side`.  Raises UsageError for
    what is no program or no machine, and what a machine raises that can't be had.
    """

    def __init__(self, program: Program, a: Side = "6.16", b: Side = "6.17") -> None:
        self.scenario = scenario_of(program)
        self._sides = (_answered(a, self.scenario), _answered(b, self.scenario))
        self.played = (self._sides[0].played, self._sides[1].played)
        self.comparison: Comparison = compare(*self.played)

    @property
    def sides(self) -> tuple[str, str]:
        """The two machines, for a person: `("Linux 6.16", "Linux 6.17")`."""
        return self.played[0].machine, self.played[1].machine

    @property
    def steps(self) -> tuple[ComparedStep, ...]:
        """The calls that at least one side has answered."""
        return tuple(step for step in self.comparison.steps if step.a is not None or step.b is not None)

    @property
    def first(self) -> int | None:
        """The number of the first call that differs (from 1), or None."""
        return next((step.number for step in self.steps if not _agrees(step)), None)

    @cached_property
    def causes(self) -> tuple[Cause, ...]:
        """The named behaviours by which the sides differ; `()` where they agree or one is no kernel that is known."""
        a, b = (side.profile for side in self._sides)
        if a is None or b is None or self.comparison.agrees:
            return ()
        found = causes(self.scenario, a, b)
        for own, played in zip((a, b), self.played, strict=True):
            if not compare(Model(own, trace=False).run(self.scenario), played).agrees:
                return ()  # a kernel that does not do what its model says: its profile explains nothing
        return found

    @property
    def verdict(self) -> str:
        """Whether they agree, in a sentence."""
        failed = [f"{one.machine} could not run it: {one.error}." for one in self.played if one.error is not None]
        if failed:
            return " ".join(failed)
        how = (
            "agree on every call" if self.comparison.agrees else f"differ first at call {self.first or len(self.steps)}"
        )
        return f"{self.sides[0]} and {self.sides[1]} {how}."

    def differences(self) -> list[str]:
        """Everything that differs, in sentences; the first difference of each call."""
        return [say_difference(found, *self.sides) for found in self.comparison.differences()]

    def why(self, number: int | None = None) -> list[str]:
        """The rules by which call `number` (from 1) differs, or by which anything does, in sentences.

        Where one side is a kernel that no profile describes rightly, what can be said of it against the other side.
        """
        if not self.causes and number in (None, self.first):
            return [] if self._other is None else [f"{self._other[0]}: {self._other[1].words}"]
        return [self._rule(cause) for cause in self.causes if number is None or number in cause.steps]

    @cached_property
    def _other(self) -> tuple[str, Why] | None:
        """Of a model and something else: who that is, and why it is not like the model."""
        for ours, other in (self._sides, self._sides[::-1]):
            if ours.profile is None or not ours.model or other.model or other.played.error is not None:
                continue
            why = explained(ours.profile, other.played, other.release)
            return None if why is None else (other.played.machine, why)
        return None

    def _rule(self, cause: Cause) -> str:
        return f"The rule of {self.sides[0] if cause.in_a else self.sides[1]} that makes the difference: {cause.words}."

    def __repr__(self) -> str:
        lines = []
        for step in self.comparison.steps:
            told = [_told(outcome) for outcome in (step.a, step.b)]
            same = "same" if step.agrees else "differs"
            lines.append(f"{call_text(step.call)}: {told[0]} | {told[1]}: {same}")
        return "\n".join([" | ".join(self.sides), *lines])

    def _repr_html_(self) -> str:
        titled = evolve(self.played[0], scenario=evolve(self.scenario, name=self.title))
        return comparison_html(compare(titled, self.played[1]), self.why())

    @property
    def title(self) -> str:
        """What the program is called."""
        return "The same calls" if self.scenario.name == "this program" else self.scenario.name

    # --- for the browser ---

    def data(self) -> dict[str, Any]:
        """What the view in the browser needs, all of it.  O(frames of all calls · VMAs).

        {"title", "sides": [name, name], "about": sentence,
         "calls": [{"call", "agrees", "words": [sentence, ...],
                    "places": [[frame of a, frame of b, parted], ...],
                    "sides": [{"result", "ok", "summary", "steps", and a picture with a frame for each place}, ...]}]}
        """
        return {
            "title": self.title,
            "sides": list(self.sides),
            "about": self.verdict,
            "calls": [self._call(step) for step in self.steps],
        }

    def _call(self, step: ComparedStep) -> dict[str, Any]:
        outcomes = (step.a, step.b)
        places = places_of(*outcomes)
        scale = scale_for((outcome for outcome in outcomes if outcome is not None), BESIDE)
        words = [] if step.difference is None else [say_difference(step.difference, *self.sides)]
        words += self.why(step.number)
        final = self.comparison.final
        if final is not None and step is self.steps[-1] and step.agrees:
            ended = [cause for cause in self.causes if END in cause.steps and step.number not in cause.steps]
            words += [say_difference(final, *self.sides), *map(self._rule, ended)]
        shown = [[(place.a, place.b) for place in places], [(place.b, place.a) for place in places]]
        return {
            "call": call_text(step.call),
            "agrees": _agrees(step) and not (final is not None and step is self.steps[-1]),
            "words": words,
            "places": [[place.a, place.b, place.parted] for place in places],
            "sides": [
                side_data(outcome, [(own, _unlike(outcome, own, other, theirs)) for own, theirs in pairs], scale)
                for outcome, other, pairs in zip(outcomes, outcomes[::-1], shown, strict=True)
            ],
        }


# --- one call on both sides ---


def _agrees(step: ComparedStep) -> bool:
    return step.agrees and step.a is not None and step.b is not None


def places_of(a: Outcome | None, b: Outcome | None) -> tuple[Place, ...]:
    """The common timeline of one call: steps that both take stand together; else one waits while the other goes on.

    A machine that tells no steps shows its result at the last place.  O(steps²) at worst.
    """
    left, right = _steps(a), _steps(b)
    if not (left and right):
        # before the call; the steps of one side alone; and the result of both
        count = max(len(left), len(right), 1)
        ends = (int(a is not None and not left), int(b is not None and not right))
        return tuple(
            Place(at if left else ends[0] * (at == count), at if right else ends[1] * (at == count), False)
            for at in range(count + 1)
        )
    places = [Place(0, 0, False)]
    i = j = 0
    for what, _, to, _, other in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        while i < to or j < other:
            i, j = min(i + 1, to), min(j + 1, other)
            places.append(Place(i, j, what != "equal"))
    return tuple(places)


def _steps(outcome: Outcome | None) -> list[tuple[str, str, str | None]]:
    return [] if outcome is None else [(step.func, step.key, step.errno) for step in outcome.steps]


def _moment(outcome: Outcome, frame: int) -> Snapshot:
    if outcome.steps:
        return outcome.frames[frame].snapshot
    return outcome.after if frame else outcome.before


def _unlike(ours: Outcome | None, own: int, theirs: Outcome | None, other: int) -> frozenset[int]:
    """What to mark on our side: VMAs that the other side does not have, as far as it tells what it has by now."""
    if ours is None or theirs is None:
        return frozenset()
    waits = (not theirs.steps and ours.steps and own < len(ours.steps)) or (
        not ours.steps and theirs.steps and other < len(theirs.steps)
    )
    return frozenset() if waits else unlike(_moment(ours, own), _moment(theirs, other))


def side_data(
    outcome: Outcome | None, shown: Sequence[tuple[int, frozenset[int]]], scale: Scale, why: str = "",
    *, told: bool = True,
) -> dict[str, Any]:  # fmt: skip
    """One side of one call for the browser: for each place its frame, with the VMAs marked that begin at an address.

    `why`: what to say where there is no outcome.  `told` False: not step by step; the only frame is before and after.
    """
    if outcome is None:
        return {"result": "no answer" if why else "did not come so far", "ok": None, "summary": why, "steps": []}
    scenes = scenes_of(outcome, scale=scale) if told else (scene_of(outcome, scale=scale),)
    marked: dict[tuple[int, frozenset[int]], Scene] = {}
    for frame, starts in shown:
        marked.setdefault((frame, starts), with_differing(scenes[frame], starts))
    return {
        "result": result_words(outcome),
        "ok": outcome.ok,
        "summary": with_letters(one_line(outcome), (*scenes[0].bands, scenes[-1].bands[-1])),
        "steps": told_steps(outcome, scenes, deep=False) if told else [],
        **pictures(draw_all([marked[place] for place in shown])),
    }


# --- machines ---


@frozen
class _Answered:
    """A side: what it answers, the kernel that it speaks for, that one's profile if there is one, and whether it is
    a model."""

    played: Played
    release: str
    profile: KernelProfile | None
    model: bool


def _answered(side: Side, scenario: Scenario) -> _Answered:
    """What that side answers, under a name for people."""
    if isinstance(side, Played):
        if same_program(side.scenario) != same_program(scenario):
            raise UsageError("these answers are to another program than the one to be shown")
        kind, _, release = side.machine.partition(":")
        return _Answered(side, release, _profile(release), kind == "model")
    machine: object = side  # a learner may give anything
    if isinstance(side, str):
        machine = Model(side) if side == "v3" or side[:1].isdigit() else machine_from_name(side)
    if not isinstance(machine, Machine):
        raise UsageError(f"{side!r} is no machine: it is a release such as 6.17, {NAMES}, or what one has answered")
    played = machine.run(scenario)
    name = who(machine)
    for outcome in played.outcomes:
        outcome.machine = name
    model = isinstance(machine, Model)
    followed = machine.profile if isinstance(machine, Model) else _profile(machine.release)
    return _Answered(evolve(played, machine=name), machine.release, followed, model)


def _profile(release: str) -> KernelProfile | None:
    try:
        return profile(release)
    except ProfileError:
        return None


def who(machine: Machine) -> str:
    """A machine for a person: `Linux 6.17`, `Linux 6.17.13, recorded`, `this machine, Linux 6.18.44`."""
    if isinstance(machine, Model):
        return str(machine.profile)
    kind = machine.name.partition(":")[0]
    release = f"Linux {number(machine.release)}"
    return f"this machine, {release}" if kind == "live" else f"{release}, {kind}"


def _told(outcome: Outcome | None) -> str:
    return "did not come so far" if outcome is None else result_text(outcome.call, outcome.value, outcome.errno)
