"""The nbgrader edition: a course folder with an assignment for each lesson, ready for `nbgrader generate_assignment`.

In each exercise the answer's cell has a solution region, and the cell of its check a hidden test with the points.  Each
lesson also gets problems for each student (drawn_problems.py).  What is drawn, cases and problems, comes from the
secret of the course (secret.py), which is no part of the edition: no cell holds it, nor anything that is made from it
but the text of problems.  `vmalab.editions.grader` says how a submission is judged.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from vmalab.editions.drawn_problems import EFFORT, asked, drawn, names
from vmalab.editions.folder import copy_pictures
from vmalab.editions.roster import read_roster
from vmalab.editions.secret import FILE, VARIABLE, key_of, make_secret
from vmalab.editions.source import Exercise, cleared, code_cells, exercises, read, tags, title, untold, without_check
from vmalab.teach.exercises import find
from vmalab.teach.own_problems import EVERYBODY, packed
from vmalab.teach.problems.make import EDITION

if TYPE_CHECKING:
    from vmalab.editions import Order

POINTS, POINTS_UNSEEN = 2, 4
"""For an exercise; for one whose answer is also tried on cases that nobody has seen.  The check's cell may say
otherwise in its metadata: `{"vmalab": {"points": 3}}`."""

CONFIG = """\
# The course of vmalab for nbgrader, made by `vmalab build nbgrader`.  Needs: pip install 'vmalab[class]'.
from pathlib import Path

from vmalab.editions.autograde import configure

c = get_config()  # noqa: F821
# Judged apart, feedback without hidden tests, and the gradebook beside this file, wherever a command is given.
folder = Path(__file__).resolve().parent
configure(c, folder, personal={personal})

# Your own settings go into {own} beside this file, which a build never touches.  For example
#     c.Exchange.root = "/srv/nbgrader/exchange"
#     c.JudgeApart.seconds = 10          how long a cell of a submission may take
if (folder / "{own}").is_file():
    load_subconfig("{own}", path=str(folder))  # noqa: F821
"""

OWN = "own_config.py"
"""The file with a lecturer's own settings."""

README = """\
# vmalab as an nbgrader course

Each lesson is an assignment. In this folder, where vmalab and nbgrader are installed (`pip install 'vmalab[class]'`):

```sh
nbgrader generate_assignment 04-mremap-many-vmas      # source/ → release/: hand that out
vmalab grade 04-mremap-many-vmas --from FILE.zip      # an LMS's download (or: --from exchange) → autograded/
nbgrader generate_feedback 04-mremap-many-vmas        # → feedback/
```

- `{file}` (mode 600; or the environment variable `{variable}`) is the secret of this course. All that is drawn comes
  from it: keep it, hand it to nobody, and put it into no repository. A course that is built again in this folder stays
  the same.
- {drawn}
- `nbgrader_config.py` belongs to the course. It has submissions judged in processes of their own; without it graded
  cells refuse to run. Settings of yours go into `{own}`.
- The solutions of the exercises are in the published lessons, so their points say who has worked through a lesson.
  Functions are tried on cases that are drawn for each student, and so are the problems at the end of a lesson: their
  answers are in no file.

The instructor's guide (`docs/instructors-guide.md`) has the whole way, from the exchange to marks in an LMS.
"""

PERSONAL = "Each of the {count} students of the roster has problems of his own, of equal kind and equally hard."
COMMON = """\
The problems of a lesson are the same for all. With `vmalab build nbgrader --roster FILE` each student gets problems of
  his own, of equal kind and equally hard."""


def make(order: Order, folder: Path) -> None:
    """Write the course folder: the configuration, and `source/LESSON/LESSON.ipynb` for each lesson."""
    secret = make_secret(order.folder)
    students = [] if order.roster is None else [one.id for one in read_roster(order.roster)]
    (folder / "nbgrader_config.py").write_text(CONFIG.format(personal=bool(students), own=OWN), encoding="utf-8")
    drawn_for = PERSONAL.format(count=len(students)) if students else COMMON
    readme = README.format(file=FILE, variable=VARIABLE, own=OWN, drawn=drawn_for)
    (folder / "README.md").write_text(readme, encoding="utf-8")
    for path in order.lessons:
        place = folder / "source" / path.stem
        place.mkdir(parents=True)
        nbformat.write(assignment(read(path), secret, students), place / path.name)
        copy_pictures([path], place)


def assignment(nb: NotebookNode, secret: bytes, students: Sequence[str] = ()) -> NotebookNode:
    """The lesson `nb` as an assignment's source, with problems for these students; `nb` itself is changed."""
    for exercise in exercises(nb):
        if exercise.check is exercise.answer:
            at = nb.cells.index(exercise.answer)
            nb.cells.insert(at + 1, new_code_cell(id=f"{exercise.answer.id}-check"))
            tested = nb.cells[at + 1]
        else:
            tested = exercise.check
        name = exercise.name.replace(".", "-")
        points = exercise.check.metadata.pop("vmalab", {}).get("points", points_of(exercise))
        exercise.answer.source = with_region(without_check(exercise.answer.source), without_check(exercise.solution))
        exercise.answer.metadata["nbgrader"] = mark(f"answer-{name}", solution=True)
        tested.source = hidden_test(exercise)
        tested.metadata["tags"] = [*tags(exercise.answer), GOES_ON]
        tested.metadata["nbgrader"] = mark(f"check-{name}", grade=True, locked=True, points=points)
    at = next((n for n, cell in enumerate(nb.cells) if cell.source.startswith("## Summary")), len(nb.cells))
    nb.cells[at:at] = problem_cells(title(nb)[:2], secret, students)
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.source = untold(cell.source)
    cleared(code_cells(nb))
    nb.metadata["vmalab"] = {"edition": EDITION}
    return nb


GOES_ON = "raises-exception"
"""The tag with which Jupyter runs the cells below all the same, where an answer is not there yet."""

NO_SOLUTION = "### BEGIN SOLUTION\n### END SOLUTION"
"""nbgrader would clear the whole cell of an answer that has no solution in it."""

PROBLEMS = """\
### Problems of your own

These were drawn for {whom}: their answers are in no file. Decide first, and try the calls on a model afterwards."""


JUDGED = "# When this is graded, it is judged."


def problem_cells(lesson: str, secret: bytes, students: Sequence[str]) -> list[NotebookNode]:
    """The cells of the problems that a lesson gets: what is asked, the cell to answer in, the graded cell."""
    if not names(lesson):
        return []
    keys = {one: key_of(secret, lesson, one) for one in students} or {EVERYBODY: key_of(secret, lesson, EVERYBODY)}
    text = packed(lesson, {one: asked_of(lesson, key) for one, key in keys.items()})
    own = new_code_cell(
        f"from vmalab.teach import OwnProblems\n\nown = OwnProblems(\n    {json.dumps(text)}\n)\nown",
        id=f"problems-{lesson}", metadata={"jupyter": {"source_hidden": True}},
    )  # fmt: skip
    whom = "you, and others got others" if students else "your class"
    cells = [new_markdown_cell(PROBLEMS.format(whom=whom), id=f"problems-{lesson}-asked"), own]
    for level, name in zip(EFFORT, names(lesson), strict=True):
        number, label, answer = f"{lesson}.{level}", f"problem-{lesson}-{level}", f"answer_{level}"
        cells += [
            new_code_cell(f'own["{number}"]', id=f"{label}-asked"),
            new_code_cell(f"{answer} = ...\n{NO_SOLUTION}", id=f"{label}-answer"),
            new_code_cell(
                f'own["{number}"].require({answer})\n{hidden(name, answer, EDITION)}{JUDGED}',
                id=f"{label}-check", metadata={"tags": [GOES_ON]},
            ),
        ]  # fmt: skip
        cells[-2].metadata["nbgrader"] = mark(f"answer-{label}", solution=True)
        cells[-1].metadata["nbgrader"] = mark(f"check-{label}", grade=True, locked=True, points=level)
    return cells


def asked_of(lesson: str, key: str) -> dict[str, str]:
    """What the problems of a lesson ask of whoever has this key, by number such as `"04.2"`."""
    return {
        name.removeprefix("problem "): asked(one) for name in names(lesson) if (one := drawn(name, key)) is not None
    }


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


def hidden_test(exercise: Exercise) -> str:
    """The cell that is graded: the check that the student sees, the hidden test, and a line that stays in its place."""
    drawn = find(exercise.name).unseen is not None
    told = (
        "When this is graded, your answer is also tried on cases that you don't see here."
        if drawn
        else "When this is graded, the same check is made again, apart from this notebook."
    )
    return f'check("{exercise.name}", {exercise.checked}).require()\n{hidden(exercise.name, exercise.checked)}# {told}'


def hidden(name: str, answer: str, *edition: str) -> str:
    """The region of a hidden test: what grades `answer`, some code.  `edition`: that of a problem that was drawn."""
    more = "".join(f', "{one}"' for one in edition)
    return (
        "### BEGIN HIDDEN TESTS\n"
        "from vmalab.editions.grade import grade\n\n"
        f'grade("{name}", {answer}{more})\n'
        "### END HIDDEN TESTS\n"
    )
