"""`Live`: the kernel of this machine.  Scenarios run in a process of their own, and a crash there is an answer.

The calls themselves are made by the driver (`driver/`); here its answers become outcomes.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from attrs import evolve

from vmalab.errors import LiveUnavailable, MachineError
from vmalab.linux.call import Call, Limit
from vmalab.machines.document import outcomes_from_json, rows_from_json
from vmalab.machines.live.availability import Abilities, abilities, why_unavailable
from vmalab.machines.live.driver import REFUSAL
from vmalab.machines.live.process import NONSENSE, Driver, DriverGone
from vmalab.machines.live.session import Session
from vmalab.machines.live.wire import wire
from vmalab.machines.machine import Played, a_scenario
from vmalab.machines.outcome import Snapshot
from vmalab.machines.validation import genuine
from vmalab.programs.calltext import call_text
from vmalab.programs.scenario import Scenario

MOST_MOMENTS = 1000
"""Of a demonstration: more than that come from one that has gone astray."""
MEASURING = 600
"""Seconds of processor time that a measurement may take."""
TIME_LIMIT = 10.0
"""Seconds that one call may take."""


class Live:
    """The kernel that this program runs on.

    Every scenario starts from an empty arena in a fresh process, which may crash, hang or be killed without harm to
    this one.  `time_limit`: seconds that one call may take.  `fresh`: never let two scenarios share a process, not
    even where the first one provably left nothing behind (about three times slower).

    Raises LiveUnavailable where there is no such machine (`VMALAB_LIVE=off`, not Linux, not 64-bit x86).
    """

    name = "live"

    def __init__(self, *, time_limit: float = TIME_LIMIT, fresh: bool = False) -> None:
        if reason := why_unavailable():
            raise LiveUnavailable(reason)
        self.time_limit = time_limit
        self.fresh = fresh
        self._lock = threading.Lock()
        self._drivers: dict[bool, Driver] = {}
        self._finalizer = weakref.finalize(self, _close, self._drivers)

    @property
    def release(self) -> str:
        """The release that the kernel gives itself."""
        return os.uname().release

    def __repr__(self) -> str:
        return f"<Live: Linux {self.release}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the processes behind it.  The next call starts new ones."""
        with self._lock:
            _close(self._drivers)

    # --- running

    def run(self, scenario: Scenario) -> Played:
        """Run `scenario` and say what each call did.

        A process that crashed, hung or was killed gives a `Played` whose `error` names the call, with the outcomes
        of the calls before it.
        """
        return self._play(scenario, full=False)

    def play(self, calls: Iterable[Call], *, unprivileged: bool = False, arena_pages: int = 4096) -> Played:
        """Make `calls` (a model's `history`) on this kernel, and look at flags and contents after each."""
        scenario = Scenario("played", tuple(calls), arena_pages, unprivileged, contents=True)
        return self._play(scenario, full=True)

    def session(self, *, unprivileged: bool = False, arena_pages: int = 4096) -> Session:
        """A process to make calls in one by one: `with Live().session() as s: s.do(call)`."""
        return Session(lambda: self._new_driver(unprivileged), arena_pages, unprivileged, self.time_limit)

    def demo(self, name: str) -> list[dict[str, Any]]:
        """Run a demonstration of `driver/demos.py`; its moments as it tells them.  Raises MachineError if it can't."""
        return self._moments(f"the demonstration {name!r}", {"demo": name, "cpu": max(1, round(self.time_limit))})

    def measure(self, plan: dict[str, Any]) -> list[dict[str, Any]]:
        """Time the cases of `plan` (`driver/measure.py` has its shape); one line for each round.

        Raises MachineError if it can't.  A round has to be over within the time limit.
        """
        return self._moments("the measurement", {"demo": "measure", "plan": plan, "cpu": MEASURING})

    def headroom(self, limit: int) -> dict[str, str | None]:
        """What mremap answers in a process that is nearly full of VMAs, vm.max_map_count being `limit`.

        `"nothing"`: errno of a call that does nothing, 3 below the limit; `"dontunmap"`: of a MREMAP_DONTUNMAP, 4
        below.  Raises MachineError if it can't be tried.
        """
        (told,) = self._moments("filling a process with VMAs", {"demo": "headroom", "limit": limit, "cpu": 20})
        numbers: dict[str, str | None] = told["numbers"]
        return numbers

    def _moments(self, what: str, request: dict[str, Any]) -> list[dict[str, Any]]:
        with self._lock:
            answers = self._ask(request | {"unprivileged": True})
        if answers.error or answers.ended:
            raise MachineError(f"{what} stopped: {answers.error or f'it {answers.ended}'}")
        return answers.moments

    def abilities(self) -> Abilities:
        """What this kernel can do, found out by trying."""
        found = abilities(self.release, self.run)
        return evolve(found, notes={**found.notes, **self.missing()})

    def missing(self) -> dict[str, str]:
        """What this system lacks of what the live machine uses, with a sentence for each.

        `"sandbox"`: system calls can't be taken away from the process that makes the calls (docs/threat-model.md);
        `"pages"`: no contents of pages are known.
        """
        with self._lock:
            return dict(self._driver(False).missing)

    def _play(self, scenario: Scenario, full: bool) -> Played:
        scenario = a_scenario(scenario)
        if scenario.refused:
            return Played(scenario, self.name, error=scenario.refused)
        for number, call in enumerate(scenario.steps, 1):
            if isinstance(call, Limit) and call.resource == "map_count":
                return Played(scenario, self.name, error=f"step {number}: {REFUSAL}")
        request = {
            "arena_pages": scenario.arena_pages,
            "unprivileged": scenario.unprivileged,
            "contents": scenario.contents,
            "full": full,
            "bytes": True,
            "again": not self.fresh,
            "cpu": max(1, round(self.time_limit)),
            "steps": [wire(call) for call in scenario.steps],
        }
        with self._lock:
            answers = self._ask(request)
            if answers.ended and not answers.steps and request["again"]:
                # It held its answers back to be quick.  Which call was it?  Once more, in a process of its own.
                answers = self._ask(request | {"again": False})
        return self._played(scenario, answers)

    def _ask(self, request: dict[str, Any]) -> _Answers:
        answers = _Answers()
        driver = self._driver(request["unprivileged"])
        try:
            driver.ask(request, self.time_limit)
            most = len(request.get("steps", ()))
            while True:
                message = driver.answer(self.time_limit)
                if not (("moment" in message and "demo" in request) or genuine(message)):
                    raise DriverGone(NONSENSE)
                if len(answers.steps) > most or len(answers.moments) > MOST_MOMENTS:
                    raise DriverGone(NONSENSE)
                if "errno" in message:
                    if answers.steps:  # rows that did not change are not sent again
                        message.setdefault("vmas", answers.steps[-1].get("vmas"))
                    answers.steps.append(message)
                elif "final" in message:
                    answers.final = message["final"]
                elif "moment" in message:
                    answers.moments.append(message)
                elif "error" in message:
                    answers.error = str(message["error"])
                elif "end" in message:
                    if "why" in message:
                        answers.ended = str(message["why"])
                    elif isinstance(message["end"], str):
                        answers.ended = f"ended the process by {message['end']}"
                    elif message["end"]:
                        answers.ended = f"ended the process (status {message['end']})"
                    return answers
        except DriverGone as gone:
            self._drivers.pop(request["unprivileged"]).kill()
            answers.ended = str(gone)
        except BaseException:  # the keyboard, most likely: what it was doing is of no use any more
            self._drivers.pop(request["unprivileged"]).kill()
            raise
        return answers

    def _played(self, scenario: Scenario, answers: _Answers) -> Played:
        try:
            outcomes = outcomes_from_json(scenario.steps, answers.steps, self.name)
            for outcome in outcomes:
                _ = outcome.after
            final = rows_from_json(answers.final) if answers.final is not None else Snapshot()
        except (KeyError, TypeError, ValueError, AttributeError):
            return Played(scenario, self.name, error="the process answered nonsense: it has overwritten its own memory")
        if answers.final is not None and not answers.error:
            return Played(scenario, self.name, outcomes, final)
        done = len(outcomes)
        what = answers.error or answers.ended or "gave no answer"
        if done < len(scenario.steps):
            sentence = f"step {done + 1} ({call_text(scenario.steps[done])}): "
            sentence += what if answers.error else f"it {what}"
        else:
            sentence = f"after the last step: {what if answers.error else f'looking at the result {what}'}"
        return Played(scenario, self.name, outcomes, error=sentence)

    # --- the processes behind it

    def _driver(self, unprivileged: bool) -> Driver:
        driver = self._drivers.get(unprivileged)
        if driver is not None:
            if driver.owner == os.getpid() and driver.idle:
                return driver
            del self._drivers[unprivileged]  # of the process that this one was forked from, or killed by somebody
            driver.kill()
        self._drivers[unprivileged] = self._new_driver(unprivileged)
        return self._drivers[unprivileged]

    @staticmethod
    def _new_driver(unprivileged: bool) -> Driver:
        if reason := why_unavailable():
            raise LiveUnavailable(reason)
        return Driver(unprivileged)


class _Answers:
    """What came back for one scenario: `ended` if the process did not live to see the end."""

    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []
        self.moments: list[dict[str, Any]] = []
        self.final: list[dict[str, Any]] | None = None
        self.error: str | None = None
        self.ended: str | None = None


def _close(drivers: dict[bool, Driver]) -> None:
    while drivers:
        drivers.popitem()[1].close()
