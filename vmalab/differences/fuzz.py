"""Differential fuzzing: random programs on the model and on another machine, and the smallest one that differs.

`hunt` runs programs on all cores; a seed and a number name a program, so every run can be repeated, in part too.
`shrink` looks for the smallest program that still shows a difference, with hypothesis.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from attrs import define, evolve, field, fields, frozen

from vmalab.differences.compare import compare
from vmalab.differences.generate import THEMES, random_scenario
from vmalab.errors import MachineError, VmalabError
from vmalab.linux.addr import PAGE
from vmalab.linux.call import Call, Madvise, Mmap, Mremap, Touch
from vmalab.machines import machine_from_name
from vmalab.machines.executors import executor, in_order
from vmalab.machines.live.settings import held_together
from vmalab.machines.machine import Machine
from vmalab.machines.model import Model
from vmalab.machines.recorded import Recorded
from vmalab.programs.scenario import Scenario

CHUNK = 50
"""Programs that a worker runs before it reports."""


@frozen
class Found:
    """A program on which the two machines differ: its number, itself, and the first difference in words."""

    number: int
    scenario: Scenario
    difference: str


@define
class Tally:
    """What has been run so far.  `steps` counts calls; `behaviours` the kinds of step that the model took."""

    programs: int = 0
    steps: int = 0
    behaviours: set[str] = field(factory=set)
    found: list[Found] = field(factory=list)


def first_difference(model: Machine, other: Machine, scenario: Scenario) -> str | None:
    """What differs first between the two machines' answers, or None.

    Raises MachineError where one of them could not run the program at all: that is no difference of the kernels.
    """
    model, other = held_together(model, other)
    a, b = model.run(scenario), other.run(scenario)
    for played in (a, b):
        if played.error is not None:
            raise MachineError(f"{played.machine} could not run {scenario.name}: {played.error}")
    difference = compare(a, b).first
    return None if difference is None else str(difference)


_machines = threading.local()


def _machine(name: str) -> Machine:
    """This thread's machine of that name; a live machine is a process that is worth keeping."""
    made: dict[str, Machine] = _machines.__dict__
    if name not in made:
        made[name] = machine_from_name(name)
    return made[name]


def program(other: Machine, seed: int, number: int) -> Scenario:
    """The program that a seed and a number name; a recording only knows its own, whatever the seed."""
    if isinstance(other, Recorded):
        return other.scenarios[number]
    return random_scenario(f"{seed}/{number}", themes=THEMES)


def most_programs(name: str) -> int | None:
    """How many different programs the machine called `name` can be asked; None for "any number"."""
    machine = _machine(name)
    return len(machine.scenarios) if isinstance(machine, Recorded) else None


def run_chunk(job: tuple[str, str, int, Sequence[int]]) -> Tally:
    """Run the programs `seed`/number on both machines; the work of one process.  Picklable in and out."""
    model_name, other_name, seed, numbers = job
    model, other = _machine(model_name), _machine(other_name)
    tally = Tally()
    for number in numbers:
        scenario = program(other, seed, number)
        tally.programs += 1
        tally.steps += len(scenario.steps)
        difference = first_difference(model, other, scenario)
        if difference is not None:
            tally.found.append(Found(number, scenario, difference))
        elif isinstance(model, Model) and number % 10 == 0:
            outcomes = model.run(scenario).outcomes
            tally.behaviours |= {f"{step.func}: {step.key}" for outcome in outcomes for step in outcome.steps}
    return tally


def hunt(
    model: str,
    other: str,
    *,
    seed: int,
    programs: int | None = None,
    jobs: int | None = None,
    cluster: str | None = None,
) -> Iterator[Tally]:
    """Run random programs on `model` and `other` (machine names) and yield the running total after each chunk.

    `programs` None goes on until the caller stops; `jobs` processes, all cores by default; `cluster`: a Dask scheduler
    whose workers run them instead.  It ends after the chunk in which a difference was found.
    """
    _machine(model)
    _machine(other)
    total = Tally()
    work = ((model, other, seed, numbers) for numbers in _chunks(programs))
    if jobs == 1 and cluster is None:
        yield from _totals(total, map(run_chunk, work))
        return
    with executor(jobs, cluster) as (pool, at_once):
        yield from _totals(total, in_order(pool, run_chunk, work, at_once))


def _chunks(programs: int | None) -> Iterator[range]:
    starts = count(0, CHUNK) if programs is None else range(0, programs, CHUNK)
    for start in starts:
        yield range(start, start + CHUNK if programs is None else min(start + CHUNK, programs))


def _totals(total: Tally, parts: Iterator[Tally]) -> Iterator[Tally]:
    for part in parts:
        total.programs += part.programs
        total.steps += part.steps
        total.behaviours |= part.behaviours
        total.found += part.found
        yield total
        if total.found:
            return


# --- shrinking -----------------------------------------------------------------------------------------------


def simpler(call: Call) -> list[Call]:
    """Simpler calls to try instead of `call`, simplest first: one argument each brought to its plainest value."""
    variants: list[Call] = []

    def attempt(**changes: Any) -> None:
        if any(getattr(call, name) != value for name, value in changes.items()):
            variants.append(evolve(call, **changes))

    if isinstance(call, Mmap):
        attempt(length=PAGE)
        attempt(kind="anon", file="f0", pgoff=0)
        for attribute in fields(Mmap):
            if attribute.name not in ("addr", "length", "kind", "fixed"):
                attempt(**{attribute.name: attribute.default})
    elif isinstance(call, Mremap):
        attempt(old_len=PAGE, new_len=PAGE)
        attempt(new_len=call.old_len)
    elif isinstance(call, Touch):
        attempt(value=None)
        attempt(length=PAGE)
    elif isinstance(call, Madvise):
        attempt(advice="normal")
        attempt(length=PAGE)
    elif hasattr(call, "length"):
        attempt(length=PAGE)
    return variants


def shrink(scenario: Scenario, differs: Callable[[Scenario], bool], *, tries: int = 400) -> Scenario:
    """The smallest program found that still `differs`; `scenario` itself if nothing smaller does.

    Each step of the program is a number for hypothesis: 0 leaves the step out, small numbers choose a simpler call,
    anything larger keeps it.  Hypothesis makes numbers smaller, and so the program.
    """
    from hypothesis import HealthCheck, Phase, find, settings
    from hypothesis import strategies as st
    from hypothesis.errors import NoSuchExample

    options = settings(
        max_examples=tries, database=None, deadline=None, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip

    def smaller(scenario: Scenario) -> Scenario:
        choices: list[list[Call | None]] = [[None, *simpler(call), call] for call in scenario.steps]
        picks = find(
            st.tuples(*[st.integers(0, 255)] * len(choices)),
            lambda picks: differs(_picked(scenario, choices, picks)),
            settings=options,
            random=Random(0),
        )
        return _picked(scenario, choices, picks)

    with _no_folder_of_hypothesis():
        try:
            while (found := smaller(scenario)).steps != scenario.steps:
                scenario = found
        except NoSuchExample:
            pass  # it does not differ every time: then it stays as it was found
    return scenario


@contextmanager
def _no_folder_of_hypothesis() -> Iterator[None]:
    """Hypothesis keeps things in a folder `.hypothesis` where it runs, such as beside notebooks: not now."""
    from hypothesis.configuration import set_hypothesis_home_dir

    with TemporaryDirectory() as folder:
        set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)


def _picked(scenario: Scenario, choices: Sequence[Sequence[Call | None]], picks: Sequence[int]) -> Scenario:
    """The program that hypothesis's numbers stand for."""
    steps = [options[min(pick, len(options) - 1)] for pick, options in zip(picks, choices, strict=True)]
    return evolve(scenario, steps=tuple(call for call in steps if call is not None))


def still_differs(model: str, other: str) -> Callable[[Scenario], bool]:
    """A test for `shrink`: whether the two machines (by name) disagree on a program."""

    def differs(scenario: Scenario) -> bool:
        try:
            return first_difference(_machine(model), _machine(other), scenario) is not None
        except VmalabError:
            return False

    return differs
