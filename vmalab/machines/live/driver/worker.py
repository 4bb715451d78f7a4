"""The process that runs one scenario: its limits and capabilities, the checks before it starts, what it answers.

Here live no system calls of a scenario: those are in `program.py`.

It answers with lines of JSON on one pipe: an outcome for each step as soon as it is known, then `{"final": rows}`; or
`{"error": sentence}` where it cannot go on.  A crash needs no line: the lines before it say how far it came.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from . import demos, headroom, kernel, measure
from .ftrace import Ftrace
from .proc import TooMuch
from .program import Program, in_bytes
from .sandbox import Sandbox, limit_address_space

USUAL_MEMLOCK = 8 << 20
"""RLIMIT_MEMLOCK as Linux sets it since 5.16, and as the recordings were made."""

USUAL_STACK = 8 << 20
"""RLIMIT_STACK likewise: how large a mapping may become that grows downwards."""

MODEST = 1 << 30
"""Bytes of address space: for what the driver itself needs, and up to which RLIMIT_AS is set."""


def limit_cpu(request: dict[str, Any]) -> None:
    """Let this process use as many more seconds of processor time as the request says."""
    seconds = int(time.process_time()) + 1 + int(request.get("cpu", 10))
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (seconds if hard == resource.RLIM_INFINITY else min(seconds, hard), hard))


def limit_memory(steps: list[dict[str, Any]], size: int) -> None:
    """Set RLIMIT_AS where that can change no answer: above all that the steps together could ever map.

    (A scenario may reserve more address space than there is memory, or set this limit itself: then it is not set.)
    """
    most = 0
    for step in steps:
        if step["call"] == "limit":
            most = MODEST + 1
        most += max(step.get("pages") or 0, step.get("old_pages") or 0, step.get("new_pages") or 0)
    limit_address_space(None if most > MODEST else size * kernel.PAGE + most + MODEST)


class Answers:
    """Lines of JSON on a pipe.  `held`: kept until the scenario is over, or until there are many."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.held = False
        self._waiting: list[bytes] = []

    def send(self, message: dict[str, Any]) -> None:
        """Write one line, with what waits before it."""
        self._waiting.append(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        if not self.held or len(self._waiting) >= 1000:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        data = b"".join(self._waiting)
        self._waiting.clear()
        while data:
            data = data[os.write(self.fd, data) :]


def prepare(request: dict[str, Any]) -> None:
    """Make this process what the scenario asks for; what is lowered here stays so for whatever it forks."""
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(
        resource.RLIMIT_STACK, (USUAL_STACK if hard == resource.RLIM_INFINITY else min(hard, USUAL_STACK), hard)
    )
    soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if request.get("unprivileged"):
        if hard == resource.RLIM_INFINITY or hard > USUAL_MEMLOCK:
            soft = USUAL_MEMLOCK
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (soft, hard))
        if kernel.capabilities():
            kernel.drop_capabilities()
    elif soft != hard:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (min(hard, USUAL_MEMLOCK) if hard >= 0 else USUAL_MEMLOCK, hard))


def steps_of(
    request: dict[str, Any], next_line: Callable[[], bytes | None], answers: Answers
) -> Iterator[dict[str, Any]]:
    """The steps in the request, or where it has none, those that follow one a line until an empty line."""
    if request["steps"] is not None:
        yield from request["steps"]
        return
    answers.send({"ready": os.getpid()})
    while line := next_line():
        yield json.loads(line)


class Worker:
    """Runs scenarios in this process: one, or several as long as each leaves it as it was.

    Most scenarios of a long run stay inside the arena and make calls that leave nothing behind.  After such a one the
    mappings are taken away, that is checked, and the next one runs in the same process: a fork costs several times
    what the calls cost.  Any other scenario is the last one of its process.
    """

    def __init__(
        self,
        next_line: Callable[[], bytes | None],
        out: int,
        made: Sandbox,
        set_map_count: bool,
        tracer: Ftrace | None = None,
    ) -> None:
        self.sandbox = made
        self.next_line = next_line
        self.answers = Answers(out)
        self.set_map_count = set_map_count
        self.tracer = tracer
        self.program: Program | None = None

    def run(self, line: bytes) -> bool:
        """Run the scenario that `line` asks for; whether this process may run another one."""
        try:
            return self._run(json.loads(line))
        except TooMuch as error:
            self._give_up(str(error))
        except MemoryError:
            self._give_up("the driver itself ran out of memory under the limits that the scenario has set")
        except (OSError, RecursionError) as error:
            self._give_up(f"the driver could not go on: {type(error).__name__} {error}")
        return False

    def _give_up(self, sentence: str) -> None:
        self.answers.held = False
        self.answers.send({"error": sentence})

    def _run(self, request: dict[str, Any]) -> bool:
        if "demo" in request:
            prepare(request)
            limit_cpu(request)
            if request["demo"] == "measure":
                self.sandbox.enter()
                measure.run(request["plan"], self.answers.send)
            elif request["demo"] == "headroom":
                headroom.run(request["limit"], self.answers.send)
            else:
                demo = demos.prepared(request["demo"], self.answers.send)
                self.sandbox.enter()
                demo()
            return False
        program = self.program
        if program is None:
            prepare(request)
            program = self.program = Program(self.set_map_count, self.tracer)
        limit_cpu(request)
        program.begin(request.get("arena_pages", 4096), request.get("contents", False), request.get("full", False))
        taken = program.proc.areas(program.low, program.high)
        if taken:
            raise TooMuch(
                f"the arena is not free in this process: {taken[0].start:#x}-{taken[0].end:#x} is mapped"
                f" ({taken[0].backing or 'anonymous memory'}); the scenario needs {program.low:#x}-{program.high:#x}"
            )
        convert = (lambda step: step) if request.get("bytes") else in_bytes
        steps: Iterator[dict[str, Any]] = map(convert, steps_of(request, self.next_line, self.answers))
        again = bool(request.get("again"))
        if request["steps"] is None:
            self.sandbox.enter()
        else:
            known = list(steps)
            again = self.answers.held = again and program.harmless(known)
            limit_memory(known, program.size)
            names = {step["call"] for step in known}
            # Whoever is to run another one may need more then, and now does nothing that could harm.
            self.sandbox.enter(again or not names.isdisjoint(("fork", "fork_child")), again or "limit" in names)
            steps = iter(known)
        for step in steps:
            outcome = program.do(step)
            if program.proc.resident() > self.sandbox.most_resident:
                self._wait_for_the_end()
            self.answers.send(outcome)
        self.answers.send({"final": program.rows(program.proc.areas(program.low, program.high), True)})
        if again and program.clear():
            return True
        self.answers.flush()
        return False

    def _wait_for_the_end(self) -> NoReturn:
        """Do nothing more: who watches this process ends it for its memory, but looks only now and then."""
        self.answers.flush()
        while True:
            signal.pause()

    def end(self) -> None:
        """Say that the scenario is over, and that this process goes on."""
        self.answers.held = False
        self.answers.send({"end": 0})
