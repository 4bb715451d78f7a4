"""Lessons run from top to bottom: in a fresh kernel (`run`), or here for the objects that they show (`played`).

What a kernel's run leaves in a notebook is the reference that later runs are held against, so what differs from run to
run (times, versions, ids of widgets that are gone) is left out.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from vmalab.editions.source import code_cells
from vmalab.errors import UsageError
from vmalab.widgets.cells import value_of

CELL_SECONDS = 120
"""How long a cell may take."""

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
"""A view names a model that lives in the kernel of one run only.  Without it a lesson that is opened but not yet run
shows the widget's static picture or text, not "model not found".  nbval does not compare views."""

OUTPUT_SCRIPT = re.compile(r'\n<script class="vml-output".*?</script>', re.DOTALL)
"""What a widget of ours adds to its still picture: the same holds for it (`tests/nbval.cfg` says so to nbval)."""

_ADDRESS = re.compile(r"<[^<>]* at 0x[0-9a-f]{6,}>")
"""A default repr holds the object's address, which is another one in each run; strict nbval would fail on it."""

_KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
_LANGUAGE = {"name": "python", "mimetype": "text/x-python", "file_extension": ".py", "pygments_lexer": "ipython3"}


def run(nb: NotebookNode, name: str, folder: Path) -> None:
    """Run the notebook `nb` in a fresh kernel that works in `folder`, and store its outputs in it.

    `name` stands in messages.  Raises UsageError with one clear line where a cell fails, or where an output could not
    be the same twice.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    client = NotebookClient(
        nb,
        kernel_name="python3",
        timeout=CELL_SECONDS,
        store_widget_state=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # its warnings about TCP are not the lesson's
    )
    # nobody's own IPython profile takes part in a reference
    with tempfile.TemporaryDirectory() as profile:
        try:
            client.execute(env={**os.environ, "IPYTHONDIR": profile})
        except CellExecutionError as error:
            failed = (
                number
                for number, cell in enumerate(nb.cells, 1)
                if any(output.output_type == "error" for output in cell.get("outputs", []))
            )
            raise UsageError(f"{name}, cell {next(failed)}: {error.ename}: {error.evalue}") from error
        except (CellTimeoutError, RuntimeError) as error:  # RuntimeError: the kernel died or did not start
            raise UsageError(f"{name}: {str(error).splitlines()[0]}") from error
    normalise(nb)
    if found := addresses(nb):
        raise UsageError(f"{name}, {found[0]} holds an address; give the object a stable repr")
    nbformat.validate(nb)


def normalise(nb: NotebookNode) -> NotebookNode:
    """Leave out of `nb`, in place, all that differs from run to run and is not the lesson's."""
    nb.metadata.pop("widgets", None)
    nb.metadata["kernelspec"] = dict(_KERNELSPEC)
    nb.metadata["language_info"] = dict(_LANGUAGE)
    for cell in nb.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            data.pop(WIDGET_VIEW, None)
            for holder in (data, output):
                holder.update({kind: _lasting(text) for kind, text in holder.items() if isinstance(text, str)})
    return nb


def _lasting(text: str) -> str:
    """A text without a widget's script, and without the path of the environment's folder: one machine's business."""
    return OUTPUT_SCRIPT.sub("", text).replace(f"{Path(sys.prefix).parent}{os.sep}", "")


def addresses(nb: NotebookNode) -> list[str]:
    """What in the outputs names an object by its address, each with its cell; complexity O(size of the outputs)."""
    found = []
    for number, cell in enumerate(nb.cells, start=1):
        for output in cell.get("outputs", []):
            texts = [output.get("text", ""), *output.get("data", {}).values()]
            found += [
                f"cell {number}: {hit}" for text in texts if isinstance(text, str) for hit in _ADDRESS.findall(text)
            ]
    return found


def played(nb: NotebookNode, sources: dict[str, str] | None = None) -> Iterator[tuple[NotebookNode, Any]]:
    """Run a lesson's code in this process: each code cell, once it has run, with the value of its last line.

    `sources`: code to run instead of other code.  What the code raises is raised here.
    """
    names: dict[str, Any] = {"__name__": "lesson"}
    for cell in code_cells(nb):
        yield cell, value_of((sources or {}).get(cell.source, cell.source), names, "lesson")
