"""Student and solution: what each holds; the solved lessons pass, the others fail where an answer is missing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from vmalab.editions import build
from vmalab.editions.folder import RECORD
from vmalab.editions.source import check_call, code_cells, exercises, gives_away, lesson_paths, read, tags
from vmalab.editions.student import student

LESSONS = lesson_paths()
NBVAL = Path(__file__).parents[1] / "nbval.cfg"
pytestmark = [pytest.mark.notebook, pytest.mark.slow]
lessons = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the solution edition of the whole course."""
    return build("solution", tmp_path_factory.mktemp("editions")).folder


def test_the_solution_edition_is_its_lessons_and_nothing_else(solved: Path) -> None:
    files = {path.relative_to(solved).parts[0] for path in solved.rglob("*") if path.is_file()}
    assert {*(path.name for path in LESSONS), "pictures", RECORD} == files
    assert [solved] == list(solved.parent.iterdir())


def shown(cell: NotebookNode) -> list[Any]:
    """What a cell shows, as strict nbval compares it: all but images."""
    return [
        {kind: text for kind, text in output.get("data", {"text": output.get("text")}).items() if "image/" not in kind}
        for output in cell.outputs
    ]


# --- what they hold ---


@lessons
def test_the_student_gets_hints_and_nothing_that_gives_an_answer_away(path: Path) -> None:
    nb = student(read(path))
    text = "\n".join(cell.source for cell in nb.cells)
    assert "<summary>Solution</summary>" not in text and text.count("<summary>Hint") > 0
    assert text.count("<details>") == text.count("</details>")
    for exercise in exercises(read(path)):
        assert exercise.solution not in text
    for cell in code_cells(nb):
        assert (cell.outputs == []) or not (gives_away(cell) or tags(cell) & {"exercise", "live"})
    assert [cell.id for cell in read(path).cells] == [cell.id for cell in nb.cells]
    nbformat.validate(nb)


@lessons
def test_every_solution_stands_in_its_cell_and_its_reasons_below(path: Path, solved: Path) -> None:
    nb = read(solved / path.name)
    sources = {cell.id: cell.source for cell in nb.cells}
    for exercise in exercises(read(path)):
        assert exercise.solution == sources[exercise.answer.id]
    text = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    assert text.count("<details open>\n<summary>Solution</summary>") == len(exercises(read(path)))


# --- what they do ---


@lessons
def test_solved_all_checks_pass_and_only_exercises_show_something_else(path: Path, solved: Path) -> None:
    """The stored outputs of a lesson are those of the unsolved one, so what differs from them is where it fails."""
    theirs = {cell.id: cell for cell in read(solved / path.name).cells}
    ours = [cell for cell in code_cells(read(path)) if "live" not in tags(cell)]
    checks = [cell.id for cell in ours if check_call(cell.source)]
    assert checks and all(theirs[one].outputs[0].data["text/plain"].startswith("✓ Solved.") for one in checks)
    differ = {cell.id for cell in ours if shown(cell) != shown(theirs[cell.id])}
    asked = {cell.id for cell in ours if "exercise" in tags(cell) and cell.outputs}
    assert set(checks) <= differ == asked


def test_under_strict_nbval_the_solved_lesson_passes_and_the_students_fails_at_its_answers(
    solved: Path, tmp_path: Path
) -> None:
    """Lesson 00, as its students run it: held against the outputs of the solved one."""
    path = LESSONS[0]
    full, open_ = read(solved / path.name), student(read(path))
    for cell, reference in zip(open_.cells, full.cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = reference.outputs, reference.execution_count
    expected = {n for n, cell in enumerate(code_cells(open_)) if "exercise" in tags(cell) and cell.outputs}
    nbformat.write(full, tmp_path / "solved.ipynb")
    nbformat.write(open_, tmp_path / "students.ipynb")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rf", "-p", "no:cacheprovider", "-c", "/dev/null", "--nbval",
         "--nbval-current-env", f"--nbval-sanitize-with={NBVAL}", "solved.ipynb", "students.ipynb"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    failed = re.findall(r"^FAILED (\w+)\.ipynb::Cell (\d+)", done.stdout, flags=re.MULTILINE)
    assert {("students", number) for number in expected} == {(name, int(number)) for name, number in failed}, (
        done.stdout
    )
    assert f"{2 * len(code_cells(full)) - len(expected)} passed" in done.stdout
