"""What checks of an exercise are made of: words for an address space, and a model for a learner's code to work on.

A check looks at what an answer does, never at how it is written, so any correct solution passes; what is wrong is said
in terms of the address space, with the idea behind it where one is known.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from vmalab.errors import UsageError, VmalabError
from vmalab.linux.addr import ARENA_BASE, PAGE
from vmalab.linux.call import Call
from vmalab.linux.profile import KernelProfile
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Row, Snapshot
from vmalab.programs.calltext import vma_text
from vmalab.teach.feedback import Feedback, no_answer, not_yet, solved

MOST_CALLS = 500
"""So many calls a learner's function may make."""

MOST_SECONDS = 10
"""So long it may work, in seconds of processor time."""


# --- reading an address space --------------------------------------------------------------------------------


def pages_of(snapshot: Snapshot) -> dict[int, tuple[str, str | None, int | None]]:
    """Every mapped page of the arena: number → permissions, backing, and its first 64 bits if it is present.

    Two address spaces that differ only in how VMAs are cut give the same.  O(pages).
    """
    found: dict[int, tuple[str, str | None, int | None]] = {}
    for row in snapshot:
        words = row.contents()
        first = (row.start - ARENA_BASE) // PAGE
        for index in range(row.pages):
            found[first + index] = (row.perms, row.backing, words.get(index))
    return found


def backed(snapshot: Snapshot, name: str) -> set[int]:
    """The pages that are mapped from the file called `name`."""
    return {number for number, (_, backing, _) in pages_of(snapshot).items() if backing == name}


def spelled(row: Row) -> str:
    """A VMA as exercises spell it: `[65 to 67 rw]`."""
    return vma_text(row.start, row.end, letters(row.perms))


def letters(perms: str) -> str:
    """Permissions without dashes and without p or s: `rw-p` → `rw`."""
    return "".join(letter for letter in perms if letter in "rwx")


def listed(numbers: Sequence[int] | set[int]) -> str:
    """Page numbers for a person: `page 66`, `pages 66 and 67`, `pages 1, 2 and 3`."""
    words = [str(number) for number in sorted(numbers)]
    return f"{'page' if len(words) == 1 else 'pages'} {enumerated(words)}"


def enumerated(words: Sequence[str]) -> str:
    """Several things in a sentence: `a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


# --- running a learner's code --------------------------------------------------------------------------------


class TooManyCalls(VmalabError):
    """A learner's function made more calls than any solution needs."""


class Watched(Model):
    """A model that remembers its outcomes and stops code that never ends."""

    def __init__(self, release: str | KernelProfile, *, privileged: bool = False) -> None:
        super().__init__(release, privileged=privileged)
        self.outcomes: list[Outcome] = []

    def do(self, call: Call) -> Outcome:
        if len(self.history) >= MOST_CALLS:
            raise TooManyCalls(f"it made more than {MOST_CALLS} calls: does its loop end?")
        outcome = super().do(call)
        self.outcomes.append(outcome)
        return outcome


class NoEnd(BaseException):
    """A learner's function does not come back; no `except Exception` in it may take this for one of its own."""


@contextmanager
def limited() -> Iterator[None]:
    """Raise NoEnd in what takes longer than `MOST_SECONDS`; where a program can't be told of that, it may go on."""

    def stop(number: int, frame: object) -> None:
        raise NoEnd

    try:
        before = signal.signal(signal.SIGVTALRM, stop)
    except (AttributeError, ValueError):  # no such signal on this system, or a thread other than the first one
        yield
        return
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS, 1)  # and again each second, should it be caught all the same
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def ran(function: Callable[..., Any], *arguments: Any) -> str:
    """Call a learner's function; `""`, or in words what went wrong in it."""
    return asked(function, *arguments)[1]


def asked(function: Callable[..., Any], *arguments: Any) -> tuple[Any, str]:
    """Call a learner's function: what it returned, and `""` or in words what went wrong in it."""
    try:
        with limited():
            return function(*arguments), ""
    except NoEnd:
        return None, f"it has worked for {MOST_SECONDS} seconds without an end: does its loop end?"
    except TooManyCalls as error:
        return None, str(error)
    except UsageError as error:
        return None, f"one of its calls can't be made: {error}"
    except (Exception, SystemExit) as error:  # whatever a learner's code raises is an answer to talk about
        line = _line(function, error)
        where = f" in its line {line}" if line else ""
        return None, f"it ended with {type(error).__name__}{where}: {_text(error)}".removesuffix(": ")


def _text(error: BaseException) -> str:
    """What an exception says of itself, if it can."""
    try:
        return str(error)
    except Exception:
        return ""


def _line(function: Callable[..., Any], error: BaseException) -> int:
    """The line of a learner's function in which it failed, counted from its first; 0 if that is not known.

    Where the function runs in another process, the error tells: its `line`.
    """
    at = error.__traceback__.tb_next if error.__traceback__ else None
    code = getattr(function, "__code__", None)
    return at.tb_lineno - code.co_firstlineno + 1 if at and code else getattr(error, "line", 0)


__all__ = [
    "Feedback", "TooManyCalls", "Watched", "backed", "enumerated", "letters", "listed", "no_answer",
    "not_yet", "pages_of", "ran", "solved", "spelled",
]  # fmt: skip
