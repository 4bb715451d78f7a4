"""The solution edition: every exercise solved in its cell, the reasons below it, and the outputs of one run."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbformat import NotebookNode

from vmalab.editions.execute import run
from vmalab.editions.folder import copy_modules, copy_pictures
from vmalab.editions.source import exercises, read, told

if TYPE_CHECKING:
    from vmalab.editions import Order


def make(order: Order, folder: Path) -> None:
    """Write the lessons, solved and run, and the pictures that they show, into `folder`."""
    copy_pictures(order.lessons, folder)
    for path in order.lessons:
        nb = solved(read(path))
        with tempfile.TemporaryDirectory() as elsewhere:  # what its libraries leave behind is no part of the edition
            copy_modules([path], Path(elsewhere))
            run(nb, path.name, Path(elsewhere))
        nbformat.write(nb, folder / path.name)


def solved(nb: NotebookNode) -> NotebookNode:
    """The lesson `nb` with the solutions in their cells, not yet run; `nb` itself is changed."""
    for exercise in exercises(nb):
        exercise.answer.source = exercise.solution
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.source = told(cell.source)
    return nb
