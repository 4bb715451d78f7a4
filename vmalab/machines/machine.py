"""`Machine`: whatever can run a scenario.  The model, the live kernel and a recording are three of them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from attrs import frozen

from vmalab.errors import UsageError, described
from vmalab.machines.outcome import Outcome, Snapshot
from vmalab.programs.scenario import Scenario


@frozen
class Played:
    """One scenario on one machine: an outcome for each step and the rows after the last one.

    `error`: one clear sentence where the machine could not run it; then `outcomes` holds what was reached and
    `final` is empty.
    """

    scenario: Scenario
    machine: str
    outcomes: tuple[Outcome, ...] = ()
    final: Snapshot = Snapshot()
    error: str | None = None


def a_scenario(given: object) -> Scenario:
    """What a machine was asked to run; UsageError where that is no scenario."""
    if not isinstance(given, Scenario):
        raise UsageError(f"a machine runs a Scenario (vmalab.load_scenarios reads them), not {described(given)}")
    return given


@runtime_checkable
class Machine(Protocol):
    """Runs scenarios.  `name` is what `--on` takes (`model:6.18`), `release` the kernel it speaks for."""

    @property
    def name(self) -> str: ...

    @property
    def release(self) -> str: ...

    def run(self, scenario: Scenario) -> Played: ...
