"""One submission graded by nbgrader, in a folder and a gradebook of its own: `grade_one`.

It needs nothing of the course but what its `Job` has, so it runs wherever vmalab is installed; what it found comes
back as a `Graded`, which class_grading.py merges into the gradebook.  A job has the keys of its student, never the
secret.
"""

from __future__ import annotations

import json
import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any

import nbformat
from attrs import frozen
from nbconvert.exporters import NotebookExporter
from nbconvert.writers.files import FilesWriter
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning
from traitlets.config import Config

from vmalab.editions.autograde import PROBLEM, configure, other_edition
from vmalab.editions.grader.client import last_protection
from vmalab.errors import VmalabError

COURSE = "vmalab"
warnings.filterwarnings("ignore", category=SAWarning)  # of nbgrader's own use of its database
_CELLS_MOST = 2000


@frozen
class Job:
    """A submission to grade: `notebook` as it was handed in; `gradebook`: what a gradebook knows of the assignment."""

    student: str
    lesson: str
    notebook: bytes
    handed_in: str
    gradebook: bytes
    keys: dict[str, str]
    seconds: float
    unprotected: bool


@frozen
class Graded:
    """What was found: the notebook with its verdicts, scores by graded cell (None: by hand), comments by answer.

    `told`: what the lecturer is to know of this submission.
    """

    student: str
    notebook: bytes
    scores: dict[str, float | None]
    comments: dict[str, str | None]
    penalty: float | None
    protection: str
    told: str = ""


def grade_one(job: Job) -> Graded:
    """Grade a submission.  Raises VmalabError where that can't be done at all; nothing is left behind."""
    with tempfile.TemporaryDirectory(prefix="vmalab-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        submitted = folder / "submitted" / job.student / job.lesson
        submitted.mkdir(parents=True)
        (folder / "source" / job.lesson).mkdir(parents=True)
        (folder / "gradebook.db").write_bytes(job.gradebook)
        nb = readable(job.notebook)
        other = other_edition(nb)
        nbformat.write(nb, submitted / f"{job.lesson}.ipynb")
        if job.handed_in:
            (submitted / "timestamp.txt").write_text(job.handed_in, encoding="utf-8")
        protection = _autograde(folder, job)
        notebook = (folder / "autograded" / job.student / job.lesson / f"{job.lesson}.ipynb").read_bytes()
        with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", COURSE) as book:
            found = book.find_submission_notebook(job.lesson, job.lesson, job.student)
            scores = {
                one.name: None if other and one.name.startswith(PROBLEM) else one.auto_score for one in found.grades
            }
            comments = {one.name: one.auto_comment for one in found.comments}
            return Graded(job.student, notebook, scores, comments, found.late_submission_penalty, protection, other)


class _Quiet(Autograde):  # type: ignore[misc]
    """nbgrader's autograding without a change of the working directory, which all threads share; keeps what failed."""

    failed: Exception | None = None

    def start(self) -> None:
        self.init_notebooks()
        self.writer = FilesWriter(parent=self, config=self.config)
        self.exporter = NotebookExporter(parent=self, config=self.config)
        self.convert_notebooks()

    def convert_single_notebook(self, notebook_filename: str) -> None:
        try:
            super().convert_single_notebook(notebook_filename)
        except Exception as error:
            self.failed = error
            raise


def _autograde(folder: Path, job: Job) -> str:
    c = Config()
    configure(c, folder)
    c.JudgeApart.keys, c.JudgeApart.seconds, c.JudgeApart.unprotected = job.keys, job.seconds, job.unprotected
    c.NotebookExporter.optimistic_validation = True  # once at the end, not after each of thirteen steps
    c.CourseDirectory.assignment_id, c.CourseDirectory.student_id = job.lesson, job.student
    grader = _Quiet(coursedir=CourseDirectory(config=c), config=c)
    grader.log = logging.getLogger("vmalab.grading")
    grader.log.setLevel(logging.CRITICAL)
    try:
        grader.start()
    except Exception as error:
        failed = grader.failed or error
        if isinstance(failed, VmalabError):
            raise failed from None
        raise VmalabError(f"nbgrader can't grade {job.student}: {type(failed).__name__}: {failed}") from failed
    return last_protection()


def readable(data: bytes) -> NotebookNode:
    """What a student handed in as a notebook, whatever it is: its cells by source, type and nbgrader's names.

    Nothing else of it counts but the edition of its problems.  What is no notebook has no cells.
    """
    try:
        told = json.loads(data)
        cells = told["cells"] if "cells" in told else [one for sheet in told["worksheets"] for one in sheet["cells"]]
        edition = told.get("metadata", {}).get("vmalab", {}).get("edition")
        made = [one for number, cell in enumerate(cells[:_CELLS_MOST]) if (one := _cell(cell, number)) is not None]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        made, edition = [], None
    nb: NotebookNode = new_notebook(cells=made)
    if isinstance(edition, str):
        nb.metadata["vmalab"] = {"edition": edition}
    return nb


def _cell(cell: Any, number: int) -> NotebookNode | None:
    source = cell.get("source", cell.get("input", ""))
    source = "".join(source) if isinstance(source, list) else source
    if not isinstance(source, str):
        return None
    source = source.encode("utf-8", "replace").decode()  # a lone surrogate can't be written
    told = cell.get("metadata")
    told = told if isinstance(told, dict) else {}
    marks, tags = told.get("nbgrader"), told.get("tags")
    kept: dict[str, Any] = {}
    if isinstance(marks, dict) and isinstance(marks.get("grade_id"), str):
        kept["nbgrader"] = {"grade_id": marks["grade_id"]}
    if isinstance(tags, list) and "live" in tags:
        kept["tags"] = ["live"]
    made: dict[str, Any] = {"id": f"cell-{number}", "source": source, "metadata": kept, "cell_type": "markdown"}
    if cell.get("cell_type") == "code":
        made |= {"cell_type": "code", "outputs": [], "execution_count": None}
    built: NotebookNode = from_dict(made)
    return built
