"""The nbgrader edition from end to end: generate, autograde, give feedback, to honest and to other submissions."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tests.editions import submissions as by
from vmalab.editions import build
from vmalab.editions.drawn_problems import LEVELS, asked, drawn
from vmalab.editions.source import exercises, read, without_check
from vmalab.programs.data import lessons
from vmalab.teach.problems.choices import LETTERS

LESSON = "04-mremap-many-vmas"
PATH = lessons() / f"{LESSON}.ipynb"
EXERCISES = [one.name for one in exercises(read(PATH))]
SEED = 2026
DRAWN = {f"problem.04.{level}": drawn(f"problem 04.{level}", SEED) for level in LEVELS}
POINTS = {"4.1": 2, "4.2": 2, "4.3": 2, "4.4": 4, "4.5": 2, "problem.04.1": 1, "problem.04.2": 2, "problem.04.3": 3}
pytestmark = [pytest.mark.notebook, pytest.mark.slow]


def nbgrader(course: Path, *arguments: str) -> str:
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
           "HOME": str(course), "JUPYTER_CONFIG_DIR": str(course), "IPYTHONDIR": str(course)}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments], cwd=course, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course whose one assignment is generated: the exercises of a lesson, and what they need of it."""
    output = tmp_path_factory.mktemp("class")
    nb = read(PATH)
    at = next(number for number, cell in enumerate(nb.cells) if cell.source.startswith("## Exercises"))
    nb.cells = [cell for cell in nb.cells[:at] if not cell.get("outputs")] + nb.cells[at:]
    nbformat.write(nb, output / PATH.name)
    folder = build("nbgrader", output, lessons=[output / PATH.name], seed=SEED).folder
    nbgrader(folder, "generate_assignment", LESSON)
    return folder


def released(course: Path) -> NotebookNode:
    return nbformat.read(course / "release" / LESSON / f"{LESSON}.ipynb", as_version=4)


def hand_in(course: Path, student: str, answers: dict[str, str], change: Callable[[NotebookNode], None] = id) -> None:
    """A student's submission: `answers` for the cells of exercises; `change` does anything else to the notebook."""
    nb = released(course)
    for cell in nb.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "").removeprefix("answer-").replace("-", ".")
        if name in answers:
            cell.source = answers[name].replace("COURSE", repr(str(course)))
    change(nb)
    folder = course / "submitted" / student / LESSON
    folder.mkdir(parents=True)
    nbformat.write(nb, folder / f"{LESSON}.ipynb")


def grades(course: Path, student: str) -> dict[str, float]:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        found = book.find_submission_notebook(LESSON, LESSON, student)
        return {
            grade.name.removeprefix("check-").replace("-", "."): grade.score
            for grade in found.grades
        }  # fmt: skip


def test_what_is_handed_out_has_hints_and_no_solution(course: Path) -> None:
    nb = released(course)
    text = "\n".join(cell.source for cell in nb.cells)
    assert "HIDDEN" not in text and "SOLUTION" not in text and "seed" not in text and "editions" not in text
    assert all(one and asked(one) in text and repr(one).splitlines()[0] not in text for one in DRAWN.values())
    assert "<summary>Hint 1</summary>" in text and "Solution</summary>" not in text
    for exercise in exercises(read(PATH)):
        assert without_check(exercise.solution) not in text
    tests = [cell for cell in nb.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert POINTS == {name: cell.metadata.nbgrader.points for name, cell in zip(POINTS, tests, strict=True)}
    assert all(cell.source.splitlines()[-1].startswith("# When this is graded") for cell in tests)


def after_imports(text: str) -> Callable[[NotebookNode], None]:
    """Run `text` when the lesson has imported what it needs."""

    def change(nb: NotebookNode) -> None:
        at = next(n for n, cell in enumerate(nb.cells) if "exercise(" in cell.source and cell.cell_type == "code")
        nb.cells.insert(at, nbformat.v4.new_code_cell(text))

    return change


def own_tests(nb: NotebookNode) -> None:
    """Graded cells of one's own making, and the teacher's marked as something else."""
    for cell in nb.cells:
        mark = cell.metadata.get("nbgrader", {})
        if mark.get("grade"):
            cell.source, mark["points"], mark["locked"] = "100.0", 100, False


@pytest.mark.timeout(900)
def test_a_class_gets_the_grades_that_it_earned(course: Path) -> None:
    solved = {one.name: without_check(one.solution) for one in exercises(read(PATH))}
    told = {name: f"answer_{name[-1]} = {one.answer!r}" for name, one in DRAWN.items() if one}
    choice = {name: one for name, one in DRAWN.items() if one and one.choices}
    letters = {name: f"answer_{name[-1]} = {LETTERS[one.right]!r}" for name, one in choice.items()}
    others = {name: f"answer_{name[-1]} = {LETTERS[one.right - 1]!r}" for name, one in choice.items()}
    assert choice
    hand_in(course, "right", solved | told)
    hand_in(course, "otherwise", by.OTHERWISE | told | letters)
    hand_in(course, "wrong", by.WRONG | others)
    hand_in(course, "empty", {})
    hand_in(course, "patches", by.WRONG, after_imports(by.MONKEYPATCHED + by.REDEFINED))
    hand_in(course, "prints", dict.fromkeys(POINTS, by.FAKE_GRADE), own_tests)
    hand_in(course, "cheats", {"4.1": by.SEEKS_SEED, "4.2": by.LIAR, "4.3": by.HUGE, "4.4": by.READS_FILES})
    hand_in(course, "breaks", {"4.1": solved["4.1"], "4.2": by.KILLS, "4.4": solved["4.4"]})
    said = nbgrader(course, "autograde", LESSON)
    assert "Traceback" not in said
    none = dict.fromkeys(POINTS, 0)
    students = sorted(path.name for path in (course / "submitted").iterdir())
    assert {student: grades(course, student) for student in students} == {
        "right": POINTS,
        "otherwise": POINTS,
        "wrong": none,
        "empty": none,
        "patches": none,
        "prints": none,
        "cheats": none,
        "breaks": none | {"4.1": 2},
    }
    nbgrader(course, "generate_feedback", LESSON)
    wrong = (course / "feedback" / "wrong" / LESSON / f"{LESSON}.html").read_text(encoding="utf-8")
    assert "The canary at page 67 is gone: page 3 of the range arrived" in " ".join(wrong.split())
