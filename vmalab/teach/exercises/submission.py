"""What a learner has given to check: a program, calls on an exercise, a function, letters, numbers.

Each function here gives what there is to judge, or the words for an answer that is none of that yet.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from attrs import frozen

from vmalab.linux.call import Call
from vmalab.machines.model import Model
from vmalab.teach.exercises.checking import Feedback, Watched, asked, no_answer, not_yet

NEEDS_MODEL = "Give check the model that you made your calls on: check(…, vm)."
MAKE_CALLS = "Make your calls, then check again."


def program_in(answer: Any, nothing: str = MAKE_CALLS, needs: str = NEEDS_MODEL) -> Model | Feedback:
    """The model, or that of a builder, on which calls were made.  `nothing`: what to say where there are none."""
    vm = getattr(answer, "model", answer)
    if not isinstance(vm, Model):
        return no_answer(needs)
    return vm if vm.history else no_answer(nothing)


def calls_in(
    answer: Any, start: Callable[[], Model], name: str, nothing: str = MAKE_CALLS, needs: str = NEEDS_MODEL
) -> list[Call] | Feedback:
    """The calls that were made on a fresh exercise `name`, whose beginning is `start()`."""
    vm = getattr(answer, "model", answer)
    if not isinstance(vm, Model):
        return no_answer(needs)
    setup = start().history
    if vm.history[: len(setup)] != setup:
        return not_yet(f'Start from a fresh exercise("{name}").')
    return vm.history[len(setup) :] or no_answer(nothing)


def numbers_in(answer: Any, count: int, asks: str, example: str) -> tuple[int, ...] | Feedback:
    """So many numbers.  `asks`: what is asked for, told to who has not answered; `example`: told to who writes else."""
    if answer is ... or answer is None:
        return no_answer(asks)
    try:
        given = tuple(int(number) for number in answer)
    except (TypeError, ValueError):
        given = ()
    return given if len(given) == count else not_yet(example)


def unsaid(value: Any) -> bool:
    """Whether a place was left as it was given: `...`, nothing, an empty text."""
    return value is ... or value is None or (isinstance(value, str) and not value.strip())


def a_number(value: Any) -> int | None:
    """The whole number that was meant by `7`, `7.0`, `"7"` or `"0x7"`; None if none was."""
    try:
        if isinstance(value, str):
            return int(value.strip().replace("_", ""), 0)
        return int(value) if value == int(value) else None
    except (TypeError, ValueError, OverflowError):
        return None


def by_name(answer: Any, how: str) -> dict[str, Any] | Feedback:
    """What was said to each of several, as `{"a": …}`, names in small letters.  `how`: told to who has not answered."""
    if not isinstance(answer, Mapping):
        return no_answer(how) if unsaid(answer) else not_yet(how)
    given = {str(name).strip().lower(): value for name, value in answer.items() if not unsaid(value)}
    return given or no_answer(how)


def letters_in(answer: Any, known: Collection[str]) -> set[str] | Feedback:
    """Letters of choices, in any form: `"cd"`, `["c", "d"]`.  `known`: those that there are."""
    if answer is ... or answer is None or answer == "":
        return no_answer('Write the letters, such as "ab".')
    try:
        given = {letter.lower() for part in answer for letter in str(part) if letter.isalpha()}
    except TypeError:
        given = set()
    if not given or given - set(known):
        return not_yet(f'Write letters from {min(known)} to {max(known)}, such as "ab".')
    return given


@frozen
class Trial:
    """One address space to try a function on.

    `about`: what it is, for words; `arguments`: what the function gets behind `vm`; `wrong`: gets what it returned, and
    says what is wrong with `vm` then.
    """

    about: str
    vm: Watched
    arguments: tuple[Any, ...]
    wrong: Callable[[Any], list[str]]


def calls_of(answer: Any, name: str, trials: Iterable[Trial]) -> int | Feedback:
    """Try a learner's function on all: how many calls it made, or what to say to the first that goes wrong."""
    if not callable(answer):
        return no_answer(f"Give check the function itself: check(…, {name}).")
    calls = 0
    for trial in trials:
        given = len(trial.vm.history)
        value, failed = asked(answer, trial.vm, *trial.arguments)
        calls += len(trial.vm.history) - given
        if not calls and not failed:
            return no_answer(f"{name} has made no call on vm yet.")
        if said := [failed] if failed else trial.wrong(value):
            return not_yet(f"{trial.about}:", *said)
    return calls
