"""Autograding with nbgrader: its pipeline with the judge in the place of the step that runs the notebook.

A course's nbgrader_config.py says `c.Autograde.autograde_preprocessors = preprocessors()`.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tempfile
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.converters.autograde import Autograde
from nbgrader.preprocessors import Execute, NbGraderPreprocessor

from vmalab.editions.grader.answers import Json
from vmalab.editions.source import tags

SECONDS = 300
"""How long the judge may take for one notebook."""


def preprocessors() -> list[type]:
    """The steps of nbgrader's autograding, with `JudgeApart` in the place of `Execute`."""
    steps: list[type] = Autograde.autograde_preprocessors.default_args[0]
    return [JudgeApart if step is Execute else step for step in steps]


class JudgeApart(NbGraderPreprocessor):  # type: ignore[misc]
    """Runs a submission in a worker, and writes what the judge said into its graded cells."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Fill the outputs of all code cells; live cells are left out, since they say nothing of the answers.

        A cell that grades is judged whatever its tags say: nbgrader restores its source, the tags are the student's.
        """
        cells = [cell for cell in nb.cells if cell.cell_type == "code" and cell.source.strip()]
        cells = [cell for cell in cells if graded(cell.source) or "live" not in tags(cell)]
        for cell, told in zip(cells, judge([request(cell) for cell in cells]), strict=True):
            cell.outputs = outputs_of(told)
            cell.execution_count = None
        return nb, resources


def request(cell: NotebookNode) -> Json:
    """A cell as the judge is told of it: code to run, or an answer to judge.

    Graded cells are the teacher's by now: nbgrader has put its own source back into them.  A cell that only looks like
    one is judged too, and counts for nothing.
    """
    return graded(cell.source) or {"run": cell.source}


def graded(source: str) -> Json | None:
    """What a cell's `grade("4.2", vm, seed=7)` asks; None where there is no such call."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        return None
    for node in nodes:
        match node:
            case ast.Call(
                ast.Name("grade"), [ast.Constant(str(name)), answer], [ast.keyword("seed", ast.Constant(seed))]
            ):
                return {"judge": name, "answer": ast.unparse(answer), "seed": seed}
    return None


def judge(cells: list[Json]) -> list[Json]:
    """Have a fresh interpreter judge a submission; a verdict or outputs for each cell, whatever becomes of it."""
    with tempfile.TemporaryDirectory(prefix="vmalab-", ignore_cleanup_errors=True) as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "vmalab.editions.grader.judge"], stdout=subprocess.PIPE, timeout=SECONDS,
                input=json.dumps({"cells": cells}).encode() + b"\n", env={**os.environ, "TMPDIR": folder}, check=False,
            )  # fmt: skip
            text = done.stdout
        except subprocess.TimeoutExpired as late:
            text = late.stdout or b""
    told = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith(b"\n")]
    rest = cells[len(told) :]
    return told + [{"solved": False, "said": "Not judged: it took too long."} if "judge" in one else {} for one in rest]


def outputs_of(told: Json) -> list[NotebookNode]:
    """A cell's outputs: those of the submission as they are, or a verdict that nbgrader counts."""
    if "solved" not in told:
        return [NotebookNode(output) for output in told.get("outputs", [])]
    if told["solved"]:
        return [new_output("stream", name="stdout", text=told["said"] + "\n")]
    return [new_output("error", ename="NotSolved", evalue=told["said"], traceback=told["said"].splitlines())]
