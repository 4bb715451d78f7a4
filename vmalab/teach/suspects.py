"""Models with a planted fault, and the search for it: random programs on both until one is answered differently.

A fault is one named rule of `vmalab.linux.profile` turned round.  Which suspect has which is to be found out.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from html import escape
from random import Random

import attrs
from attrs import define, evolve, frozen

from vmalab.differences import live_answers
from vmalab.differences.answers import number as number_of
from vmalab.differences.compare import Comparison, Difference, compare
from vmalab.differences.display import comparison_html
from vmalab.differences.fuzz import shrink
from vmalab.differences.generate import ARENA_PAGES, random_scenario
from vmalab.differences.say import say_difference
from vmalab.errors import ProfileError, UsageError, described
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Call, Mmap, Mremap, Munmap, Touch
from vmalab.linux.flags import MREMAP_FIXED, MREMAP_MAYMOVE
from vmalab.linux.profile import KernelProfile, behaviours, profile
from vmalab.machines.machine import Machine, Played
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome
from vmalab.machines.program import Program, scenario_of
from vmalab.pictures.card import card, within
from vmalab.pictures.table import Table
from vmalab.programs.calltext import call_text, result_text
from vmalab.programs.scenario import Scenario
from vmalab.teach.evidence import agreement_table

RIGHT = "6.18"
"""The release that the suspects follow in everything but one rule."""

FAULTS = (
    "eligibility_checked_late",
    "read_only_drops_account",
    "dontunmap_stays_apart",
    "order_of_6_17",
    "dontunmap_loses_account",
    "multi_vma_move",
    "target_range_always_checked",
    "guard_regions_in_files",
    "dontunmap_splits_locked",
)
"""The rules of which one is turned round in each suspect, by its number.  Random programs find each of them."""

MOST_PROGRAMS = 2000


@frozen
class _Suspected(KernelProfile):
    """A profile that goes by another name than "Linux"."""

    def __str__(self) -> str:
        return self.release


def fault_of(number: int) -> str:
    """The rule that is turned round in suspect `number`.  Raises UsageError for what is no number from 1 on."""
    given: object = number  # a learner may give anything
    if not isinstance(given, int) or not 1 <= given < 1 << 64:
        raise UsageError(f"suspects are numbered from 1 on, and {described(number)} is no such number")
    return FAULTS[(number - 1) % len(FAULTS)]


def suspect(number: int) -> Model:
    """An empty process of suspect `number`: a model of Linux 6.18 in which one rule is turned round.

    >>> suspect(1)
    <Model of suspect 1: 0 VMAs after 0 calls>
    """
    return Model(turned(fault_of(number), f"suspect {number}"))


def turned(rule: str, name: str, right: str = RIGHT) -> KernelProfile:
    """The profile of `right` with `rule` turned round, called `name`; UsageError for a rule that there is not."""
    known = [one.name for one in behaviours()]
    if rule not in known:
        raise UsageError(f"there is no rule {rule!r}: the rules are {', '.join(known)}")
    held = attrs.asdict(profile(right), recurse=False)
    return _Suspected(**{**held, "release": name, rule: not held[rule]})


# --- programs ------------------------------------------------------------------------------------------------


def random_program(seed: int, number: int = 0) -> Scenario:
    """The random program that a seed and a number name: the same on every machine."""
    return random_scenario(f"{seed}/{number}")


def blind_program(seed: int, number: int = 0) -> Scenario:
    """As `random_program`, but every address is any page of the arena: nobody looks where something is mapped."""
    rng = Random(f"blind/{seed}/{number}")
    calls = tuple(_blind(rng) for _ in range(14))
    return Scenario(f"blind/{seed}/{number}", calls, ARENA_PAGES, unprivileged=True)


def _blind(rng: Random) -> Call:
    start, length = page(rng.randrange(ARENA_PAGES - 16)), rng.randrange(1, 9) * PAGE
    kind = rng.randrange(4)
    if kind == 0:
        return Mmap(start, length, rng.choice((1, 3)))
    if kind == 1:
        return Touch(start, length)
    if kind == 2:
        return Munmap(start, length)
    return Mremap(start, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, page(rng.randrange(ARENA_PAGES - 16)))


def calls_of(program: Program, release: str = RIGHT) -> Table:
    """The calls of a program and what the model of `release` answers to each."""
    scenario = scenario_of(program)
    outcomes = Model(release, trace=False).run(scenario).outcomes
    rows = [
        (number, call_text(one.call), result_text(one.call, one.value, one.errno))
        for number, one in enumerate(outcomes, 1)
    ]
    return Table(f"The program {scenario.name}", ("step", "call", f"Linux {release} answers"), rows)


# --- the search ----------------------------------------------------------------------------------------------


@frozen
class Pair:
    """Two machines to hold together, and what they are called."""

    machines: tuple[Machine, Machine]
    names: tuple[str, str]

    def first(self, scenario: Scenario) -> Difference | None:
        """What both answer differently first in a program."""
        a, b = (machine.run(scenario) for machine in self.machines)
        return compare(a, b).first

    def told(self, scenario: Scenario) -> Comparison:
        """The program up to the first difference, with the steps of those who tell them."""
        first = self.first(scenario)
        shown = evolve(scenario, steps=scenario.steps[: first.step if first is not None else None])
        return compare(*map(self._told, self.machines, self.names, (shown, shown)))

    @staticmethod
    def _told(machine: Machine, name: str, scenario: Scenario) -> Played:
        if isinstance(machine, Model):
            machine = Model(machine.profile)
        played = machine.run(scenario)
        for outcome in played.outcomes:
            outcome.machine = name
        return evolve(played, machine=name)

    def search(self, programs: Iterable[Scenario]) -> Hunt:
        """Run programs on both until one is answered differently."""
        tried = calls = 0
        for scenario in programs:
            tried, calls = tried + 1, calls + len(scenario.steps)
            if self.first(scenario) is not None:
                return Hunt(self, tried, calls, scenario)
        return Hunt(self, tried, calls)


@define(eq=False, slots=False, repr=False)
class Hunt:
    """What a search has found: the first program that both answer differently, or None where there was none.

    `programs`, `calls`: how many were tried; `small`: the program was shrunk.  Shows itself as the program up to the
    first difference, with pictures.
    """

    pair: Pair
    programs: int
    calls: int
    program: Scenario | None = None
    small: bool = False

    @cached_property
    def comparison(self) -> Comparison | None:
        """The program up to the first difference on both, or None."""
        return None if self.program is None else self.pair.told(self.program)

    def shrunk(self) -> Hunt:
        """The smallest program found that still shows a difference: calls left out, the others made plainer.

        Raises UsageError where none was found in the first place.
        """
        if self.program is None:
            raise UsageError("no program was found on which the two differ, so there is none to make small")
        smallest = shrink(self.program, lambda one: self.pair.first(one) is not None)
        return Hunt(self.pair, self.programs, self.calls, smallest, small=True)

    @property
    def words(self) -> str:
        """What was found, in a sentence or two."""
        a, b = self.pair.names
        if self.program is None or self.comparison is None or self.comparison.first is None:
            return f"{a} and {b} answer {self.programs} programs alike, {self.calls} calls in all."
        count = len(self.program.steps)
        calls = "one call" if count == 1 else f"{count} calls"
        has = f"made small, it has {calls}" if self.small else f"it has {calls}"
        return f"{a} and {b} differ on program {self.programs}; {has}. {say_difference(self.comparison.first, a, b)}"

    def __repr__(self) -> str:
        steps = self.comparison.steps if self.comparison is not None else ()
        lines = [f"  {call_text(one.call)}: {_told(one.a)} | {_told(one.b)}" for one in steps]
        return "\n".join([self.words, *lines])

    def _repr_html_(self) -> str:
        told = card(f"<p>{escape(self.words)}</p>", what="what was found")
        return told if self.comparison is None else told + within(comparison_html(self.comparison))


def _told(outcome: Outcome | None) -> str:
    return "did not come so far" if outcome is None else result_text(outcome.call, outcome.value, outcome.errno)


def hunt(other: Model | str, right: str = RIGHT, *, seed: int = 1, programs: int = 400, blind: bool = False) -> Hunt:
    """Run random programs on the model of `right` and on `other` until one is answered differently.

    `other`: a suspect, or a release.  `seed`: which programs; `programs`: how many at most.  `blind`: programs that do
    not look where something is mapped.  A thousand programs take a few seconds.
    """
    followed = other.profile if isinstance(other, Model) else profile(other)
    machines = Model(right, trace=False), Model(followed, trace=False)
    make = blind_program if blind else random_program
    pair = Pair(machines, (str(machines[0].profile), str(followed)))
    return pair.search(make(seed, number) for number in range(_few(programs)))


def _few(programs: int) -> int:
    given: object = programs  # a learner may give anything
    if not isinstance(given, int) or not 1 <= given <= MOST_PROGRAMS:
        raise UsageError(f"programs is a number from 1 to {MOST_PROGRAMS}, not {described(programs)}")
    return programs


def hunt_here(*, seed: int = 1, programs: int = 100) -> Hunt | Table:
    """The same against this machine's kernel, with the model of its own release.

    Where no kernel answers, or no model follows it, that is said, and the recordings stand in: `agreement_table`.
    """
    reason = live_answers.why_unavailable()
    if reason is None:
        kernel = live_answers.live()
        try:
            followed = profile(kernel.release)
        except ProfileError as error:
            reason = str(error)
        else:
            pair = Pair(
                (Model(followed, trace=False), kernel),
                (f"The model of Linux {number_of(kernel.release)}", "this machine's kernel"),
            )
            made = (random_program(seed, number) for number in range(_few(programs)))
            return pair.search(one for one in made if live_answers.danger(one, kernel.release) is None)
    return agreement_table(said=f"No random programs here: {reason}. Instead you see how the model does on recordings.")
