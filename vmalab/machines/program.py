"""A program, however a lesson has it: a model with its history, calls, a scenario, or a scenario's name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vmalab.errors import UsageError
from vmalab.linux.call import CALLS, Call
from vmalab.machines.model import Model
from vmalab.programs.scenario import Scenario, named

Program = Model | Scenario | str | Iterable[Call]
"""What helpers of the lessons and widgets take for a program."""


def scenario_of(program: Program) -> Scenario:
    """The program as a scenario that any machine can run, with contents after every step.

    Calls that a model has made are taken as they stand in its history; they ran without any capability.
    Raises UsageError for anything that is no program, and for a program without calls.

    >>> from vmalab.linux.addr import PAGE, page
    >>> vm = Model("6.17"); _ = vm.mmap(page(0), PAGE)
    >>> [call.name for call in scenario_of(vm).steps]
    ['mmap']
    """
    if isinstance(program, str):
        return named(program)
    if isinstance(program, Scenario):
        return program
    unprivileged = True
    if isinstance(program, Model):
        unprivileged = not program.privileged
        calls: tuple[Any, ...] = tuple(program.history)
    else:
        given: object = program  # a learner may give anything
        calls = tuple(given) if isinstance(given, Iterable) else ()
    if not calls or not all(isinstance(call, tuple(CALLS.values())) for call in calls):
        raise UsageError("this needs a program: a model that has made calls, a list of calls, or a scenario's name")
    return Scenario("this program", calls, unprivileged=unprivileged, contents=True)
