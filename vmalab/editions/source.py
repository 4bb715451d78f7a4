"""What a lesson is made of: its cells and tags, and its exercises with their hints and solutions.

Everything that reads a lesson's template reads it here; the template itself is held by `tests/test_lessons.py`.
"""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Sequence
from pathlib import Path

import nbformat
from attrs import frozen
from nbformat import NotebookNode

from vmalab.errors import UsageError
from vmalab.programs import data

SOLUTION = re.compile(r"<details>\s*<summary>Solution</summary>(.*?)</details>\n*", re.DOTALL)
_FENCE = re.compile(r"```python\n(.*?)```\n*", re.DOTALL)
_HEADING = re.compile(r"^### (Exercise [\w-]+\.\d+): (.+)$", re.MULTILINE)


def lesson_paths(*names: str) -> list[Path]:
    """The notebooks of the course, in order; only those whose names begin with one of `names`, where such are given."""
    found = sorted(data.lessons().glob("*.ipynb"))
    if not found:
        raise UsageError(f"this installation of vmalab has no lessons: there is nothing in {data.lessons()}")
    for name in names:
        if not any(name and path.stem.startswith(name) for path in found):
            raise UsageError(f"there is no lesson {name!r}: there are {', '.join(path.stem for path in found)}")
    return [path for path in found if not names or path.stem.startswith(names)]


def lessons_in(folder: Path) -> list[Path]:
    """The notebooks of a folder with somebody's lessons, in order of their names; UsageError where there is none."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: name the one with your lessons")
    found = sorted(folder.glob("*.ipynb"))
    if not found:
        raise UsageError(f"there is no notebook in {folder}: vmalab new lesson NAME makes one")
    return found


def read(path: Path) -> NotebookNode:
    """A lesson, for the caller to change."""
    nb: NotebookNode = nbformat.read(path, as_version=4)
    return nb


def title(nb: NotebookNode) -> str:
    """A lesson's title: the heading of its first cell."""
    return str(nb.cells[0].source.splitlines()[0].removeprefix("# "))


def tags(cell: NotebookNode) -> set[str]:
    """The tags of a cell."""
    return set(cell.metadata.get("tags", ()))


def code_cells(nb: NotebookNode) -> list[NotebookNode]:
    """The cells with code, in order."""
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def gives_away(cell: NotebookNode) -> bool:
    """Whether a cell's output answers a prediction: it is folded in the lesson."""
    return bool(cell.metadata.get("jupyter", {}).get("outputs_hidden"))


# --- exercises ---


@frozen
class Exercise:
    """One exercise of a lesson.

    `name`: as `check` knows it, `"4.2"`.  `answer`, `check`: the cells to fill in and to check with; one and the same
    where the check stands below the answer.  `checked`: the argument of check, as code.  `solution`: code for `answer`.
    """

    name: str
    title: str
    answer: NotebookNode
    check: NotebookNode
    checked: str
    solution: str


def exercises(nb: NotebookNode) -> list[Exercise]:
    """The exercises of a lesson, in order.  Raises UsageError where the lesson is not as the template says."""
    cells, solved = answers(nb), solutions(nb)
    checks = [(cell, call) for cell in code_cells(nb) if (call := check_call(cell.source)) is not None]
    titles = [found[2] for cell in nb.cells for found in _HEADING.finditer(cell.source)]
    if not len(cells) == len(solved) == len(checks) == len(titles):
        raise UsageError(
            f"{title(nb)}: {len(titles)} exercises, {len(cells)} cells to answer in, {len(checks)} checks and "
            f"{len(solved)} solutions: each exercise has one of each"
        )
    return [
        Exercise(name, heading, answer, check, checked, solution)
        for heading, answer, (check, (name, checked)), solution in zip(titles, cells, checks, solved, strict=True)
    ]


def answers(nb: NotebookNode) -> list[NotebookNode]:
    """The cells that a learner fills in."""
    return [
        cell
        for cell in code_cells(nb)
        if "exercise" in tags(cell) and not re.fullmatch(r"check\(.*\)", cell.source.strip())
    ]


def solutions(nb: NotebookNode) -> list[str]:
    """The code of all solutions, in order."""
    found = []
    for cell in nb.cells:
        for text in SOLUTION.findall(cell.source):
            found += _FENCE.findall(text)
    return [html.unescape(code).strip() for code in found]


def check_call(source: str) -> tuple[str, str] | None:
    """The exercise's name and the code of the answer, of a cell that ends in `check("4.2", vm)`; None of any other."""
    body = ast.parse(source).body
    call = body[-1].value if body and isinstance(body[-1], ast.Expr) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "check"):
        return None
    name, answer = call.args
    return str(ast.literal_eval(name)), ast.unparse(answer)


def without_check(source: str) -> str:
    """A cell's code without the check that it ends in."""
    if check_call(source) is None:
        return source
    last = ast.parse(source).body[-1].lineno
    return "\n".join(source.splitlines()[: last - 1]).rstrip()


def told(source: str) -> str:
    """A text cell with its solutions open and without their code, which stands in the cell to answer in."""
    return SOLUTION.sub(
        lambda found: f"<details open>\n<summary>Solution</summary>{_FENCE.sub('', found[1])}</details>\n", source
    )


def untold(source: str) -> str:
    """A text cell without its solutions."""
    return SOLUTION.sub("", source).rstrip()


def cleared(cells: Sequence[NotebookNode]) -> None:
    """Take the outputs of code cells away."""
    for cell in cells:
        cell.outputs, cell.execution_count = [], None
