"""Every lesson holds the outputs of one run from top to bottom: without them strict nbval would check nothing.

What the outputs say is nbval's to check (`make lessons`); here is only whether they are there and can be compared.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.tools.execute_notebooks import execute
from vmalab.cli.handout import DIGESTS, digests
from vmalab.editions.execute import WIDGET_VIEW, addresses, normalise
from vmalab.editions.source import lesson_paths
from vmalab.errors import UsageError

LESSONS = lesson_paths()


def shows(source: str) -> bool:
    """Whether a cell must have an output: it ends in a value that is no call, or prints or displays something."""
    lines = [line for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))]
    body = ast.parse("\n".join(lines)).body
    if not body or not isinstance(last := body[-1], ast.Expr) or source.rstrip().endswith(";"):
        return False
    if isinstance(call := last.value, ast.Call):
        return isinstance(call.func, ast.Name) and call.func.id in {"print", "display"}
    return not isinstance(last.value, ast.Await) and not (
        isinstance(last.value, ast.Constant) and last.value.value in (None, ...)
    )


def complaints(nb: NotebookNode) -> list[str]:
    """What keeps a lesson's stored outputs from being a reference; empty when they are one."""
    found = []
    code = [(n, cell) for n, cell in enumerate(nb.cells, start=1) if cell.cell_type == "code" and cell.source.strip()]
    for expected, (n, cell) in enumerate(code, start=1):
        tags = cell.metadata.get("tags", [])
        if "nbval-skip" not in tags and cell.execution_count != expected:
            found.append(f"cell {n}: execution count {cell.execution_count}, {expected} in a run from top to bottom")
        if "nbval-skip" not in tags and shows(cell.source) and not cell.outputs:
            found.append(f"cell {n}: shows something, but no output is stored")
        if "execution" in cell.metadata:
            found.append(f"cell {n}: execution times are stored")
        for output in cell.outputs:
            if output.output_type == "error" and "raises-exception" not in tags:
                found.append(f"cell {n}: ended in {output.ename}")
            if output.get("name") == "stderr":
                found.append(f"cell {n}: wrote to stderr: {output.text[:60]!r}")
            if WIDGET_VIEW in output.get("data", {}):
                found.append(f"cell {n}: a view of a widget that is gone is stored")
    if not any(cell.outputs for _, cell in code):
        found.append("no cell has an output")
    found += [f"{hit} holds an address" for hit in addresses(nb)]
    return found


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.name)
def test_a_lesson_holds_the_outputs_of_one_run(path: Path) -> None:
    nb = nbformat.read(path, as_version=4)
    nbformat.validate(nb)
    assert [] == complaints(nb), "run `make notebooks`"


def stream(text: str, name: str = "stdout") -> NotebookNode:
    return new_output("stream", name=name, text=text)


def lesson(*cells: NotebookNode) -> NotebookNode:
    return new_notebook(cells=[new_markdown_cell("# A lesson"), *cells])


def test_a_good_lesson_has_no_complaint() -> None:
    nb = lesson(
        new_code_cell("x = 1", execution_count=1),
        new_code_cell("print(x)", execution_count=2, outputs=[stream("1\n")]),
    )
    assert [] == complaints(nb)


VIEW = new_output("display_data", data={"text/plain": "Stepper", WIDGET_VIEW: {"model_id": "1"}})
BARE = new_output("display_data", data={"text/plain": "<vmalab.Widget object at 0x7f12aabbccdd>"})


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        (new_code_cell("print(1)"), "execution count None"),
        (new_code_cell("print(1)", execution_count=2, outputs=[stream("1")]), "execution count 2, 1 in a run"),
        (new_code_cell("1 + 1", execution_count=1), "no output is stored"),
        (new_code_cell("x = 1", execution_count=1), "no cell has an output"),
        (new_code_cell("x", execution_count=1, outputs=[stream("oh", "stderr")]), "wrote to stderr: 'oh'"),
        (new_code_cell("x", execution_count=1, outputs=[new_output("error", ename="KeyError")]), "ended in KeyError"),
        (new_code_cell("x", execution_count=1, outputs=[VIEW]), "widget that is gone"),
        (new_code_cell("x", execution_count=1, outputs=[BARE]), "holds an address"),
        (new_code_cell("x", execution_count=1, metadata={"execution": {}}, outputs=[stream("1")]), "execution times"),
    ],
)
def test_a_lesson_that_is_no_reference_is_refused(cell: NotebookNode, complaint: str) -> None:
    found = complaints(lesson(cell))
    assert any(complaint in text for text in found), found


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x", True),
        ("a = 1\na.b", True),
        ("print('a')", True),
        ("display(x)", True),
        ("%matplotlib inline\nx", True),
        ("x;", False),
        ("x = 1", False),
        ("f(x)", False),
        ("...", False),
        ("# a comment", False),
        ("for i in x:\n    pass", False),
    ],
)
def test_which_cells_must_have_an_output(source: str, expected: bool) -> None:
    assert expected == shows(source)


def test_normalise_leaves_out_what_differs_from_run_to_run() -> None:
    here = stream(f"Python: {sys.prefix}/bin/python")
    cell = new_code_cell(
        "x", execution_count=1, metadata={"execution": {"a": "b"}, "tags": ["t"]}, outputs=[VIEW, here]
    )
    nb = lesson(cell)
    nb.metadata["widgets"] = {"state": {}}
    nb.metadata["language_info"] = {"version": "3.11.7"}
    nb.metadata["vmalab"] = {"minutes": 30}
    normalise(nb)
    assert {"tags": ["t"]} == nb.cells[1].metadata
    assert {"text/plain": "Stepper"} == nb.cells[1].outputs[0].data
    assert f"Python: {Path(sys.prefix).name}/bin/python" == nb.cells[1].outputs[1].text
    assert {"kernelspec", "language_info", "vmalab"} == set(nb.metadata)
    assert "version" not in nb.metadata.language_info


@pytest.mark.notebook
def test_executing_twice_gives_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "lesson.ipynb"
    nb = lesson(
        new_code_cell("from ipywidgets import IntSlider"), new_code_cell("print(6 * 7)"), new_code_cell("IntSlider(3)")
    )
    nbformat.write(nb, path)
    assert execute(path)
    once = path.read_bytes()
    assert not execute(path)
    assert once == path.read_bytes()
    assert [] == complaints(nbformat.read(path, as_version=4))


@pytest.mark.notebook
def test_a_failing_cell_is_named_and_the_file_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "lesson.ipynb"
    nbformat.write(lesson(new_code_cell("1 / 0")), path)
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"^lesson.ipynb, cell 2: ZeroDivisionError: division by zero$"):
        execute(path)
    assert before == path.read_bytes()


def test_the_lessons_that_are_trusted_are_these() -> None:
    assert digests(LESSONS) == DIGESTS.read_text(encoding="ascii"), "a lesson was changed: run `make notebooks`"
