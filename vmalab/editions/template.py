"""The template of a lesson, held against a notebook: what keeps it from being one, in words.

Ours and other people's lessons are held against the same one (`tests/test_lessons.py`, `vmalab check`).
"""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from nbformat import NotebookNode

from vmalab.editions.folder import module_of
from vmalab.editions.minutes import CORE_MINUTES, DEEPER, load
from vmalab.editions.source import code_cells, gives_away, tags
from vmalab.editions.source import exercises as exercises_of
from vmalab.errors import UsageError

PUBLIC = ("vmalab", "vmalab.teach", "vmalab.widgets")
LAST = ("Exercises", "Summary", "Further reading")
MOST_LINES, MEDIAN_LINES = 8, 4
LIVE = ("on_this_machine(", "examine(", "this_process(", "demo(", "hunt_here(", "measure_here(")
"""How cells begin whose answer depends on the machine."""

_LOGIC = (ast.For, ast.While, ast.If, ast.Lambda, ast.ClassDef)


def complaints(nb: NotebookNode, path: Path) -> list[str]:
    """What keeps the notebook at `path` from being a lesson; empty where it is one.  O(its text)."""
    return [said for rule in (_header, _headings, _words, _pictures, _links, _code, _predictions, _live, _exercises)
            for said in rule(nb, path)]  # fmt: skip


def _texts(nb: NotebookNode) -> list[str]:
    return [cell.source for cell in nb.cells if cell.cell_type == "markdown"]


def _prose(nb: NotebookNode) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", "\n\n".join(_texts(nb)), flags=re.DOTALL)


def _header(nb: NotebookNode, path: Path) -> Iterator[str]:
    first = nb.cells[0].source if nb.cells else ""
    parts = first.split("\n\n")
    if not first.startswith("# ") or len(parts) < 2 or not parts[1].startswith("*"):
        yield "the first cell: a title (# …), and below it a summary in *italics*"
    if "| **You need** |" not in first:
        yield "the first cell: a row | **You need** | … | that says what one must know and have"
    found = load(nb)
    if found.header not in first:
        yield f"the first cell: the time that was measured, as the row {found.header}"
    if found.core > CORE_MINUTES:
        yield f"its core takes {found.core} minutes, more than {CORE_MINUTES}: mark what goes further with {DEEPER}"


def _headings(nb: NotebookNode, path: Path) -> Iterator[str]:
    found = re.findall(r"^(#+) (.+)$", _prose(nb), flags=re.MULTILINE)
    levels = [len(marks) for marks, _ in found]
    if levels.count(1) != 1:
        yield f"there is one title (# …), not {levels.count(1)}"
    for (marks, _), (after, name) in pairwise(found):
        if len(after) > len(marks) + 1:
            yield f"the heading “{name}” leaves a level out"
    names = [name for marks, name in found if len(marks) == 2]
    there = [name for name in names if name in LAST]
    if names[:1] != ["Goals"] or there != list(LAST) or names[-1:] != ["Further reading"]:
        yield f"its sections begin with Goals and end with {', '.join(LAST)}"


def _words(nb: NotebookNode, path: Path) -> Iterator[str]:
    if "!" in _prose(nb).replace("!=", ""):
        yield "no exclamation mark is needed"
    source = "\n".join(_texts(nb))
    if source.count("<details>") != source.count("</details>") or source.count("<details>") != source.count(
        "<summary>"
    ):
        yield "each <details> has a <summary> and an end"


def _pictures(nb: NotebookNode, path: Path) -> Iterator[str]:
    source = "\n".join(_texts(nb))
    for target in re.findall(r"!\[\s*\]\(([^)]*)\)", source):
        yield f"the picture {target} has no words for who can't see it: ![what it shows]({target})"
    for tag in re.findall(r"<img [^>]*>", source):
        if not re.search(r'alt="[^"]+"', tag):
            yield f"the picture {tag[:60]} has no alt text"


def _links(nb: NotebookNode, path: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", "\n".join(_texts(nb))):
        file = target.partition("#")[0]
        if file and not re.match(r"[a-z]+:", target) and not (path.parent / file).exists():
            yield f"the link to {target} leads nowhere"


def _code(nb: NotebookNode, path: Path) -> Iterator[str]:
    cells = code_cells(nb)
    own = module_of(path).stem
    lengths = [len(cell.source.splitlines()) for cell in cells]
    if lengths and statistics.median(lengths) > MEDIAN_LINES:
        yield f"half of its cells have more than {MEDIAN_LINES} lines: a cell asks one thing"
    for cell in cells:
        said = f"the cell “{cell.source.splitlines()[0] if cell.source else ''}”"
        try:
            tree = ast.parse(cell.source)
        except SyntaxError as error:
            yield f"{said} is no Python: {error.msg}"
            continue
        if len(cell.source.splitlines()) > MOST_LINES:
            yield f"{said} has more than {MOST_LINES} lines: logic goes into {own}.py"
        banned = _LOGIC if "exercise" in tags(cell) else (*_LOGIC, ast.FunctionDef)
        if any(isinstance(node, banned) for node in ast.walk(tree)):
            yield f"{said} holds logic: that goes into {own}.py"
        for node in ast.walk(tree):
            module = getattr(node, "module", None) or ""
            if isinstance(node, ast.ImportFrom) and module.startswith("vmalab") and module not in PUBLIC:
                yield f"{said} imports {module}, which is private: import from {', '.join(PUBLIC)}"


def _predictions(nb: NotebookNode, path: Path) -> Iterator[str]:
    asked = [at for at, cell in enumerate(nb.cells) if _last(cell).startswith(("Question(", "Predict("))]
    if not asked:
        yield 'nothing is predicted in it: Question("…") asks before a cell shows'
    for at, after in pairwise([*asked, len(nb.cells)]):
        if _last(nb.cells[at]).startswith("Question(") and not any(
            gives_away(cell) for cell in nb.cells[at + 1 : after]
        ):
            yield f"no output is folded after {_last(nb.cells[at])}: fold those that answer it (jupyter.outputs_hidden)"


def _last(cell: NotebookNode) -> str:
    return (cell.source.splitlines() or [""])[-1] if cell.cell_type == "code" else ""


def _live(nb: NotebookNode, path: Path) -> Iterator[str]:
    for cell in code_cells(nb):
        needs = _last(cell).startswith(LIVE)
        if {"live", "nbval-ignore-output"} & tags(cell) != ({"live", "nbval-ignore-output"} if needs else set()):
            yield f"{_last(cell)}: the tags live and nbval-ignore-output are for cells that ask this machine"


def _exercises(nb: NotebookNode, path: Path) -> Iterator[str]:
    try:
        found = exercises_of(nb)
    except UsageError as error:
        yield str(error)
        return
    if not found:
        yield "it has no exercise"
    parts = re.split(r"^### Exercise [\w-]+\.\d+: ", "\n".join(_texts(nb)), flags=re.MULTILINE)[1:]
    for one, part in zip(found, parts, strict=True):
        hints = [match.start() for match in re.finditer("<summary>Hint", part)]
        if not hints or max(hints) > part.find("<summary>Solution</summary>"):
            yield f"exercise {one.name} has a hint before its solution"
