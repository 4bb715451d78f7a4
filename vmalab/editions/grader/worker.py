"""The process that a submission runs in, forked by forkserver.py.

It reads requests and writes answers, a line of JSON each, over two pipes; it has no other open file:

    {"run": source, "seconds": n, "number": k}     → {"outputs": [as in a notebook]}
    {"answer": expression, "seconds": n}           → {"answer": as in answers.py}
    {"ask": expression, "with": ..., "seconds": n} → {"value": ..., "calls": [[...], ...]}
                                                     or {"wrong": name, "said": ..., "line": n}

A request may name what the submission's names lose before, {"forget": ["vm"], ...}.
An answer has the `number` of its request.  `calls` has for each argument the calls that were made on it.  Whatever the
submission does to this process, it can but write other lines, and none of them is a grade.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from vmalab.editions.grader.answers import Json, asked, encode
from vmalab.editions.grader.confine import confine
from vmalab.machines.model import Model
from vmalab.programs.calljson import call_to_json

MOST_TEXT = 50_000
"""Characters that are kept of what a cell prints, and of each other output."""
MOST_OUTPUTS = 50
"""Outputs that are kept of a cell."""

_shell: Any = None


class TookTooLong(BaseException):
    """A request took too long; no learner's `except Exception` catches it by mistake."""


def main(requests: int, answers: int, folder: Path, shared: str) -> None:
    """Answer requests until there are no more.  `shared`: why there are no namespaces, `""` if there are."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):  # what a submission prints goes into its outputs, or nowhere
        os.dup2(nothing, number)
    os.chdir(folder)
    os.environ.pop("LD_LIBRARY_PATH", None)
    os.environ |= {"HOME": str(folder), "TMPDIR": str(folder), "IPYTHONDIR": str(folder), "MPLCONFIGDIR": str(folder)}
    shell = make_shell()
    told = {"open": confine(folder), "shared": shared}
    with os.fdopen(requests) as lines, os.fdopen(answers, "w") as out:
        out.write(json.dumps(told) + "\n")
        out.flush()
        for line in lines:
            request = json.loads(line)
            out.write(json.dumps({**_limited(shell, request), "number": request["number"]}) + "\n")
            out.flush()


def make_shell() -> Any:
    """IPython, as in a notebook: magics work, and errors of a cell end that cell only.  Made once, before the fork."""
    global _shell
    if _shell is None:
        from IPython.core.interactiveshell import InteractiveShell

        _shell = InteractiveShell.instance(history_length=0)
        _shell.history_manager.enabled = False
        _shell.showtraceback = lambda *args, **options: None  # told in the outputs
        _shell.showsyntaxerror = lambda *args, **options: None
    return _shell


def _limited(shell: Any, request: Json) -> Json:
    seconds = float(request["seconds"])

    def late(number: int, frame: object) -> None:
        raise TookTooLong(f"it took more than {seconds:g} seconds")

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)  # and again, should it be caught all the same
    try:
        return _done(shell, request)
    except BaseException as error:
        return _wrong(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _done(shell: Any, request: Json) -> Json:
    for name in request.get("forget", ()):
        shell.user_ns.pop(name, None)
    if "run" in request:
        return {"outputs": _run(shell, request["run"])}
    if "answer" in request:
        return {"answer": encode(eval(request["answer"], shell.user_ns))}
    function = eval(request["ask"], shell.user_ns)
    arguments = asked(request["with"])
    made = [len(one.history) if isinstance(one, Model) else 0 for one in arguments]
    told: Json = {}
    try:
        told["value"] = encode(function(*arguments))
    except BaseException as error:
        told |= _wrong(error)
    told["calls"] = [
        [call_to_json(call) for call in one.history[before:]] if isinstance(one, Model) else []
        for one, before in zip(arguments, made, strict=True)
    ]
    return told


def _wrong(error: BaseException) -> Json:
    """An exception, and the line of the learner's code that it was raised in, counted from the line of `def`."""
    lines = [
        line - frame.f_code.co_firstlineno + 1
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename.startswith("<ipython")
    ]
    return {"wrong": type(error).__name__, "said": str(error)[:500], "line": lines[0] if lines else 0}


def _told(error: BaseException) -> list[str]:
    """An exception with the lines of the submission that led to it: nobody is told where the grader has its files."""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if one.filename.startswith("<ipython")]
    return [*traceback.format_list(frames), *traceback.format_exception_only(error)]


class Bounded(io.TextIOBase):
    """Takes what is printed, and keeps its beginning: a gigabyte costs no memory."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        if len(self.text) < MOST_TEXT:
            self.text += str(text)[: MOST_TEXT - len(self.text)]
        return len(text)


def _run(shell: Any, source: str) -> list[Json]:
    from IPython.utils.capture import capture_output

    shown: list[Any] = []
    shell.display_trap.hook = shown.append  # the value of the last line, which is not to be printed
    printed = {"stdout": Bounded(), "stderr": Bounded()}
    with (
        redirect_stdout(printed["stdout"]), redirect_stderr(printed["stderr"]),
        capture_output(stdout=False, stderr=False) as got,
    ):  # fmt: skip
        result = shell.run_cell(source, store_history=False)
    outputs: list[Json] = [
        {"output_type": "stream", "name": name, "text": kept.text.replace(sys.prefix, "")}
        for name, kept in printed.items()
        if kept.text
    ]
    bundles = [one.data for one in got.outputs[:MOST_OUTPUTS]]
    text = ("text/plain",)
    bundles += [shell.display_formatter.format(one, include=text)[0] for one in shown[-1:] if one is not None]
    for bundle in bundles:
        data = {kind: str(bundle[kind])[:MOST_TEXT] for kind in text if kind in bundle}
        outputs.append({"output_type": "display_data", "data": data, "metadata": {}})
    error = result.error_before_exec or result.error_in_exec
    if error is not None:
        said = str(error)[:MOST_TEXT]
        lines = [line[:MOST_TEXT] for line in _told(error)[-MOST_OUTPUTS:]]
        outputs.append({"output_type": "error", "ename": type(error).__name__, "evalue": said, "traceback": lines})
    return outputs
