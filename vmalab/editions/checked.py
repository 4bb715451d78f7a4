"""Somebody's lessons, checked: the template, stored outputs against fresh runs (live machine on and off), exercises.

What `vmalab check` says, and what a CI of hers asks for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from vmalab.editions.execute import addresses, run
from vmalab.editions.folder import module_of
from vmalab.editions.source import code_cells, exercises, read, tags
from vmalab.editions.template import complaints
from vmalab.errors import UsageError, VmalabError
from vmalab.machines.live.availability import SWITCH


def check_lesson(path: Path, *, runs: bool = True) -> list[str]:
    """What there is to say to the lesson at `path`; empty where nothing is.  `runs`: it is run, twice and solved."""
    nb = read(path)
    said = complaints(nb, path)
    said += [f"{hit} holds an address: give the object a stable repr" for hit in addresses(nb)]
    said += _proved(path)
    if runs and not said:
        said += _compared(nb, path, "on") + _compared(nb, path, "off") + _solved(nb, path)
    return said


def store(path: Path) -> None:
    """Run the lesson at `path` and store its outputs in it.  Raises UsageError where a cell fails."""
    nb = read(path)
    run(nb, path.name, path.parent)
    path.write_text(nbformat.writes(nb).rstrip("\n") + "\n", encoding="utf-8")


def _proved(path: Path) -> list[str]:
    """The questions of the lesson's module, each answer held against what shows it."""
    from vmalab.teach import questions

    module = module_of(path)
    if not module.is_file():
        return []
    try:
        exec(compile(module.read_text(encoding="utf-8"), str(module), "exec"), {"__name__": module.stem})
        asked = questions.of_lesson(path.stem)
        return [
            f"question {one.name}: right is {one.right!r}, and what it shows makes {found!r} right"
            for one in asked
            if (found := one.found()) != one.right
        ]
    except Exception as error:  # it is somebody's code
        return [f"{module.name}: {type(error).__name__}: {error}"]


@contextmanager
def _live(how: str) -> Iterator[None]:
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = how
    try:
        yield
    finally:
        if before is None:
            del os.environ[SWITCH]
        else:
            os.environ[SWITCH] = before


def _compared(nb: NotebookNode, path: Path, how: str) -> list[str]:
    """A fresh run with the live machine `how`; every output that is another one than that stored."""
    fresh = deepcopy(nb)
    try:
        with _live(how):
            run(fresh, path.name, path.parent)
    except UsageError as error:
        return [f"run with the live machine {how}: {error}"]
    return [
        f"with the live machine {how}, “{old.source.splitlines()[-1]}” shows something else than is stored: "
        "run `vmalab check --store`, and look at what changed"
        for old, new in zip(code_cells(nb), code_cells(fresh), strict=True)
        if "nbval-ignore-output" not in tags(old) and _shown(old) != _shown(new)
    ]


def _shown(cell: NotebookNode) -> list[object]:
    return [(one.output_type, one.get("text"), one.get("data")) for one in cell.outputs]


def _solved(nb: NotebookNode, path: Path) -> list[str]:
    """Each check before anybody has answered, and with the lesson's own solution."""
    tried = deepcopy(nb)
    for one in exercises(tried):
        one.answer.source = one.solution if one.answer is not one.check else f"{one.solution}\n\n{one.check.source}"
    try:
        run(tried, path.name, path.parent)
    except (UsageError, VmalabError) as error:
        return [f"with its solutions: {error}"]
    said = []
    for before, after in zip(exercises(nb), exercises(tried), strict=True):
        if "○ No answer yet." not in _text(before.check):
            said.append(f"exercise {before.name}: before anybody has answered, its check says no_answer(…)")
        if "✓ Solved." not in _text(after.check):
            said.append(f"exercise {before.name}: its own solution does not pass")
    return said


def _text(cell: NotebookNode) -> str:
    return "\n".join(str(one.get("data", {}).get("text/plain", "")) for one in cell.outputs)
