"""What a belief looks at and what it says: `Case` and `Expectation`."""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen

from vmalab.linux.call import Call
from vmalab.machines.model import Model
from vmalab.machines.outcome import Outcome, Snapshot
from vmalab.teach.misconceptions.layouts import Rows


@frozen
class Expectation:
    """What somebody expects of a call: errno (None: success), return value (byte address or 0), the VMAs after it."""

    errno: str | None
    value: int | None
    rows: Snapshot


@frozen
class Case:
    """A call that is looked at: the model before it, the call, what really happens."""

    model: Model
    call: Call
    real: Outcome
    before: Rows = field(init=False)
    after: Rows = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "before", self.real.before.rows)
        object.__setattr__(self, "after", self.real.after.rows)

    def refused(self, errno: str) -> Expectation:
        """It fails, and nothing changes."""
        return Expectation(errno, None, Snapshot(self.before))

    def gives(self, rows: Rows, value: int | None = None) -> Expectation:
        """It succeeds, and that is what is mapped then."""
        return Expectation(None, self.real.value if value is None else value, Snapshot(rows))


Belief = Callable[[Case], Expectation | None]
