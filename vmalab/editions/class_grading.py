"""A whole class graded: submissions to an executor, results into the gradebook, and what is done already is not done
again.

A result is recorded in `graded/LESSON/STUDENT.json` of the course's folder, in one rename, before it is merged into the
gradebook: so a run that is killed at any moment goes on where it was, and merging again changes nothing.  The record
says by a digest what was graded, so a submission that was handed in anew is graded anew.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import asdict, define, field
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.utils import parse_utc
from traitlets.config.loader import PyFileConfigLoader

from vmalab.editions.autograde import JudgeApart, keys_of
from vmalab.editions.grading import COURSE, Graded, Job, grade_one
from vmalab.errors import UsageError, VmalabError
from vmalab.machines.executors import as_done
from vmalab.programs.files import write_whole

CONFIG = "nbgrader_config.py"
TRIES = 3
"""So often a submission is tried where a process that graded was lost."""


@define
class Class:
    """An assignment of a course, ready to be graded: `open_course` makes it.  `cells`: a digest of its graded cells."""

    folder: Path
    lesson: str
    settings: dict[str, Any]
    gradebook: bytes
    cells: str
    protection: str = ""
    failed: dict[str, str] = field(factory=dict)
    told: dict[str, str] = field(factory=dict)

    @property
    def records(self) -> Path:
        """Where results are recorded."""
        return self.folder / "graded" / self.lesson

    def students(self) -> list[str]:
        """Who has handed something in."""
        found = (path.parent.parent.name for path in self.folder.glob(f"submitted/*/{self.lesson}/*.ipynb"))
        return sorted(set(found))

    def job(self, student: str) -> Job:
        """The submission of a student."""
        place = self.folder / "submitted" / student / self.lesson
        exact = place / f"{self.lesson}.ipynb"
        notebook = exact if exact.is_file() else sorted(place.glob("*.ipynb"))[0]
        handed_in = _handed_in(place)
        keys = keys_of(self.folder, self.lesson, student, bool(self.settings.get("personal", False)))
        seconds = float(self.settings.get("seconds", JudgeApart.seconds.default_value))
        return Job(student, self.lesson, notebook.read_bytes(), handed_in, self.gradebook, keys, seconds,
                   bool(self.settings.get("unprotected", False)))  # fmt: skip


def open_course(folder: Path, lesson: str, unprotected: bool = False) -> Class:
    """The assignment `lesson` (its name, or the beginning of it, such as `"04"`) of the course in `folder`.

    Raises UsageError where there is no such course or assignment, or where it has no secret.
    """
    folder = folder.resolve()
    # nbgrader calls alembic by name where it makes a gradebook
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    if not (folder / CONFIG).is_file():
        raise UsageError(f"there is no course in {folder}: {CONFIG} is not there (vmalab build nbgrader makes it)")
    config = PyFileConfigLoader(CONFIG, path=str(folder)).load_config()
    settings = {name: value for name, value in config.get("JudgeApart", {}).items() if name != "keys"}
    if unprotected:
        settings["unprotected"] = True
    if not (folder / "gradebook.db").is_file():
        raise UsageError(f"nothing was handed out in {folder} yet: nbgrader generate_assignment LESSON")
    with _open(folder) as book:
        found = [one.name for one in book.assignments if one.name.startswith(lesson)]
    if len(found) != 1:
        there = [path.name for path in sorted(folder.glob("source/*")) if path.name.startswith(lesson)]
        if not found and len(there) == 1:
            raise UsageError(f"{there[0]} was not handed out yet: nbgrader generate_assignment {there[0]}")
        raise UsageError(f"there is no assignment {lesson!r} in {folder}" if not found else
                         f"{lesson!r} may be {' or '.join(found)}")  # fmt: skip
    keys_of(folder, found[0], "", False)  # without a secret nothing begins
    return Class(folder, found[0], settings, *_assignment_alone(folder, found[0]))


def _open(folder: Path) -> Gradebook:
    return Gradebook(f"sqlite:///{folder / 'gradebook.db'}", COURSE)


def _assignment_alone(folder: Path, lesson: str) -> tuple[bytes, str]:
    """A gradebook that knows this assignment and nobody: what goes with each job; and a digest of its cells."""
    told = []
    with tempfile.TemporaryDirectory() as name, _open(folder) as book:
        path = Path(name) / "gradebook.db"
        with Gradebook(f"sqlite:///{path}", COURSE) as alone:
            assignment = book.find_assignment(lesson)
            alone.update_or_create_assignment(lesson, duedate=assignment.duedate)
            for notebook in assignment.notebooks:
                alone.update_or_create_notebook(notebook.name, lesson)
                for cell in notebook.grade_cells:
                    alone.update_or_create_grade_cell(
                        cell.name, notebook.name, lesson, max_score=cell.max_score, cell_type=cell.cell_type
                    )
                for cell in notebook.solution_cells:
                    alone.update_or_create_solution_cell(cell.name, notebook.name, lesson)
                for cell in notebook.source_cells:
                    told.append((cell.name, cell.source, cell.checksum))
                    alone.update_or_create_source_cell(
                        cell.name, notebook.name, lesson, cell_type=cell.cell_type, source=cell.source,
                        checksum=cell.checksum, locked=cell.locked,
                    )  # fmt: skip
        return path.read_bytes(), sha256(json.dumps(sorted(told)).encode()).hexdigest()


@contextmanager
def alone(course: Class) -> Iterator[None]:
    """Nobody else grades this assignment meanwhile; UsageError where somebody does."""
    import fcntl  # not on every system

    course.records.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(course.records / ".lock", "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"{course.lesson} is being graded by another vmalab grade") from None
        yield


def left_to_grade(course: Class, again: bool = False) -> list[str]:
    """Who is to be graded: all whose submission has no result yet.  Results that are there are merged, once more."""
    found = []
    with _open(course.folder) as book:
        for student in course.students():
            record = _record(course, student)
            job = course.job(student)
            if again or record is None or record["digest"] != _digest(job, course.cells):
                found.append(student)
            elif not _is_merged(book, course, record):
                _merge(book, course, record)
    return found


def grade_all(course: Class, students: list[str], pool: Executor, at_once: int) -> Iterator[str]:
    """Grade these students and yield each when the gradebook has him; who can't be graded is in `course.failed`.

    Raises UsageError where nobody may be graded, such as without protection, and BrokenExecutor where processes were
    lost: those who are not graded then are still to be graded.
    """
    with _open(course.folder) as book:
        for job, future in as_done(pool, grade_one, (course.job(one) for one in students), at_once):
            try:
                graded = future.result()
            except (UsageError, BrokenExecutor, CancelledError):
                raise
            except Exception as error:  # one that can't be graded takes no other down with it
                course.failed[job.student] = str(error) if isinstance(error, VmalabError) else repr(error)
                yield job.student
                continue
            course.failed.pop(job.student, None)
            course.protection = graded.protection
            if graded.told:
                course.told[job.student] = graded.told
            record = _put(course, graded, _digest(job, course.cells))
            _merge(book, course, record)
            yield job.student


def _handed_in(folder: Path) -> str:
    """When a submission came, as nbgrader has written it; `""` where there is no time to be read."""
    try:
        with (folder / "timestamp.txt").open(encoding="utf-8") as file:
            text = file.read(100).strip()
        parse_utc(text)
    except (OSError, ValueError, OverflowError, TypeError):
        return ""
    return text


def _digest(job: Job, cells: str) -> str:
    """What a result is a result of: the submission, when it came, and the teacher's cells."""
    return sha256(b"\0".join([job.notebook, job.handed_in.encode(), cells.encode()])).hexdigest()


def _record(course: Class, student: str) -> dict[str, Any] | None:
    """The result of a student, if its notebook is there, too."""
    try:
        told = json.loads((course.records / f"{student}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    notebook = course.folder / "autograded" / student / course.lesson / f"{course.lesson}.ipynb"
    return told if isinstance(told, dict) and notebook.is_file() else None


def _put(course: Class, graded: Graded, digest: str) -> dict[str, Any]:
    """Write a result: first the notebook, where nbgrader looks for it, then the record, each in one rename."""
    place = course.folder / "autograded" / graded.student / course.lesson
    submitted = course.folder / "submitted" / graded.student / course.lesson
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{course.lesson}.ipynb"
    fresh = place / f".{course.lesson}.part"
    fresh.write_bytes(graded.notebook)
    os.replace(fresh, path)
    for name in ("timestamp.txt", "submission_secret.txt"):  # release_feedback needs the second one
        if (submitted / name).is_file():
            shutil.copyfile(submitted / name, place / name)
    record = {**asdict(graded), "digest": digest}
    del record["notebook"]
    write_whole(course.records / f"{graded.student}.json", json.dumps(record, sort_keys=True) + "\n")
    return record


def _is_merged(book: Gradebook, course: Class, record: dict[str, Any]) -> bool:
    try:
        found = book.find_submission_notebook(course.lesson, course.lesson, record["student"])
    except MissingEntry:
        return False
    return bool({one.name: one.auto_score for one in found.grades} == record["scores"])


def _merge(book: Gradebook, course: Class, record: dict[str, Any]) -> None:
    """Take a result into the gradebook, as nbgrader would have; scores that somebody has given by hand stay."""
    student, lesson = record["student"], course.lesson
    handed_in = _handed_in(course.folder / "autograded" / student / lesson)
    book.update_or_create_student(student)
    when = {"timestamp": parse_utc(handed_in)} if handed_in else {}
    book.update_or_create_submission(lesson, student, **when)
    found = book.find_submission_notebook(lesson, lesson, student)
    found.late_submission_penalty = record["penalty"]
    for grade in found.grades:
        grade.auto_score = record["scores"].get(grade.name)
        grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
    for comment in found.comments:
        comment.auto_comment = record["comments"].get(comment.name)
    book.db.commit()


def marks(course: Class) -> dict[str, tuple[float, float]]:
    """The marks of the assignment: student → score and the most that there is to have."""
    with _open(course.folder) as book:
        return {
            one.student_id: (float(one.score), float(one.max_score))
            for one in book.assignment_submissions(course.lesson)
        }
