"""`Tried`: programs run on models and held against recordings, with one sentence about the kernels."""

from __future__ import annotations

from vmalab.answers import by_model, by_recording, difference
from vmalab.machine import Scenario
from vmalab.outcome import Outcome


class Tried:
    """Programs run on models, each held against what a kernel of that release answered when it was recorded."""

    def __init__(self) -> None:
        self._kernels: set[str] = set()
        self._agree = True

    def on(self, release: str, scenario: Scenario) -> Outcome:
        """The outcome of the program's last call on the model of `release`."""
        ours, theirs = by_model(release, scenario), by_recording(release, scenario)
        if theirs.last is not None:
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
        return f"Tried on the models; {kernels} {came}."
