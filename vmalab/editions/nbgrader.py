"""The nbgrader edition: a course folder with an assignment for each lesson, ready for `nbgrader generate_assignment`.

In each exercise the answer's cell has a solution region, and the cell of its check a hidden test with the points.  The
hidden test holds the seed of what is drawn for grading: cases for functions, and the problems that each lesson gets
besides (drawn.py).  `vmalab.editions.grader` says how a submission is kept from it.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from vmalab.editions.drawn_problems import asked, drawn, names
from vmalab.editions.folder import copy_pictures
from vmalab.editions.source import Exercise, cleared, code_cells, exercises, read, title, untold, without_check
from vmalab.teach.exercises import find

if TYPE_CHECKING:
    from vmalab.editions import Order

POINTS, POINTS_UNSEEN = 2, 4
"""For an exercise; for one whose answer is also tried on cases that nobody has seen.  The check's cell may say
otherwise in its metadata: `{"vmalab": {"points": 3}}`."""

CONFIG = """\
# The course of vmalab for nbgrader, made by `vmalab build nbgrader`.  Needs: pip install 'vmalab[class]'.
from vmalab.editions.autograde import preprocessors

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "vmalab"
c.CourseDirectory.db_url = "sqlite:///gradebook.db"
c.ClearSolutions.code_stub = {"python": "# your answer goes here"}
# Submissions are judged in processes of their own, where they can't reach their grade.
c.Autograde.autograde_preprocessors = preprocessors()
"""

README = """\
# vmalab as an nbgrader course

Each lesson is an assignment. In this folder, where vmalab and nbgrader are installed (`pip install 'vmalab[class]'`):

```sh
nbgrader generate_assignment 04-mremap-many-vmas      # source/ → release/: hand that out
nbgrader autograde 04-mremap-many-vmas                # submitted/STUDENT/04-mremap-many-vmas/ → autograded/
nbgrader generate_feedback 04-mremap-many-vmas        # → feedback/
nbgrader export                                       # grades.csv
```

- Keep this folder to yourself: the hidden tests hold the seed {seed}, from which their cases are drawn.
  `vmalab build nbgrader --seed {seed}` makes the same course again; without `--seed` a number is
  taken that is too large to be found by trying.
- `nbgrader_config.py` belongs to the course. It has submissions judged in processes of their own; without it graded
  cells refuse to run.
- The solutions of the exercises are in the published lessons, so their points say who has worked through a lesson.
  Functions are tried on cases that are drawn for this course, and so are the problems at the end of a lesson: their
  answers are in no file.
"""


def make(order: Order, folder: Path) -> None:
    """Write the course folder: the configuration, and `source/LESSON/LESSON.ipynb` for each lesson."""
    seed = secrets.randbelow(1 << 48) if order.seed is None else order.seed
    (folder / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    (folder / "README.md").write_text(README.format(seed=seed), encoding="utf-8")
    for path in order.lessons:
        place = folder / "source" / path.stem
        place.mkdir(parents=True)
        nbformat.write(assignment(read(path), seed), place / path.name)
        copy_pictures([path], place)


def assignment(nb: NotebookNode, seed: int) -> NotebookNode:
    """The lesson `nb` as an assignment's source; `nb` itself is changed."""
    for exercise in exercises(nb):
        if exercise.check is exercise.answer:
            at = nb.cells.index(exercise.answer)
            nb.cells.insert(at + 1, new_code_cell(id=f"{exercise.answer.id}-check", metadata={"tags": ["exercise"]}))
            tested = nb.cells[at + 1]
        else:
            tested = exercise.check
        name = exercise.name.replace(".", "-")
        points = exercise.check.metadata.pop("vmalab", {}).get("points", points_of(exercise))
        exercise.answer.source = with_region(without_check(exercise.answer.source), without_check(exercise.solution))
        exercise.answer.metadata["nbgrader"] = mark(f"answer-{name}", solution=True)
        tested.source = hidden_test(exercise, seed)
        tested.metadata["nbgrader"] = mark(f"check-{name}", grade=True, locked=True, points=points)
    at = next((n for n, cell in enumerate(nb.cells) if cell.source.startswith("## Summary")), len(nb.cells))
    nb.cells[at:at] = problem_cells(title(nb)[:2], seed)
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.source = untold(cell.source)
    cleared(code_cells(nb))
    return nb


PROBLEMS = """\
### Problems for this course

These were drawn for your class: the answers are in no file. Decide first, and try the calls on a model afterwards."""


def problem_cells(lesson: str, seed: int) -> list[NotebookNode]:
    """The cells of the problems that a lesson gets: what is asked, the cell to answer in, the graded cell."""
    cells: list[NotebookNode] = []
    for number, name in enumerate(names(lesson), 1):
        one = drawn(name, seed)
        assert one is not None
        label, answer = f"problem-{lesson}-{number}", f"answer_{number}"
        text = f"**Problem {lesson}.{number}** (level {one.level})\n\n{asked(one)}"
        cells += [
            new_markdown_cell(text if cells else f"{PROBLEMS}\n\n{text}", id=f"{label}-asked"),
            new_code_cell(with_region(f"{answer} = ...", f"{answer} = {one.answer!r}"), id=f"{label}-answer"),
            new_code_cell(
                f"{answer}\n{hidden(name, answer, seed)}# When this is graded, your answer is judged.",
                id=f"{label}-check",
            ),
        ]
        cells[-2].metadata["nbgrader"] = mark(f"answer-{label}", solution=True)
        cells[-1].metadata["nbgrader"] = mark(f"check-{label}", grade=True, locked=True, points=one.level)
    return cells


def points_of(exercise: Exercise) -> int:
    """The points of an exercise whose lesson does not say."""
    return POINTS if find(exercise.name).unseen is None else POINTS_UNSEEN


def mark(grade_id: str, **more: Any) -> dict[str, Any]:
    """A cell's metadata for nbgrader."""
    return {
        "grade": False, "grade_id": grade_id, "locked": False, "solution": False,
        "task": False, "schema_version": 3, **more,
    }  # fmt: skip


def with_region(stub: str, solution: str) -> str:
    """The cell to answer in with the solution in a region that nbgrader takes out again.

    What stub and solution have in common stands outside of it; what only the stub has is left to the student.
    """
    before, after = stub.splitlines(), solution.splitlines()
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    mine, solved = before[head : len(before) - tail], after[head : len(after) - tail]
    indent = solved[0][: len(solved[0]) - len(solved[0].lstrip())] if solved else ""
    lines = before[:head] + mine
    if solved:
        lines += [f"{indent}### BEGIN SOLUTION", *solved, f"{indent}### END SOLUTION"]
    return "\n".join(lines + before[len(before) - tail :])


def _common(a: list[str], b: list[str]) -> int:
    """How many lines a and b have in common at their beginning."""
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def hidden_test(exercise: Exercise, seed: int) -> str:
    """The cell that is graded: the check that the student sees, the hidden test, and a line that stays in its place."""
    drawn = find(exercise.name).unseen is not None
    told = (
        "When this is graded, your answer is also tried on cases that you don't see here."
        if drawn
        else "When this is graded, the same check is made again, apart from this notebook."
    )
    return f'check("{exercise.name}", {exercise.checked})\n{hidden(exercise.name, exercise.checked, seed)}# {told}'


def hidden(name: str, answer: str, seed: int) -> str:
    """The region of a hidden test: what grades `answer`, some code."""
    return (
        "### BEGIN HIDDEN TESTS\n"
        "from vmalab.editions.grade import grade\n\n"
        f'grade("{name}", {answer}, seed={seed})\n'
        "### END HIDDEN TESTS\n"
    )
