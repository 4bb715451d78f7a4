"""A lesson of somebody's own, to begin with: a notebook by the template, its module, a test, a workflow file for CI."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from vmalab.editions.minutes import load
from vmalab.errors import UsageError

_STATIC = Path(__file__).parent / "static" / "kit"

FOLDED = {"jupyter": {"outputs_hidden": True}}
LIVE = {"tags": ["live", "nbval-ignore-output"]}
EXERCISE = {"tags": ["exercise"]}

FIRST = """# NAME · A title

*What this lesson is about, in a sentence.*

| | |
|---|---|
| **You need** | C and paging, and what a VMA is. |
"""
GOALS = "## Goals\n\nAfterwards you can\n\n- say how many VMAs there are after a call in the middle of one."
SECTION = """## 1. A program, and a question that it can't answer

Begin with something that somebody really has. Then ask before you show."""
EXERCISE_TEXT = """## Exercises

### Exercise NAME.1: three of one

Make three VMAs of the one that there is."""
HELP = """<details>
<summary>Hint</summary>

Which call changes the middle of a VMA, and leaves it mapped?

</details>

<details>
<summary>Solution</summary>

```python
vm = exercise("NAME.1")
vm.mprotect(page(1), PAGE, "r")
```

The middle is read-only and needs a VMA of its own.

</details>"""
END = """## Summary

- A call on the middle of a VMA cuts it.

## Further reading

- [mmap(2)](https://man7.org/linux/man-pages/man2/mmap.2.html)"""


def new_lesson(name: str, folder: Path) -> list[Path]:
    """Write the lesson `name` into `folder`; the files that were written.

    Raises UsageError for a name that is no word, and where one of the files is there already; then nothing is written.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UsageError(f"a lesson's name is a word of small letters, digits and _, such as madvise, not {name!r}")
    texts = {
        folder / f"{name}.ipynb": nbformat.writes(_notebook(name)) + "\n",
        folder / f"{name}_lesson.py": _template("lesson.py.txt", name),
        folder / f"test_{name}.py": _template("test.py.txt", name),
    }
    for path in texts:
        if path.exists():
            raise UsageError(f"{path} is there already: take another name, or another folder with --into")
    workflow = folder / ".github" / "workflows" / "lessons.yml"
    if not workflow.exists():
        texts[workflow] = (_STATIC / "workflow.yml.txt").read_text(encoding="utf-8").replace("FOLDER", ".")
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder} can't be written: {(error.strerror or str(error)).lower()}") from None
    return list(texts)


def _template(file: str, name: str) -> str:
    return (_STATIC / file).read_text(encoding="utf-8").replace("NAME", name)


def _notebook(name: str) -> NotebookNode:
    """The notebook, not yet run."""
    cells = [
        new_markdown_cell(FIRST),
        new_markdown_cell(GOALS),
        new_markdown_cell("## Set-up"),
        new_code_cell(
            f"import {name}_lesson\nfrom vmalab import PAGE, Model, page\nfrom vmalab.teach import check, exercise, "
            "on_this_machine\nfrom vmalab.widgets import MyPredictions, Question"
        ),
        new_markdown_cell(SECTION),
        new_code_cell('Question("NAME-cut")'),
        new_code_cell('vm = Model("6.18")\nvm.mmap(page(0), 4 * PAGE)\nvm.munmap(page(1), PAGE)', metadata=FOLDED),
        new_code_cell("on_this_machine(vm)", metadata=LIVE),
        new_markdown_cell(EXERCISE_TEXT),
        new_code_cell('vm = exercise("NAME.1")\n# your calls', metadata=EXERCISE),
        new_code_cell('check("NAME.1", vm)', metadata=EXERCISE),
        new_markdown_cell(HELP),
        new_markdown_cell("## My predictions"),
        new_code_cell(f'MyPredictions("{name}")'),
        new_markdown_cell(END),
    ]
    nb: NotebookNode = new_notebook(cells=cells)
    for at, cell in enumerate(nb.cells):
        cell.id = f"{name}-{at:02}"
        cell.source = cell.source.replace("NAME", name)
    nb.cells[0].source = nb.cells[0].source.rstrip() + f"\n{load(nb).header}"
    return nb
