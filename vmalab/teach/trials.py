"""`Tried`: programs run on models and held against recordings, with one sentence about the kernels; tables of that."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vmalab.differences.answers import by_model, by_recording, difference
from vmalab.linux.call import Call
from vmalab.linux.profile import profile
from vmalab.machines.outcome import Outcome
from vmalab.machines.program import scenario_of
from vmalab.pictures.table import Table
from vmalab.programs.scenario import Scenario

Case = tuple[str, Sequence[Call]]
"""What is tried, in words, and the program."""


class Tried:
    """Programs run on models, each held against what a kernel of that release answered when it was recorded."""

    def __init__(self) -> None:
        self._kernels: set[str] = set()
        self._agree = True
        self._answered: set[str] = set()
        self._silent: set[str] = set()

    def on(self, release: str, scenario: Scenario) -> Outcome:
        """The outcome of the program's last call on the model of `release`."""
        ours, theirs = by_model(release, scenario), by_recording(release, scenario)
        if theirs.last is None:
            self._silent.add(release)
        else:
            self._answered.add(release)
            self._kernels.add(theirs.who.partition(",")[0])
            self._agree = self._agree and not difference(ours, theirs)
        assert ours.last is not None  # these programs have calls, and the model can make them all
        return ours.last

    @property
    def verdict(self) -> str:
        """Who was asked, and whether they agree, in a sentence."""
        if not self._kernels:
            return "Tried on the models."
        kernels = ", ".join(sorted(self._kernels))
        came = f"{'answered the same when they were' if self._agree else 'differ as'} recorded"
        if len(self._kernels) == 1:
            came = f"{'answered the same when it was' if self._agree else 'differs as'} recorded"
        missing = " Not every kernel was asked all of it." if self._answered & self._silent else ""
        return f"Tried on the models; {kernels} {came}.{missing}"


def result(last: Outcome) -> str:
    """Whether the program's last call worked, or the errno that it failed with."""
    return "✓ works" if last.errno is None else f"✕ {last.errno}"


def tried(
    caption: str, head: str, cases: Sequence[Case], series: Sequence[str], told: Callable[[Outcome], str] = result
) -> Table:
    """A row for each case and a column for each release; `told` puts the last outcome of a program into a word.

    `head` names the first column.  The verdict says whether the kernels of those releases answered as their models.
    """
    by_trying = Tried()
    rows = [
        (name, *(told(by_trying.on(release, scenario_of(tuple(calls)))) for release in series)) for name, calls in cases
    ]
    return Table(caption, (head, *(str(profile(release)) for release in series)), rows, by_trying.verdict)
