"""The exercises of the lessons: `exercise(name)` gives where to start from, `check(name, answer)` says what is to say.

A name is the lesson's and the exercise's: `"4.2"`.  All come in by one door, `register`: ours from the table
`EXERCISES` of each lesson's file here, those of other people's lessons by `checks`, in a module that the lesson
imports.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from random import Random
from typing import Any

from attrs import frozen

from vmalab.errors import UsageError
from vmalab.machines.model import Model
from vmalab.teach.exercises.checking import Feedback


@frozen
class Exercise:
    """`start` makes the address space to begin with; `check` looks at an answer.

    `unseen`: where an answer is a function, tries it on cases that are drawn afresh: what a class is graded with.
    """

    start: Callable[[], Model]
    check: Callable[[Any], Feedback]
    unseen: Callable[[Any, Random], Feedback] | None = None


_registered: dict[str, Exercise] = {}


def register(name: str, one: Exercise) -> None:
    """Make an exercise known by its name; one of the same name is replaced, but never one of the course."""
    if not re.fullmatch(r"[0-9a-z_-]+\.[0-9]+", name):
        raise UsageError(f"an exercise's name is a lesson and a number, such as 'madvise.1', not {name!r}")
    if name.partition(".")[0].isdecimal() and one.check.__module__.partition(".")[0] != "vmalab":
        raise UsageError(f"{name}: exercises that begin with a number are the course's; take your lesson's name")
    _registered[name] = one


def checks(
    name: str,
    start: Callable[[], Model] = lambda: Model("6.18"),
    unseen: Callable[[Any, Random], Feedback] | None = None,
) -> Callable[[Callable[[Any], Feedback]], Callable[[Any], Feedback]]:
    """Decorator of the function that looks at answers to exercise `name`: gives `solved`, `not_yet` or `no_answer`.

    `start`: makes what `exercise(name)` gives; an empty process if not given.  `unseen`: as in `Exercise`.
    """

    def known(check: Callable[[Any], Feedback]) -> Callable[[Any], Feedback]:
        register(name, Exercise(start, check, unseen))
        return check

    return known


@cache
def _ours() -> None:
    for module in iter_modules(__path__):
        if found := re.fullmatch(r"lesson([0-9]+)", module.name):
            for number, parts in import_module(f"{__name__}.{module.name}").EXERCISES.items():
                register(f"{int(found[1])}.{number}", Exercise(*parts))


def find(name: str) -> Exercise:
    """The exercise called `name`; UsageError that lists what there is."""
    found = exercises()
    if name not in found:
        raise UsageError(f"there is no exercise {name!r}: there are {', '.join(found)}")
    return found[name]


def exercises() -> Mapping[str, Exercise]:
    """All of them by name."""
    _ours()
    return _registered


def exercise(name: str) -> Model:
    """A fresh model to start an exercise from."""
    return find(name).start()


def check(name: str, answer: Any) -> Feedback:
    """What there is to say to an answer: whether it is right, and if not, what to look at again."""
    return find(name).check(answer)
