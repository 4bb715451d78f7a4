"""Why two kernels answer a program differently: the named behaviours that do it, found by trying them out.

A behaviour of one release is switched to that of the other, and the program runs again on the model.  `causes` is for
two releases that the model knows; `explained` for the answers of a kernel, which may be any.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve, frozen

from vmalab.differences.compare import compare
from vmalab.errors import ProfileError
from vmalab.linux.profile import MEASURED, Behaviour, KernelProfile, behaviours, profile
from vmalab.machines.machine import Played
from vmalab.machines.model import Model
from vmalab.programs.scenario import Scenario

END = 0
"""Among the steps of a cause: the state after the last one."""


@frozen
class Cause:
    """One behaviour that makes the answers differ.

    `steps`: the steps (from 1) that come out differently by it, or `END`.  `in_a`: whether the first kernel has it.
    """

    behaviour: Behaviour
    steps: tuple[int, ...]
    in_a: bool

    @property
    def words(self) -> str:
        """Its name, what it means, where it holds, and where it is known from."""
        found = self.behaviour
        kind = "a bug of " if found.bug else ""
        commit = f"; commit {found.commit}" if found.commit else ""
        return f"{found.name}: {found.meaning} ({kind}{found.releases}{commit})"


def causes(scenario: Scenario, a: KernelProfile, b: KernelProfile) -> tuple[Cause, ...]:
    """The behaviours by which the models of `a` and `b` answer `scenario` differently; `()` where they agree.

    Switched in one of the two (`a`, unless `b` needs fewer), they make it answer as the other does, and none of them
    can be left out; where one alone makes all the difference, it is that one.  Costs a few runs of the program for
    each behaviour in which the releases differ.
    """
    ours, theirs = _answers(scenario, a), _answers(scenario, b)
    if ours.error or theirs.error or compare(ours, theirs).agrees:
        return ()
    forth, back = _Switch(scenario, a, b, theirs), _Switch(scenario, b, a, ours)
    best, names = min(((one, one.smallest()) for one in (forth, back)), key=lambda pair: len(pair[1]))
    by_name = {found.name: found for found in behaviours()}
    return tuple(
        Cause(by_name[name], best.differing([other for other in names if other != name]), getattr(a, name))
        for name in names
    )


@frozen
class _Switch:
    """One kernel with behaviours of another, whose answers are `wanted`."""

    scenario: Scenario
    own: KernelProfile
    other: KernelProfile
    wanted: Played

    def differing(self, names: list[str]) -> tuple[int, ...]:
        """The steps that still differ where the behaviours `names` are those of the other kernel."""
        tried = _with(self.own, {name: getattr(self.other, name) for name in names})
        found = compare(_answers(self.scenario, tried), self.wanted)
        return tuple(one.step or END for one in found.differences())

    def smallest(self) -> list[str]:
        """Behaviours that are enough, none of which can be left out."""
        names = [one.name for one in behaviours() if getattr(self.own, one.name) != getattr(self.other, one.name)]
        smallest = next(([name] for name in names if not self.differing([name])), names)
        before = len(smallest) + 1
        while len(smallest) < before:  # one that was needed beside another may be needed no more without it
            before = len(smallest)
            for name in names:
                without = [other for other in smallest if other != name]
                if len(without) < len(smallest) and not self.differing(without):
                    smallest = without
        return smallest


def _with(followed: KernelProfile, changed: dict[str, Any]) -> KernelProfile:
    return evolve(followed, **changed)


def _answers(scenario: Scenario, followed: KernelProfile) -> Played:
    return Model(followed, trace=False).run(scenario)


@frozen
class Why:
    """Why a kernel's answers are not those of the model.

    `like`: the release whose model answers as the kernel does, or `""` where none does.  `causes`: the behaviours.
    `known`: whether the difference is explained; if not, the model is wrong here or the kernel is unknown to it.
    """

    like: str
    causes: tuple[Cause, ...]
    words: str

    @property
    def known(self) -> bool:
        """Whether named behaviours explain the difference."""
        return bool(self.causes)


UNKNOWN = "No behaviour that the model knows explains this: the model is wrong here, or your kernel is unknown to it."


def explained(followed: KernelProfile, kernel: Played, release: str) -> Why | None:
    """Why `kernel`, which calls itself `release`, answers its scenario differently from the model of `followed`.

    None where they agree.  Tried are the model of the kernel's own release, those of all measured ones, the newest
    first, and at last each single behaviour.
    """
    scenario = kernel.scenario

    def agrees(other: KernelProfile) -> bool:
        return compare(_answers(scenario, other), kernel).agrees

    if agrees(followed):
        return None
    own = _own(release)
    others = [profile(series) for series in reversed(tuple(MEASURED))]
    for other in ([own] if own else []) + others:
        if agrees(other):
            found = causes(scenario, followed, other)
            if own is None or other is not own:
                words = f"It answers as {other} does, not as {followed}"
            else:
                words = f"It is {own}, not {followed.release}: there the rules differ"
            return Why(other.release, found, f"{words}: {_listed(found)}.")
    for behaviour in behaviours():
        changed = _with(followed, {behaviour.name: not getattr(followed, behaviour.name)})
        if agrees(changed):
            one = causes(scenario, followed, changed)
            does = "lacks" if getattr(followed, behaviour.name) else "has"
            return Why("", one, f"It is like {followed}, but {does} {_listed(one)}.")
    return Why("", (), UNKNOWN)


def _own(release: str) -> KernelProfile | None:
    try:
        return profile(release)
    except ProfileError:
        return None


def _listed(found: tuple[Cause, ...]) -> str:
    return "; ".join(cause.words for cause in found)
