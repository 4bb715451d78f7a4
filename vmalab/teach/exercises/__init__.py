"""The exercises of the lessons: `exercise(name)` gives where to start from, `check(name, answer)` says what is to say.

A name is the lesson's number and the exercise's: `"4.2"`.  Each lesson's file has a table `EXERCISES`; to add an
exercise, add a line there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from random import Random
from typing import Any

from attrs import frozen

from vmalab.errors import UsageError
from vmalab.machines.model import Model
from vmalab.teach.exercises.checking import Feedback

LESSONS = {str(number): f"lesson{number:02}" for number in range(11)}
"""The lessons that have exercises, and their files."""


@frozen
class Exercise:
    """`start` makes the address space to begin with; `check` looks at an answer.

    `unseen`: where an answer is a function, tries it on cases that are drawn afresh: what a class is graded with.
    """

    start: Callable[[], Model]
    check: Callable[[Any], Feedback]
    unseen: Callable[[Any, Random], Feedback] | None = None


def find(name: str) -> Exercise:
    """The exercise called `name`; UsageError that lists what there is."""
    found = exercises()
    if name not in found:
        raise UsageError(f"there is no exercise {name!r}: there are {', '.join(found)}")
    return found[name]


def exercises() -> Mapping[str, Exercise]:
    """All of them by name."""
    return {
        f"{lesson}.{number}": Exercise(*parts)
        for lesson, home in LESSONS.items()
        for number, parts in import_module(f"vmalab.teach.exercises.{home}").EXERCISES.items()
    }


def exercise(name: str) -> Model:
    """A fresh model to start an exercise from."""
    return find(name).start()


def check(name: str, answer: Any) -> Feedback:
    """What there is to say to an answer: whether it is right, and if not, what to look at again."""
    return find(name).check(answer)
