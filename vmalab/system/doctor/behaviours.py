"""Which named behaviours a kernel shows: found out by running a small program for each, never by its version.

For a behaviour there are two models that differ in nothing else; the kernel's answer is that of the one, of the
other, or of neither.  The programs are data: `data/probes/behaviours.json`.  Where the kernel is to choose a place,
which scenario files have no word for, they are made here.  Two behaviours show only in a process full of VMAs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from attrs import evolve, frozen

from vmalab.differences.compare import compare
from vmalab.errors import MachineError, ProfileError
from vmalab.linux.addr import PAGE, PMD_SIZE
from vmalab.linux.call import Mmap
from vmalab.linux.profile import MEASURED, Behaviour, KernelProfile, behaviours, profile
from vmalab.machines.machine import Machine, Played
from vmalab.machines.model import Model
from vmalab.programs.data import folder
from vmalab.programs.scenario import Scenario, load_scenarios

NOT_PROBED: Mapping[str, str] = {
    "realigns_moves": "it shows in nothing but the time that a move takes (vmalab measure)",
    "guard_flag": "it shows in smaps only, as a code that no call's answer depends on",
    "uffd_makes_writable": "it shows in nothing but the number of page faults",
    "huge_zero_becomes_huge": "it shows in smaps only, as AnonHugePages",
    "thp_aligns_odd_lengths": "it ended before the first release that was measured",
    "empty_tables_reclaimed": "it shows only where the system allows huge pages",
}
"""Behaviours without a probe, and why."""

WHOLE_CALLS = ("mseal", "guard_regions")
"""Tried first: without the call there is nothing to be seen of what it does elsewhere."""

FILLED = ("headroom_of_7_1", "headroom_counts_dontunmap")
"""Behaviours that show in a process that has nearly as many VMAs as it may."""

PLACED = {"thp_aligned_mmap": "anon", "thp_aligned_dev_zero": "zero"}
"""Behaviours that show in where the kernel places 2 MiB by itself, and of which kind of memory."""


HIDDEN = "what else this release does leaves nothing of it to be seen"

Headroom = Callable[[], Mapping[str, str | None]]


class Shown(Enum):
    """What a probe found."""

    YES = "yes"
    NO = "no"
    OTHER = "neither"
    SAME = "makes no difference here"
    FAILED = "could not be tried"


@frozen
class Probed:
    """One behaviour on one kernel.

    `known`: what the profile of its release says, None where the release has none.  `note`: why there is no yes or no.
    """

    behaviour: Behaviour
    shown: Shown
    known: bool | None
    note: str = ""

    @property
    def surprising(self) -> bool:
        """Whether the kernel does other than its release is known to do."""
        if self.shown is Shown.OTHER:
            return True
        return {Shown.YES: self.known is False, Shown.NO: self.known is True}.get(self.shown, False)


def probes() -> dict[str, Scenario]:
    """The program for each behaviour that can be probed, by its name."""
    found = {scenario.name: scenario for scenario in load_scenarios(folder("probes") / "behaviours.json")}
    return found | {name: _placed(name, kind) for name, kind in PLACED.items()}


def _placed(name: str, kind: str) -> Scenario:
    """2 MiB twice, a page before each: laid side by side, at most one of the two would be at a 2 MiB boundary."""
    page, large = (Mmap(None, length, kind=kind, fixed=False) for length in (PAGE, PMD_SIZE))
    return Scenario(name, (page, large, page, large))


def base_profile(release: str) -> tuple[KernelProfile, bool]:
    """The profile to vary for a kernel of that release, and whether it is its own: else the nearest there is."""
    try:
        return profile(release), True
    except ProfileError:
        series = list(MEASURED)
        first = tuple(int(number) for number in series[0].split("."))
        numbers = tuple(int(part) for part in release.split("-")[0].split(".")[:2] if part.isdigit())
        return profile(series[0] if numbers < first else series[-1]), False


def probe_behaviours(machine: Machine, headroom: Headroom | None = None) -> list[Probed]:
    """Every behaviour that has a probe, tried on `machine`, in the order of the profile.

    Two short runs of the model and one of the machine for each.  `headroom`: what mremap answers in a process that is
    nearly full of VMAs (`Live.headroom`); without it those behaviours are not tried.
    """
    base, own = base_profile(machine.release)
    known, programs = base, probes()
    found: dict[str, Probed] = {}
    for behaviour in sorted(behaviours(), key=lambda one: one.name not in WHOLE_CALLS):
        name = behaviour.name
        if name in programs:
            found[name] = _probe(machine, base, behaviour, programs[name], getattr(known, name) if own else None)
            if name in WHOLE_CALLS and found[name].shown is Shown.NO:
                base = _with(base, name, False)
        elif name in FILLED and headroom is not None:
            found[name] = _probe_full(behaviour, headroom, getattr(known, name) if own else None)
    return [found[behaviour.name] for behaviour in behaviours() if behaviour.name in found]


def _probe_full(behaviour: Behaviour, headroom: Headroom, known: bool | None) -> Probed:
    """3 VMAs below the limit a call that does nothing is refused since 7.1, and 4 below a DONTUNMAP since 7.2."""
    try:
        told = headroom()
    except MachineError as error:
        return Probed(behaviour, Shown.FAILED, known, str(error))
    if behaviour.name == FILLED[1] and told["nothing"] is None:
        return Probed(behaviour, Shown.SAME, known, HIDDEN)
    errno = told["nothing" if behaviour.name == FILLED[0] else "dontunmap"]
    shown = {None: Shown.NO, "ENOMEM": Shown.YES}.get(errno, Shown.OTHER)
    return Probed(behaviour, shown, known, f"errno {errno}" if shown is Shown.OTHER else "")


def _probe(
    machine: Machine, base: KernelProfile, behaviour: Behaviour, program: Scenario, known: bool | None
) -> Probed:
    with_it, without = (_told(_with(base, behaviour.name, held), program) for held in (True, False))
    if _agree(with_it, without):
        return Probed(behaviour, Shown.SAME, known, HIDDEN)
    told = machine.run(program)
    if told.error is not None:
        return Probed(behaviour, Shown.FAILED, known, told.error)
    if _agree(told, with_it):
        return Probed(behaviour, Shown.YES, known)
    if _agree(told, without):
        return Probed(behaviour, Shown.NO, known)
    return Probed(behaviour, Shown.OTHER, known, _where(without, told))


def _agree(one: Played, other: Played) -> bool:
    """Whether two machines did the same; of places that they chose only the alignment counts."""
    if one.scenario.name in PLACED:
        return _boundaries(one) == _boundaries(other)
    return compare(one, other).agrees


def _where(expected: Played, told: Played) -> str:
    """Where a kernel first did something else than expected."""
    first = compare(expected, told).first
    if first is not None and first.key in ("errno", "return"):
        return str(first)
    return f"other {first.key} in step {first.step}" if first and first.step else "another end"


def _boundaries(played: Played) -> list[object]:
    """For each 2 MiB that were mapped: whether they begin at a 2 MiB boundary, or the errno."""
    large = played.outcomes[1::2]
    aligned = all(outcome.value is not None and outcome.value % PMD_SIZE == 0 for outcome in large)
    return [aligned, *(outcome.errno for outcome in large)]


def _with(base: KernelProfile, name: str, held: bool) -> KernelProfile:
    changed: dict[str, Any] = {name: held}
    return evolve(base, **changed)


def _told(followed: KernelProfile, program: Scenario) -> Played:
    return Model(followed, trace=False).run(program)
