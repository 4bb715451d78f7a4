"""What a lesson says about its time is what is measured, and its core fits into a lecture."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from vmalab.editions.minutes import CORE_MINUTES, DEEPER, load
from vmalab.editions.source import lesson_paths, read


@pytest.mark.parametrize("path", lesson_paths(), ids=lambda path: path.stem)
def test_a_lesson_says_the_minutes_that_are_measured_and_its_core_fits(path: Path):
    found = load(read(path))
    assert found.header in read(path).cells[0].source, "run `python -m tests.tools.minutes --write`"
    assert found.core <= CORE_MINUTES
    assert any(part.exercises + part.functions for part in found.parts if not part.deeper)


def test_parts_are_measured_by_what_there_is_to_do_in_them():
    nb = new_notebook(cells=[
        new_markdown_cell("# 1 · T\n\n## One\n\n" + "word " * 119 + "\n\n```c\nnot read\n```\n<details>no</details>"),
        new_code_cell("x = 1"),
        new_code_cell('Question("04-gap")'),
        new_markdown_cell(f"## Two\n\n{DEEPER} More.\n\n### Exercise 1.1: try"),
        new_code_cell("def f():\n    return 1"),
        new_code_cell('check("1.1", f)'),
    ])  # fmt: skip
    found = load(nb)
    one, two, exercise = found.parts[1:]
    assert (one.cells, one.predictions, one.deeper, two.deeper, exercise.deeper) == (2, 1, False, True, False)
    assert one.words > 120 + 60 and (exercise.functions, exercise.exercises) == (1, 0)
    assert 6 < exercise.minutes < 7
    assert found.header == f"| **Time** | about {found.core} minutes |" or found.all > found.core
