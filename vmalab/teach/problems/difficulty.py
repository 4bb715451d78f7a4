"""How hard a problem is: measured on the model, not felt.

Counted is what has to be worked out to answer: of all calls that a problem asks about (on each kernel that it asks
about) the steps that the kernel takes, the different rules among them (a kernel function and what it found), and the
VMAs that have to be kept in mind.  Their sum is the effort, and the effort is the level:

    level   effort      what that is like
    1        1 to 16    a call that is refused, works inside one VMA, or moves one
    2       17 to 22    a move that cuts, merges or replaces; two or three small calls
    3       23 to 31    a move of two VMAs with a gap; some calls in a row
    4       32 to 43    a move of several VMAs, or there and back; one call on two kernels
    5       44 to 120   moves of several VMAs in a row, calls that end half-way; calls on several kernels
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import asdict, frozen

from vmalab.machines.outcome import Outcome

Band = tuple[int, int]
"""Least and most effort."""

LEVELS: Mapping[int, Band] = {1: (1, 16), 2: (17, 22), 3: (23, 31), 4: (32, 43), 5: (44, 120)}
"""Level → least and most effort."""


@frozen
class Difficulty:
    """Steps of the kernel, different rules among them, and the most VMAs at one moment."""

    steps: int
    rules: int
    vmas: int

    @property
    def effort(self) -> int:
        """All of it."""
        return self.steps + self.rules + self.vmas

    def is_of(self, level: int) -> bool:
        """Whether that is the effort of `level`."""
        return self.is_within(LEVELS[level])

    def is_within(self, band: Band) -> bool:
        """Whether the effort lies in a band, its ends included."""
        return band[0] <= self.effort <= band[1]

    def to_json(self) -> dict[str, int]:
        """The numbers, with their sum."""
        return {**asdict(self), "effort": self.effort}

    def __str__(self) -> str:
        return f"effort {self.effort}: {self.steps} steps, {self.rules} rules, {self.vmas} VMAs"


def measure(runs: Iterable[Outcome]) -> Difficulty:
    """The difficulty of working out what these calls do.  O(steps)."""
    told = list(runs)
    steps = [step for run in told for step in run.steps]
    return Difficulty(
        len(steps),
        len({(step.func, step.key) for step in steps}),
        max(max(len(run.before), len(run.after)) for run in told),
    )
