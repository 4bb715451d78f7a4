"""Answers that are functions: each lesson's solutions are asked across the pipe, as a class's answers are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests.patience import PATIENCE
from vmalab.editions.grader.client import Client
from vmalab.editions.grader.judge import Worker, verdict
from vmalab.editions.source import exercises

ROOT = Path(__file__).parents[2]
LESSONS = [
    path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
    if any("def " in one.solution for one in exercises(nbformat.read(path, as_version=4)))
]  # fmt: skip
pytestmark = [pytest.mark.notebook, pytest.mark.slow]


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    client = Client()
    worker = Worker(client.forkserver, PATIENCE)
    yield worker
    worker.end()
    client.close()


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_function_that_is_right_is_right_across_the_pipe(path: Path, worker: Worker) -> None:
    nb = nbformat.read(path, as_version=4)
    worker.ask({"run": next(cell.source for cell in nb.cells if cell.cell_type == "code")})
    for one in exercises(nb):
        if "def " in one.solution:
            worker.ask({"run": one.solution})
            told = verdict(worker, {"judge": one.name, "answer": one.checked, "key": "k"})
            assert told.solved, (one.name, told)
