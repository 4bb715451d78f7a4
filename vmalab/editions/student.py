"""The student's edition: hints stay, solutions go, and so does every output that would answer a question.

What stays are the pictures of what the lesson explains, so that it can be read before it is run.  Cleared are the
outputs of exercises and of predictions, and what another machine's kernel answered.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbformat import NotebookNode

from vmalab.editions.folder import copy_pictures
from vmalab.editions.source import cleared, code_cells, gives_away, read, tags, untold

if TYPE_CHECKING:
    from vmalab.editions import Order


def make(order: Order, folder: Path) -> None:
    """Write the lessons, and the pictures that they show, into `folder`."""
    for path in order.lessons:
        nbformat.write(student(read(path)), folder / path.name)
    copy_pictures(order.lessons, folder)


def student(nb: NotebookNode) -> NotebookNode:
    """The lesson `nb` as it is handed out; `nb` itself is changed."""
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.source = untold(cell.source)
    cleared([cell for cell in code_cells(nb) if gives_away(cell) or tags(cell) & {"exercise", "live"}])
    return nb
