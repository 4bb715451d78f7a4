"""The judge: `python -m vmalab.editions.grader.judge`, a fresh interpreter for each submission, started by
autograde.py.

It reads one line of JSON, the submission's cells in order,

    {"cells": [{"run": source} or {"judge": "4.2", "answer": expression, "seed": n}, ...]}

has a worker run them, and writes a line for each cell: {"outputs": [...]} or {"solved": true, "said": text}.  The seed,
and every model that an answer is held against, are in this process alone.
"""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import Any

from vmalab.editions.grade import judged
from vmalab.editions.grader.answers import Json, decode, question
from vmalab.editions.grader.confine import limit
from vmalab.editions.grader.worker import SECONDS
from vmalab.errors import UsageError, VmalabError
from vmalab.machines.model import Model
from vmalab.programs.calljson import call_from_json
from vmalab.teach.exercises import exercise, exercises
from vmalab.teach.exercises.checking import Feedback, TooManyCalls, no_answer, not_yet

PATIENCE = SECONDS + 10
"""Seconds to wait for an answer of the worker, which interrupts itself after SECONDS."""
MOST_MEMORY = 1 << 30
"""Bytes for judging: an answer may be a program whose address space is larger than any machine."""
MOST_ANSWER = 8 << 20
"""Bytes of one answer: no honest one comes near."""


class Gone(VmalabError):
    """The worker gives no more answers."""


class TooLong(BaseException):
    """Judging took too long: no `except Exception` on the way may take this for a learner's error."""


class Worker:
    """The process that runs a submission.  `open`: what it could not give up, `""` where it is confined."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="vmalab-judge-")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "vmalab.editions.grader.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=self._folder.name,
        )  # fmt: skip
        self._unread = b""
        self.open = str(self._line().get("open", ""))

    def ask(self, request: Json) -> Json:
        """Send a request; its answer.  Raises Gone where there is none."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError):  # ended by itself, or by `end`
            raise Gone("the submission's process has ended") from None
        return self._line()

    def _line(self) -> Json:
        pipe = self._process.stdout
        assert pipe is not None
        while b"\n" not in self._unread:
            ready, _, _ = select.select([pipe], [], [], PATIENCE)
            chunk = pipe.read1(1 << 16) if ready else b""  # type: ignore[attr-defined]
            self._unread += chunk
            if not chunk or len(self._unread) > MOST_ANSWER:
                self.end()
                raise Gone("the submission's process gave no answer")
        line, _, self._unread = self._unread.partition(b"\n")
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            told = None
        return told if isinstance(told, dict) else {}

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # a request that it has not read is still in there
                if pipe is not None:
                    pipe.close()
        self._folder.cleanup()


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
    error.line = told.get("line", 0)  # type: ignore[attr-defined]
    return error


def verdict(worker: Worker, cell: Json) -> Feedback:
    """What the judge says to one answer."""
    name = cell["judge"]
    try:
        told = worker.ask({"answer": cell["answer"]}).get("answer")
        if told is None:
            return no_answer(f"There is nothing called {cell['answer']}: the cell above ended in an error.")
        start = None if name not in exercises() else lambda: exercise(name)
        answer = decode(told, Elsewhere(worker, cell["answer"]), start)
        return judged(name, answer, cell["seed"])
    except Gone as gone:
        return not_yet(f"{str(gone).capitalize()}, so there is no answer.")
    except MemoryError:
        return not_yet("Judging this needs more memory than there is: an answer does not need that much.")
    except Exception as error:  # an answer that no check expects takes no other down with it
        return not_yet(f"This can't be judged: {type(error).__name__}: {str(error)[:200]}")


def in_time(worker: Worker, cell: Json) -> Feedback:
    """`verdict`, or that it took too long."""

    def late(number: int, frame: object) -> None:
        raise TooLong

    alarm = hasattr(signal, "SIGALRM")
    if alarm:
        signal.signal(signal.SIGALRM, late)
        signal.alarm(PATIENCE)
    try:
        return verdict(worker, cell)
    except TooLong:
        return not_yet("Judging this took too long.")
    finally:
        if alarm:
            signal.alarm(0)


def main() -> None:
    """Read a submission, write what is said to it."""
    cells = json.loads(sys.stdin.readline())["cells"]
    worker = Worker()
    limit(MOST_MEMORY)  # the worker has its own
    try:
        for cell in cells:
            if "judge" in cell:
                told = in_time(worker, cell)
                line: Json = {"solved": told.solved, "said": repr(told)}
            else:
                try:
                    line = {"outputs": worker.ask({"run": cell["run"]}).get("outputs", [])}
                except Gone as gone:
                    line = {"outputs": [{"output_type": "stream", "name": "stderr", "text": f"{gone}\n"}]}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
    finally:
        worker.end()


if __name__ == "__main__":
    main()
