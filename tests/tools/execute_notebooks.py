"""Runs lessons from a fresh kernel and stores their outputs in them (`make notebooks`).

The stored outputs are the reference that `make test` holds every later run against, so the same lesson must give the
same file wherever it runs: what differs from run to run (times, versions, ids of widgets that are gone) is left out.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
CELL_SECONDS = 120

# A view names a model that lives in the kernel of this run only. Without it a lesson that is opened but not yet run
# shows the widget's static picture or text, not "model not found". nbval does not compare views.
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

# A default repr holds the object's address, which is another one in each run; strict nbval would fail on it.
ADDRESS = re.compile(r"<[^<>]* at 0x[0-9a-f]{6,}>")

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "mimetype": "text/x-python", "file_extension": ".py", "pygments_lexer": "ipython3"}


def normalise(nb: NotebookNode) -> NotebookNode:
    """Leave out of `nb`, in place, all that differs from run to run and is not the lesson's."""
    nb.metadata.pop("widgets", None)
    nb.metadata["kernelspec"] = dict(KERNELSPEC)
    nb.metadata["language_info"] = dict(LANGUAGE)
    for cell in nb.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
    return nb


def addresses(nb: NotebookNode) -> list[str]:
    """What in the outputs names an object by its address, each with its cell; complexity O(size of the outputs)."""
    found = []
    for number, cell in enumerate(nb.cells, start=1):
        for output in cell.get("outputs", []):
            texts = [output.get("text", ""), *output.get("data", {}).values()]
            found += [
                f"cell {number}: {hit}" for text in texts if isinstance(text, str) for hit in ADDRESS.findall(text)
            ]
    return found


def execute(path: Path) -> bool:
    """Run the lesson at `path` and store its outputs; tell whether the file changed.

    Raises ValueError with one clear line where a cell fails or an output could not be the same twice; the file is
    then left as it was.
    """
    before = path.read_text(encoding="utf-8")
    nb = nbformat.reads(before, as_version=4)
    client = NotebookClient(
        nb,
        kernel_name="python3",
        timeout=CELL_SECONDS,
        store_widget_state=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # its warnings about TCP are not the lesson's
    )
    try:
        client.execute()
    except CellExecutionError as error:
        number = next(
            n for n, cell in enumerate(nb.cells, 1) if any(o.output_type == "error" for o in cell.get("outputs", []))
        )
        raise ValueError(f"{path.name}, cell {number}: {error.ename}: {error.evalue}") from error
    except (CellTimeoutError, RuntimeError) as error:  # RuntimeError: the kernel died or did not start
        raise ValueError(f"{path.name}: {str(error).splitlines()[0]}") from error
    normalise(nb)
    if found := addresses(nb):
        raise ValueError(f"{path.name}, {found[0]} holds an address; give the object a stable repr")
    nbformat.validate(nb)
    after = nbformat.writes(nb).rstrip("\n") + "\n"
    if after == before:
        return False
    path.write_text(after, encoding="utf-8")
    return True


def main(names: list[str]) -> int:
    """Execute the lessons named, or all; return the exit status."""
    paths = [Path(name).resolve() for name in names] or sorted((ROOT / "notebooks").glob("*.ipynb"))
    # Nobody's own IPython profile takes part in a reference.
    with tempfile.TemporaryDirectory() as profile:
        os.environ["IPYTHONDIR"] = profile
        for path in paths:
            if not path.is_file():
                print(f"there is no lesson {path.name}", file=sys.stderr)
                return 1
            try:
                changed = execute(path)
            except ValueError as error:
                print(error, file=sys.stderr)
                return 1
            print(f"{path.name}: {'outputs stored' if changed else 'as it was'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
