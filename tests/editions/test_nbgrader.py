"""The nbgrader edition from end to end: generate, autograde, give feedback, to honest and to other submissions."""

from __future__ import annotations

import base64
import json
import lzma
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from tests.editions import hostile
from tests.editions import submissions as by
from vmalab.editions import build
from vmalab.editions.autograde import keys_of
from vmalab.editions.drawn_problems import EFFORT, drawn
from vmalab.editions.nbgrader import OWN
from vmalab.editions.source import exercises, read, without_check
from vmalab.errors import UsageError
from vmalab.programs.data import lessons
from vmalab.teach import OwnProblems
from vmalab.teach.own_problems import entry_name
from vmalab.teach.problems import Problem
from vmalab.teach.problems.choices import LETTERS

LESSON = "04-mremap-many-vmas"
PATH = lessons() / f"{LESSON}.ipynb"
EIGHT = ("right", "otherwise", "wrong", "empty", "patches", "prints", "cheats", "breaks")
EXERCISES = [one.name for one in exercises(read(PATH))]
POINTS = {"4.1": 2, "4.2": 2, "4.3": 2, "4.4": 4, "4.5": 2, "problem.04.1": 1, "problem.04.2": 2, "problem.04.3": 3}
pytestmark = [pytest.mark.notebook, pytest.mark.slow]


def nbgrader(course: Path, *arguments: str, cwd: Path | None = None) -> str:
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
           "HOME": str(course), "JUPYTER_CONFIG_DIR": str(course), "IPYTHONDIR": str(course),
           "JUPYTERHUB_USER": "right", "GRADERS_TOKEN": "an inherited secret"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments], cwd=cwd or course, env=env, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
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
    roster = output / "roster.csv"
    roster.write_text("id,first_name,last_name,email\n" + "".join(f"{one},,,\n" for one in (*EIGHT, *hostile.ALL)))
    folder = build("nbgrader", output, lessons=[output / PATH.name], roster=roster).folder
    (folder / OWN).write_text("c = get_config()\nc.JudgeApart.seconds = 3\n")
    nbgrader(folder, "generate_assignment", LESSON)
    return folder


def drawn_for(course: Path, student: str) -> dict[str, Problem]:
    """The problems of a student, by name of the graded cell."""
    key = keys_of(course, LESSON, student, True)["problems"]
    made = {f"problem.04.{level}": drawn(f"problem 04.{level}", key) for level in EFFORT}
    return {name: one for name, one in made.items() if one is not None}


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
    assert "<summary>Hint 1</summary>" in text and "Solution</summary>" not in text
    for exercise in exercises(read(PATH)):
        assert without_check(exercise.solution) not in text
    tests = [cell for cell in nb.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert POINTS == {name: cell.metadata.nbgrader.points for name, cell in zip(POINTS, tests, strict=True)}
    assert all(cell.source.splitlines()[-1].startswith("# When this is graded") for cell in tests)


def packed_in(course: Path) -> str:
    (cell,) = (
        cell for cell in released(course).cells if cell.source.startswith("from vmalab.teach import OwnProblems")
    )
    names: dict[str, Any] = {}
    exec(cell.source, names)
    return str(re.search(r'"(.*)"', cell.source)[1])  # type: ignore[index]


def test_each_student_has_problems_of_his_own_of_equal_kind_and_effort(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = packed_in(course)
    for student in EIGHT:
        monkeypatch.setenv("JUPYTERHUB_USER", f" {student.upper()}")
        own = OwnProblems(text)
        for name, one in drawn_for(course, student).items():
            assert own[name.removeprefix("problem.")].text.splitlines()[:-2] == one.text().splitlines()[1:]
    made = [drawn_for(course, student) for student in EIGHT]
    for name in made[0]:
        assert 1 == len({(one[name].kind, one[name].level) for one in made})
        assert len(EIGHT) == len({one[name].digest for one in made})
    with pytest.raises(UsageError, match=r"there are no problems for 'nobody': write own\.student"):
        OwnProblems(text, "nobody")["04.1"]


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


def solved(course: Path, student: str) -> dict[str, str]:
    exercises_of = {one.name: without_check(one.solution) for one in exercises(read(PATH))}
    return exercises_of | {
        name: f"answer_{name[-1]} = {one.answer!r}" for name, one in drawn_for(course, student).items()
    }


def test_validate_fails_on_what_was_handed_out_and_passes_on_what_is_solved(course: Path, tmp_path: Path) -> None:
    hand_in(course, "right", solved(course, "right"))
    for folder, words in (
        (course / "release", "VALIDATION FAILED ON 8 CELL(S)"),
        (course / "submitted" / "right", "Success!"),
    ):
        told = nbgrader(course, "validate", str(folder / LESSON / f"{LESSON}.ipynb"))
        assert words in told
        assert "float" not in told and "Traceback" not in told


@pytest.mark.timeout(900)
def test_a_class_gets_the_grades_that_it_earned(course: Path, tmp_path: Path) -> None:
    right = solved(course, "right")
    choice = {name: one for name, one in drawn_for(course, "otherwise").items() if one.choices}
    letters = {name: f"answer_{name[-1]} = {LETTERS[one.right]!r}" for name, one in choice.items()}
    others = {
        name: f"answer_{name[-1]} = {LETTERS[one.right - 1]!r}"
        for name, one in drawn_for(course, "wrong").items() if one.choices
    }  # fmt: skip
    assert choice and others
    hand_in(course, "otherwise", solved(course, "otherwise") | by.OTHERWISE | letters)
    hand_in(course, "wrong", by.WRONG | others)
    hand_in(course, "empty", {}, all_live)
    hand_in(course, "patches", by.WRONG, after_imports(by.MONKEYPATCHED + by.REDEFINED))
    hand_in(course, "prints", dict.fromkeys(POINTS, by.FAKE_GRADE), own_tests)
    hand_in(course, "cheats", {"4.1": by.SEEKS_SEED, "4.2": by.LIAR, "4.3": by.HUGE, "4.4": by.READS_FILES})
    hand_in(course, "breaks", {"4.1": right["4.1"], "4.2": by.KILLS, "4.4": right["4.4"]}, of_another_edition)
    for student, attack in hostile.ALL.items():
        hand_in(course, student, {"4.1": attack, "4.4": right["4.4"], "4.5": right["4.5"]})
    before = {path: (path.stat().st_mode, path.stat().st_uid) for path in course.iterdir()}
    said = nbgrader(course, "autograde", LESSON)
    assert "Traceback" not in said and "each submission is judged without network, terminal" in said
    after = {path: (path.stat().st_mode, path.stat().st_uid) for path in course.iterdir()}
    assert before == {path: after[path] for path in before}
    none = dict.fromkeys(POINTS, 0)
    others_right = none | {"4.4": 4, "4.5": 2}
    assert {student: grades(course, student) for student in (*EIGHT, *hostile.ALL)} == {
        "right": POINTS,
        "otherwise": POINTS,
        "wrong": none,
        "empty": none,
        "patches": none,
        "prints": none,
        "cheats": none,
        "breaks": none | {"4.1": 2, "4.4": 4},
        **dict.fromkeys(hostile.ALL, others_right),
        "floods": others_right | {"4.1": 2},
    }
    nbgrader(course, "generate_feedback", LESSON)
    wrong = (course / "feedback" / "wrong" / LESSON / f"{LESSON}.html").read_text(encoding="utf-8")
    assert "The canary at page 67 is gone: page 3 of the range arrived" in " ".join(wrong.split())
    assert "an inherited secret" not in (course / "feedback" / "environment" / LESSON / f"{LESSON}.html").read_text()
    nbgrader(
        course,
        "export",
        "--config",
        str(course / "nbgrader_config.py"),
        "--to",
        str(tmp_path / "out.csv"),
        cwd=tmp_path,
    )
    assert 19 == len((tmp_path / "out.csv").read_text().splitlines())
    no_secret_in(course)


def of_another_edition(nb: NotebookNode) -> None:
    nb.metadata["vmalab"] = {"edition": "0"}


def all_live(nb: NotebookNode) -> None:
    """J1: nbgrader restores the sources of cells, not their tags."""
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.metadata["tags"] = ["live"]


def no_secret_in(course: Path) -> None:
    """Neither the secret nor a key nor an answer that was drawn stands in anything that students see."""
    told = (course / "vmalab.secret").read_text().strip()
    assert "0o600" == oct((course / "vmalab.secret").stat().st_mode & 0o777)
    students = (*EIGHT, *hostile.ALL)
    keys = {key for one in students for key in keys_of(course, LESSON, one, True).values()}
    made = [one for student in students for one in drawn_for(course, student).values()]
    hidden = {told, *keys, *(str(one.seed) for one in made), *(one.digest for one in made)}
    files = [path for folder in ("release", "feedback") for path in (course / folder).rglob("*") if path.is_file()]
    assert 1 + 18 <= len(files)
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        assert [] == [one for one in hidden if one in text]
        assert "HIDDEN TESTS" not in text
        assert "vmalab.editions" not in text or "patches" in path.parts  # which has written that itself
    statements = lzma.decompress(base64.b85decode(packed_in(course))).decode()
    assert [] == [one for one in hidden if one in statements]
    packed = json.loads(statements)
    assert {"lesson", "problems"} == set(packed)
    entries = packed["problems"]
    assert {entry_name(packed["lesson"], student) for student in students} == set(entries)
    lines = [line for asked in entries.values() for text in asked.values() for line in text.splitlines()]
    assert [] == [line for line in lines if line.strip() in students]
    for student in students:
        for name, one in drawn_for(course, student).items():
            asked = entries[entry_name(packed["lesson"], student)][name.removeprefix("problem.")]
            if one.free:
                assert one.answer not in {line.partition(": ")[2] or line for line in asked.splitlines()}
