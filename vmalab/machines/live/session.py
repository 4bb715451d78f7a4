"""`Session`: a process of its own to make calls in, one by one, on this machine's kernel."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from vmalab.errors import MachineError
from vmalab.linux.call import Call
from vmalab.machines.document import outcome_from_json
from vmalab.machines.live.process import NONSENSE, Driver, DriverGone
from vmalab.machines.live.wire import wire
from vmalab.machines.outcome import Outcome, Snapshot
from vmalab.machines.validation import genuine
from vmalab.programs.calltext import call_text


class Session:
    """Calls on the live kernel, each answered before the next one is made.

    After every call flags and contents of the arena are looked at.  A call that ends the process is an outcome too:
    its errno is `"KILLED"`, the arena is empty after it, and `problem` says what happened; the next call then starts
    in a fresh process.
    """

    def __init__(
        self, new_driver: Callable[[], Driver], arena_pages: int, unprivileged: bool, time_limit: float
    ) -> None:
        self._new_driver = new_driver
        self._request = {
            "arena_pages": arena_pages,
            "unprivileged": unprivileged,
            "contents": True,
            "full": True,
            "bytes": True,
            "cpu": 3600,
            "steps": None,
        }
        self._time_limit = time_limit
        self._driver: Driver | None = None
        self._last: Outcome | None = None
        self.history: list[Call] = []
        self.problem: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.close()

    def snapshot(self) -> Snapshot:
        """The arena as the last call left it."""
        return self._last.after if self._last is not None else Snapshot()

    def do(self, call: Call) -> Outcome:
        """Make one call.

        Raises MachineError where the driver refuses to (a limit of the whole system, more memory than it may use).
        """
        before = self.snapshot()
        self.problem = None
        try:
            if self._driver is None:
                self._driver = self._start()
            self._driver.ask(wire(call), self._time_limit)
            message = self._driver.answer(self._time_limit)
            if not genuine(message):
                raise DriverGone(NONSENSE)
            if "errno" in message:
                outcome = outcome_from_json(call, message, "live", self._last)
                _ = outcome.after
                self.history.append(call)
                self._last = outcome
                return outcome
            problem = message.get("error")
            if problem is None:
                end = message.get("end")
                ended = f"ended the process by {end}" if isinstance(end, str) else "ended the process"
                raise DriverGone(str(message.get("why", ended)))
        except DriverGone as gone:
            self.problem = f"{call_text(call)}: it {gone}"
        except (KeyError, TypeError, ValueError, AttributeError):
            self.problem = f"{call_text(call)}: it {NONSENSE}"
        except BaseException:  # the keyboard, most likely: whatever it answers now, nobody waits for it
            self._drop()
            raise
        else:
            self._drop()
            raise MachineError(f"{call_text(call)}: {problem}")
        self._drop()
        return Outcome(call, None, "KILLED", machine="live", before=lambda: before)

    def _start(self) -> Driver:
        driver = self._new_driver()
        try:
            driver.ask(self._request, self._time_limit)
            hello = driver.answer(self._time_limit)
        except BaseException:
            driver.kill()
            raise
        if "ready" not in hello:
            driver.kill()
            raise MachineError(str(hello.get("error", "the live machine gave no reason")))
        return driver

    def _drop(self) -> None:
        if self._driver is not None:
            self._driver.kill()
        self._driver = None
        self._last = None
        self.history.clear()
