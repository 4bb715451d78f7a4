"""The exceptions of vmalab.  A system call that fails is not one of them: it is an `Outcome` with an errno.

VmalabError             everything below; its text is one clear sentence for a person
├── ScenarioError       a scenario that cannot be understood; names the scenario, the step and the key
├── RecordingError      a recording that is missing or malformed
├── ProfileError        a kernel release that no profile describes
├── NotModelled         a call or argument that the model refuses to guess at
├── MachineError        a machine that cannot run what it was asked to
│   └── LiveUnavailable the live machine is switched off, or this system is not Linux
└── UsageError          a Python argument of the wrong type or range
"""

from __future__ import annotations

from traceback import walk_tb


class VmalabError(Exception):
    """Base of all errors that vmalab raises on purpose.  In a notebook it shows itself as one line."""

    def _render_traceback_(self) -> list[str]:
        """What IPython prints: the sentence, and which line of the cell led to it."""
        lines = [line for frame, line in walk_tb(self.__traceback__) if frame.f_code.co_name == "<module>"]
        where = f" (line {lines[0]} of the cell)" if lines else ""
        return [f"{type(self).__name__}: {self}{where}"]


class ScenarioError(VmalabError):
    """A scenario that cannot be understood."""


class RecordingError(VmalabError):
    """A recording that is missing or malformed."""


class ProfileError(VmalabError):
    """A kernel release that no profile describes."""


class NotModelled(VmalabError):
    """A call or argument that the model refuses to guess at."""


class MachineError(VmalabError):
    """A machine that cannot run what it was asked to."""


class LiveUnavailable(MachineError):
    """The live machine is switched off, or this system is not Linux."""


class UsageError(VmalabError, ValueError):
    """A Python argument of the wrong type or range."""


def described(value: object) -> str:
    """A value as a message names it: short, on one line."""
    try:
        text = " ".join(repr(value).split())
    except Exception:
        text = ""
    return text if 0 < len(text) <= 60 else _kind(value)


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
