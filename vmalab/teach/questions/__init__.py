"""The questions that lessons ask before they show: `find("04-gap")` gives one.

Each lesson's questions stand in a file of their own here.  Lessons that are not ours bring theirs with `add_questions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module

from vmalab.errors import UsageError
from vmalab.teach.questions.question import Choice, MultipleChoice

__all__ = ["Choice", "MultipleChoice", "add_questions", "find", "of_lesson"]

OURS = tuple(f"{number:02}" for number in range(11))
"""The lessons of the course."""

_added: dict[str, MultipleChoice] = {}


@cache
def _of_ours(lesson: str) -> Mapping[str, MultipleChoice]:
    found = import_module(f"vmalab.teach.questions.lesson{lesson}").QUESTIONS
    return {one.name: one for one in found}


def add_questions(*questions: MultipleChoice) -> None:
    """Make questions known by their names; one of the same name is replaced.  The course's own can't be."""
    for one in questions:
        if one.lesson in OURS:
            raise UsageError(f"{one.name}: questions that begin with {one.lesson}- are those of the course's lesson")
        _added[one.name] = one


def of_lesson(lesson: str) -> tuple[MultipleChoice, ...]:
    """The questions of a lesson (`"04"`, or what others' names begin with), in the lesson's order; maybe none."""
    if lesson in OURS:
        return tuple(_of_ours(lesson).values())
    return tuple(one for one in _added.values() if one.lesson == lesson)


def find(name: str) -> MultipleChoice:
    """The question called `name`; UsageError that lists what there is in that lesson, or which lessons there are."""
    lesson = str(name).partition("-")[0]
    there = {one.name: one for one in of_lesson(lesson)}
    if name in there:
        return there[name]
    known = ", ".join(there) or f"lessons with questions: {', '.join(_known(()))}"
    raise UsageError(f"there is no question {name!r}: there are {known}")


def _known(more: Iterable[str]) -> list[str]:
    return [*OURS, *dict.fromkeys(one.lesson for one in _added.values()), *more]
