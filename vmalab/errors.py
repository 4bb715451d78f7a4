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


class VmalabError(Exception):
    """Base of all errors that vmalab raises on purpose."""


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
