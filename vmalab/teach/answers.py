"""One program on several kernels, as the lessons show it.  What machines answer is asked in
`vmalab.differences.answers`."""

from __future__ import annotations

from vmalab.differences.answers import Answers, by_model, by_recording, difference
from vmalab.differences.lockstep import Lockstep
from vmalab.errors import UsageError
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.machines.program import Program, scenario_of


def side_by_side(program: Program, a: str = "6.16", b: str = "6.17") -> Lockstep:
    """The same calls under two kernels (releases of the model, `"v3"` included): shows itself as pictures.

    `vmalab.widgets.SideBySide` is the same to step through.
    """
    return Lockstep(program, a, b)


def same_calls(program: Program, release: str) -> Outcome:
    """The same calls under another kernel, from an empty address space; the outcome of the last one."""
    vm = Model(release)
    outcome = None
    for call in scenario_of(program).steps:
        outcome = vm.do(call)
    assert outcome is not None  # a program has calls
    return outcome


def real_kernels(program: Program, *series: str, flags: bool = False) -> Answers:
    """For each release the model, and what a real kernel of that series answered when it was recorded.

    `flags`: with the VmFlags of each VMA at the end, as smaps has them.
    """
    if not series:
        raise UsageError('real_kernels needs the releases to ask, such as real_kernels(vm, "6.16", "6.17")')
    scenario = scenario_of(program)
    answers, differ, missing = [], [], []
    for release in series:
        ours, theirs = by_model(release, scenario), by_recording(release, scenario)
        answers += [ours, theirs]
        found = difference(ours, theirs)
        if theirs.last is None:
            missing.append(theirs)
        elif found:
            differ.append(f"{theirs.who}: {found}")
    if differ:
        verdict = "Here model and kernel differ. " + " ".join(differ)
    elif missing:
        verdict = "Not every kernel was asked this (a program that you change was not recorded); the rest agrees."
    else:
        verdict = "Every model agrees with the kernel it follows, on every step of the program."
    return Answers(scenario.steps[-1], answers, verdict, flags=flags)
