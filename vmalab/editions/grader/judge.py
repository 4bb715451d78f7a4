"""The judge: forked by forkserver.py for each submission.

It reads one line of JSON, the submission's cells in order,

    {"seconds": n, "unprotected": false, "cells": [{"run": source}, {"judge": "4.2", "answer": expression, "key":
    text}, …]}

where a cell may name what the submission's names lose before it, {"forget": ["vm"], …}.  It has a worker run them, and
writes first what protects it, {"open": {...}, "shared": text}, then a line for each cell: {"outputs": [...]} or
{"solved": true, "said": text}.  The keys, and every model that an answer is held against, are in this process alone.  A
worker that ends is followed by another one, in which the cells before run again, without the one that ended it: so each
answer gets what it earned.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time
from contextlib import suppress
from typing import Any, TextIO

from vmalab.editions.grade import judged
from vmalab.editions.grader.answers import WORKER, Json, decode, question
from vmalab.editions.grader.confine import limit
from vmalab.errors import UsageError, VmalabError
from vmalab.machines.model import Model
from vmalab.programs.calljson import call_from_json
from vmalab.teach.exercises import exercise, exercises
from vmalab.teach.exercises.checking import TooManyCalls
from vmalab.teach.feedback import Feedback, no_answer, not_yet

GRACE = 3
"""Seconds after which a worker is ended that was to interrupt itself."""
START = 30
"""Seconds until a worker has to be there."""
MOST_MEMORY = 1 << 30
"""Bytes for judging: an answer may be a program whose address space is larger than any machine."""
MOST_ANSWER = 8 << 20
"""Bytes of one answer: no honest one comes near."""
MOST_WORKERS = 5
"""Workers that a submission may use up."""
MOST_OUTPUT = 8 << 20
"""Bytes of all outputs of a submission that are kept."""
IN_ALL = 12
"""So many times the limit of a cell a whole submission may take."""


class Gone(VmalabError):
    """The worker gives no more answers."""


class TooLong(BaseException):
    """Judging took too long: no `except Exception` on the way may take this for a learner's error."""


def prepare() -> None:
    """Import what judging needs, before any judge is forked."""
    exercises()


class Worker:
    """The process that runs a submission.  `open`: what it could not give up, and why; `shared`: why no namespaces."""

    def __init__(self, forkserver: socket.socket, seconds: float) -> None:
        self.seconds = seconds
        requests, self._in = os.pipe()
        self._out, answers = os.pipe()
        hang_up, self._alive = os.pipe()
        socket.send_fds(forkserver, [WORKER], [requests, answers, hang_up])
        for end in (requests, answers, hang_up):
            os.close(end)
        os.set_blocking(self._in, False)
        self._unread = b""
        self._ended, self._asked = False, 0
        told = self._line(START)
        self.open: dict[str, str] = told["open"]
        self.shared = str(told["shared"])

    def ask(self, request: Json) -> Json:
        """Send a request; its answer.  Raises Gone where there is none."""
        if self._ended:
            raise Gone("the submission's process has ended")
        until = time.monotonic() + self.seconds + GRACE
        self._asked += 1
        data = json.dumps({**request, "seconds": self.seconds, "number": self._asked}).encode() + b"\n"
        while data:
            if not select.select([], [self._in], [], max(0, until - time.monotonic()))[1]:
                raise self._gone("it took too long")
            try:
                data = data[os.write(self._in, data) :]
            except BlockingIOError:
                pass
            except OSError:
                raise self._gone("the submission's process has ended") from None
        while True:
            told = self._line(until - time.monotonic())
            if told.get("number") == self._asked:  # all else was written by the submission
                return told

    def _line(self, seconds: float) -> Json:
        until = time.monotonic() + seconds
        parts = [self._unread]
        size = len(self._unread)
        while b"\n" not in parts[-1]:
            if not select.select([self._out], [], [], max(0, until - time.monotonic()))[0]:
                raise self._gone("it took too long")
            chunk = os.read(self._out, 1 << 16)
            if not chunk:
                raise self._gone("the submission's process has ended")
            parts.append(chunk)
            size += len(chunk)
            if size > MOST_ANSWER:
                raise self._gone("its answer is too long")
        line, _, self._unread = b"".join(parts).partition(b"\n")
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            told = None
        return told if isinstance(told, dict) else {}

    def _gone(self, why: str) -> Gone:
        self.end()
        return Gone(why)

    def end(self) -> None:
        """End the process and all that belongs to it: its keeper sees that nobody holds the other end any more."""
        if not self._ended:
            self._ended = True
            for end in (self._in, self._out, self._alive):
                os.close(end)


class Elsewhere:
    """A function of the submission: calling it asks the worker, and makes on the arguments the calls that it made."""

    def __init__(self, worker: Worker, expression: str) -> None:
        self._worker, self._expression = worker, expression

    def __call__(self, *arguments: Any) -> Any:
        told = self._worker.ask({"ask": self._expression, "with": question(arguments)})
        made = told.get("calls")
        for argument, calls in zip(arguments, made if isinstance(made, list) else (), strict=False):
            if isinstance(argument, Model) and isinstance(calls, list):
                for call in calls:
                    argument.do(call_from_json(call))
        if "wrong" in told:
            raise raised(told)
        return decode(told.get("value"), self)


def raised(told: Json) -> Exception:
    """The exception that a function of the submission ended with, by name, text and `line`."""
    name, said = str(told["wrong"])[:100], str(told.get("said", ""))[:500]
    kinds: dict[str, type[Exception]] = {"UsageError": UsageError, "TooManyCalls": TooManyCalls}
    error = kinds.get(name, type(name, (Exception,), {}))(said)
    line = told.get("line", 0)
    error.line = line if isinstance(line, int) else 0  # type: ignore[attr-defined]
    return error


def forgotten(cell: Json) -> Json:
    """What of a cell's request says which names are forgotten first."""
    return {"forget": cell.get("forget", [])}


def verdict(worker: Worker, cell: Json) -> Feedback:
    """What the judge says to one answer.  Raises Gone where the worker ended."""
    name = cell["judge"]
    try:
        told = worker.ask({"answer": cell["answer"]} | forgotten(cell)).get("answer")
        if told is None:
            return no_answer(
                f"There is nothing called {cell['answer']}: the cell above ended before, or does not make it."
            )
        start = None if name not in exercises() else lambda: exercise(name)
        answer = decode(told, Elsewhere(worker, cell["answer"]), start)
        return judged(name, answer, cell["key"])
    except Gone:
        raise
    except MemoryError as error:
        error.__traceback__ = None  # its frames hold all that memory, and there is none left to say so
        return not_yet("Judging this needs more memory than there is: an answer does not need that much.")
    except Exception as error:  # an answer that no check expects takes no other down with it
        return not_yet(f"This can't be judged: {type(error).__name__}: {str(error)[:200]}")


class Sitting:
    """One submission before the judge."""

    def __init__(self, request: Json, forkserver: socket.socket, out: TextIO) -> None:
        self.cells, self.seconds = request["cells"], float(request["seconds"])
        self.forkserver, self.out = forkserver, out
        self.until = time.monotonic() + IN_ALL * self.seconds
        self.deadly: set[int] = set()
        self.workers = 0
        self.room = MOST_OUTPUT
        self.worker: Worker | None = None

    def protected(self) -> Json:
        """What the worker could not give up."""
        worker = self._ready(0)
        return {"open": worker.open, "shared": worker.shared}

    def hold(self) -> None:
        """Run and judge all cells."""
        for number, cell in enumerate(self.cells):
            self.say(self._judged(number, cell) if "judge" in cell else {"outputs": self._run(number, cell)})

    def say(self, line: Json) -> None:
        """Write one line; without outputs where there were too many before."""
        text = json.dumps(line)
        if "outputs" in line:
            if len(text) > self.room:
                text = json.dumps({"outputs": []})
            self.room -= len(text)
        self.out.write(text + "\n")
        self.out.flush()

    def _run(self, number: int, cell: Json) -> list[Json]:
        try:
            outputs = self._ready(number).ask({"run": cell["run"]} | forgotten(cell)).get("outputs")
            return outputs if isinstance(outputs, list) else []
        except Gone as gone:
            self.deadly.add(number)
            return [{"output_type": "stream", "name": "stderr", "text": f"{str(gone).capitalize()}.\n"}]

    def _judged(self, number: int, cell: Json) -> Json:
        def late(signal_number: int, frame: object) -> None:
            raise TooLong

        signal.signal(signal.SIGALRM, late)
        try:
            worker = self._ready(number)
            signal.setitimer(signal.ITIMER_REAL, 2 * self.seconds + GRACE)
            told = verdict(worker, cell)
        except TooLong:
            self._end()
            told = not_yet("Judging this took too long.")
        except Gone as gone:
            told = not_yet(f"{str(gone).capitalize()}, so there is no answer.")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return {"solved": told.solved, "said": repr(told)}

    def _ready(self, number: int) -> Worker:
        """A worker in which the cells before `number` have run, but for those that end a worker."""
        while self.worker is None or self.worker._ended:
            if self.workers == MOST_WORKERS:
                raise Gone("the submission has ended its process too often")
            self.workers += 1
            self.worker = Worker(self.forkserver, self.seconds)
            for before in range(number):
                if "run" in self.cells[before] and before not in self.deadly:
                    self._in_time()
                    try:
                        self.worker.ask({"run": self.cells[before]["run"]} | forgotten(self.cells[before]))
                    except Gone:
                        self.deadly.add(before)
                        break
        self._in_time()
        return self.worker

    def _in_time(self) -> None:
        if time.monotonic() > self.until:
            self._end()
            raise Gone("the whole notebook took too long")

    def _end(self) -> None:
        if self.worker is not None:
            self.worker.end()


def main(requests: int, answers: int, forkserver: socket.socket) -> None:
    """Read a submission, write what is said to it."""
    with os.fdopen(requests) as lines, os.fdopen(answers, "w") as out:
        request = json.loads(lines.readline())
        limit(MOST_MEMORY)  # the worker has its own
        sitting = Sitting(request, forkserver, out)
        with suppress(BrokenPipeError):  # nobody wants to know any more
            protected = sitting.protected()
            sitting.say(protected)
            if not protected["open"] or request["unprotected"]:
                sitting.hold()
