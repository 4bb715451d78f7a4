"""The machines that can run a scenario: a model of a kernel release, this machine's kernel, a recording of another.

    model.py     `Model`: computes what a release would do
    live/        `Live`: makes the calls in a process of their own
    recorded.py  `Recorded`: looks the answers up

`machine_from_name` makes one from the name that the command line takes.  Each is imported only when it is asked for.
"""

from __future__ import annotations

from vmalab.errors import UsageError
from vmalab.machines.machine import Machine

NAMES = "model:RELEASE, live or recorded:RELEASE"


def machine_from_name(name: str, *, trace: bool = True) -> Machine:
    """The machine called `name`: `"model:6.17"`, `"model:v3"`, `"live"`, `"recorded:6.16.12"`.

    `trace` False lets a model leave out its steps, which is faster where only results are wanted.

    Raises UsageError for a name that is none, and what the machine raises where it can't be had (ProfileError,
    LiveUnavailable, RecordingError).
    """
    kind, colon, release = name.partition(":")
    if kind == "live" and not colon:
        from vmalab.machines.live import Live

        return Live()
    if kind == "model" and release:
        from vmalab.machines.model import Model

        return Model(release, trace=trace)
    if kind == "recorded" and release:
        from vmalab.machines.recorded import Recorded

        return Recorded(release)
    raise UsageError(f"there is no machine {name!r}: it is {NAMES}, such as model:6.18")


__all__ = ["NAMES", "machine_from_name"]
