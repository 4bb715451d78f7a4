"""This machine's own kernel: whether it answers, what it can do, and a program on it beside model and recording.

Where it can't answer, that is said plainly and a recording of a kernel that can stands in.
"""

from __future__ import annotations

from functools import cache

from attrs import evolve

from vmalab.differences.answers import Answer, Answers, by_model, by_recording, difference, lesson_recordings, number
from vmalab.differences.causes import explained
from vmalab.errors import ProfileError
from vmalab.linux.call import Madvise, Mseal, Uffd
from vmalab.linux.profile import KernelProfile, behaviours, profile
from vmalab.machines.live import Abilities, Live, why_unavailable
from vmalab.machines.live.settings import settings_here
from vmalab.machines.model import Model
from vmalab.machines.program import Program, scenario_of
from vmalab.machines.recorded import SUFFIX
from vmalab.programs.scenario import Scenario

__all__ = [
    "RELEASE",
    "SAID",
    "Abilities",
    "abilities",
    "live",
    "needed",
    "on_this_machine",
    "recorded_for",
    "why_unavailable",
]

SAID = {
    "multi_vma_move": "one mremap moves several VMAs (since Linux 6.17)",
    "userfaultfd": "userfaultfd may be opened",
    "mseal": "VMAs can be sealed with mseal (since Linux 6.10)",
    "guard_regions": "madvise can install guard regions (since Linux 6.13)",
}
"""Abilities of a kernel in words."""

RELEASE = "6.17"
"""The release that a lesson's program follows where it does not say another."""


@cache
def live() -> Live:
    """The live machine, started once."""
    return Live()


@cache
def abilities() -> Abilities:
    """What this kernel can do, found out once."""
    return live().abilities()


def needed(scenario: Scenario, followed: KernelProfile) -> list[str]:
    """The abilities without which a kernel answers this program differently."""
    kinds = {"mseal": Mseal, "userfaultfd": Uffd}
    found = [name for name, kind in kinds.items() if any(isinstance(call, kind) for call in scenario.steps)]
    if any(isinstance(call, Madvise) and call.advice.startswith("guard") for call in scenario.steps):
        found.append("guard_regions")
    without = Model(evolve(followed, multi_vma_move=False), trace=False).run(scenario)
    old, new = Answer("", without), Answer("", Model(followed, trace=False).run(scenario))
    if followed.multi_vma_move and difference(old, new):
        found.append("multi_vma_move")
    return found


def danger(scenario: Scenario, release: str) -> str | None:
    """Why a program should not be run on a kernel of that release, which has a hole that it goes through; else None.

    Known from the model: with the bug and without it, its VMAs or their anon_vmas differ at some moment.
    """
    try:
        kernel = profile(release)
    except ProfileError:
        return None
    for hole in behaviours():
        if hole.cve and getattr(kernel, hole.name):
            mended = evolve(kernel, **{hole.name: False})  # type: ignore[arg-type]
            if _moments(kernel, scenario) != _moments(mended, scenario):
                return f"Linux {number(release)} has {hole.cve} ({hole.meaning}), and this program meets it"
    return None


def _moments(kernel: KernelProfile, scenario: Scenario) -> list[list[tuple[int, int, bool]]]:
    played = Model(kernel, trace=False).run(scenario)
    return [[(row.start, row.end, row.anon_vma is None) for row in outcome.after] for outcome in played.outcomes]


def on_this_machine(program: Program, release: str | None = None) -> Answers:
    """The program on the model, on this machine's kernel, and on a recording, with one plain line about the result.

    `release`: the one that the model follows; that of the program, or Linux 6.17.
    """
    scenario = scenario_of(program)
    followed = profile(release) if release else program.profile if isinstance(program, Model) else profile(RELEASE)
    ours = by_model(Model(followed), scenario)
    recorded = recorded_for(followed, scenario)
    reason = why_unavailable() or danger(scenario, live().release)
    if reason is not None:
        here = Answer("this machine", None, reason)
        shown = 2 if difference(ours, recorded) else None
        return Answers(scenario.steps[-1], (ours, here, recorded), _instead(reason, recorded), shown)
    ours = by_model(Model(followed, settings=settings_here()), scenario)
    here = Answer(f"this machine, Linux {number(live().release)}", live().run(scenario))
    verdict, shown = _verdict(scenario, followed, ours, here, recorded)
    return Answers(scenario.steps[-1], (ours, here, recorded), verdict, shown)


def recorded_for(followed: KernelProfile, scenario: Scenario) -> Answer:
    """A recording of the release that the model follows, or else of the newest kernel that answered the lessons."""
    series = ".".join(number(followed.release).split(".")[:2])
    found = by_recording(series, scenario)
    for release in dict.fromkeys(path.name.removesuffix(SUFFIX) for path in reversed(lesson_recordings())):
        if found.last is not None:
            break
        again = by_recording(release, scenario)
        found = again if again.last is not None else found
    return found


def _instead(reason: str, recorded: Answer) -> str:
    if recorded.last is None:
        return (
            f"No kernel answers here: {reason}, and this program was not recorded (a program that you change never is)."
        )
    kernel = recorded.who.partition(",")[0]
    return f"No kernel answers here: {reason}. Instead you see what {kernel} answered when it was recorded."


def _verdict(
    scenario: Scenario, followed: KernelProfile, ours: Answer, here: Answer, recorded: Answer
) -> tuple[str, int | None]:
    """One plain line, and which answer to draw: none where the model's picture is as good."""
    if here.last is None:
        why = here.played.error if here.played is not None else here.why
        return f"This machine's kernel gave no answer: {why}.", None
    found = difference(ours, here)
    if not found:
        return "This machine's kernel does what the model says, on every step of the program.", None
    lacks = [name for name in needed(scenario, followed) if not getattr(abilities(), name)]
    if lacks:
        what = "; ".join(SAID[name] for name in lacks)
        kernel = recorded.who.partition(",")[0]
        more = f" Look at the line of {kernel} instead: it was recorded." if recorded.last is not None else ""
        return f"This machine's kernel can't do what this needs: {what}.{more}", 1
    assert here.played is not None
    reason = explained(followed, here.played, number(live().release))
    more = f" {reason.words}" if reason is not None else ""
    return f"This machine's kernel differs from {followed}. {found}{more}", 1
