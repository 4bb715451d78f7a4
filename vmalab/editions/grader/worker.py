"""The interpreter that a submission runs in: `python -m vmalab.editions.grader.worker`, started by court.py.

It reads requests and writes answers, a line of JSON each, over the pipes that it was started with:

    {"run": source}                  → {"outputs": [as in a notebook]}
    {"answer": expression}           → {"answer": as in handed.py}
    {"ask": expression, "with": ...} → {"value": ..., "calls": [[...], ...]} or {"wrong": name, "said": ..., "line": n}

`calls` has for each argument the calls that were made on it.  Whatever the submission does to this process, it can but
write other lines, and none of them is a grade.
"""

from __future__ import annotations

import json
import os
import signal
import traceback
from pathlib import Path
from typing import Any

from vmalab.editions.grader.answers import Json, asked, encode
from vmalab.editions.grader.confine import confine
from vmalab.machines.model import Model
from vmalab.programs.calljson import call_to_json

SECONDS = 20
"""How long one request may take; then it is interrupted.  court.py waits a little longer, and ends the process."""


class TookTooLong(BaseException):
    """A request took more than SECONDS; no learner's `except Exception` catches it by mistake."""


def main() -> None:
    """Answer requests until there are no more."""
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):  # what a submission prints goes into its outputs, or nowhere
        os.dup2(nothing, number)
    folder = os.getcwd()  # made by the judge, who removes it however this process ends
    os.environ |= {"HOME": folder, "IPYTHONDIR": folder, "MPLBACKEND": "agg", "MPLCONFIGDIR": folder}
    shell = make_shell()
    said = confine(Path(folder))
    answers.write(json.dumps({"open": said}) + "\n")
    answers.flush()
    for line in requests:
        answers.write(json.dumps(_limited(shell, json.loads(line))) + "\n")
        answers.flush()


def make_shell() -> Any:
    """IPython, as in a notebook: magics work, and errors of a cell end that cell only."""
    from IPython.core.interactiveshell import InteractiveShell

    shell: Any = InteractiveShell.instance(history_length=0)
    shell.history_manager.enabled = False
    shell.showtraceback = lambda *args, **options: None  # told in the outputs
    shell.showsyntaxerror = lambda *args, **options: None
    return shell


def _limited(shell: Any, request: Json) -> Json:
    def late(number: int, frame: object) -> None:
        raise TookTooLong(f"it took more than {SECONDS} seconds")

    alarm = hasattr(signal, "SIGALRM")
    if alarm:
        signal.signal(signal.SIGALRM, late)
        signal.alarm(SECONDS)
    try:
        return _done(shell, request)
    except BaseException as error:
        return _wrong(error)
    finally:
        if alarm:
            signal.alarm(0)


def _done(shell: Any, request: Json) -> Json:
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


def _run(shell: Any, source: str) -> list[Json]:
    from IPython.utils.capture import capture_output

    shown: list[Any] = []
    shell.display_trap.hook = shown.append  # the value of the last line, which is not to be printed
    with capture_output() as got:
        result = shell.run_cell(source, store_history=True)
    outputs: list[Json] = []
    for name, text in (("stdout", got.stdout), ("stderr", got.stderr)):
        if text:
            outputs.append({"output_type": "stream", "name": name, "text": str(text)[:100_000]})
    bundles = [one.data for one in got.outputs]
    bundles += [shell.display_formatter.format(value)[0] for value in shown if value is not None]
    for bundle in bundles:
        data = {kind: str(bundle[kind]) for kind in ("text/plain", "text/html") if kind in bundle}
        outputs.append({"output_type": "display_data", "data": data, "metadata": {}})
    error = result.error_before_exec or result.error_in_exec
    if error is not None:
        lines = traceback.format_exception(error)
        outputs.append(
            {"output_type": "error", "ename": type(error).__name__, "evalue": str(error), "traceback": lines}
        )
    return outputs


if __name__ == "__main__":
    main()
