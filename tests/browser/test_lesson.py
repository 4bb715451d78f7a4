"""Lesson 04 in JupyterLab, as a learner has it: its cells run, a range dragged in its builder, a call made, stepped."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.settled import unmoving
from tests.browser.test_lab import drag, spot

LESSON = Path(__file__).parents[2] / "notebooks" / "04-mremap-many-vmas.ipynb"


@pytest.fixture
def lesson(lab):
    """The page with the lesson run from nothing, at the cell with the call builder."""
    server, page = lab
    notebook = nbformat.read(LESSON, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, server.folder / LESSON.name)
    server.run(page, LESSON.name)
    number = next(n for n, cell in enumerate(notebook.cells) if "CallBuilder(vm).set" in cell.source)
    page.evaluate("number => window.jupyterapp.shell.currentWidget.content.scrollToItem(number, 'start')", number)
    page.get_by_role("region", name="Call builder").wait_for()
    return page


def test_a_learner_drags_runs_and_steps(lesson, shots) -> None:
    # widgets of several kinds share the page, and a label finds its control by an id
    strays = (
        "() => [...document.querySelectorAll('.vml label[for]')]"
        ".filter((label) => label.closest('section') !== label.control?.closest('section'))"
        ".map((label) => label.htmlFor)"
    )
    assert [] == lesson.evaluate(strays)
    region = lesson.get_by_role("region", name="Call builder")
    region.scroll_into_view_if_needed()
    unmoving(region)
    drag(lesson, spot(lesson, 12.5), spot(lesson, 12.6))
    expect(region.get_by_label("addr", exact=True)).to_have_value("12")
    drag(lesson, spot(lesson, 0.5), spot(lesson, 4.5))
    expect(region.get_by_label("old_len")).to_have_value("5")
    region.get_by_role("button", name="Run").click()
    expect(region.get_by_role("status").first).to_have_text("mremap returns page 10.")
    stepper = region.get_by_role("region", name="Stepper: mremap(page 0, 5 pages")
    # the canary under the gap is still where it was
    expect(region.get_by_role("img", name="now, C: page 12")).to_have_count(1)
    expect(region.get_by_role("img", name="now, B: pages 13 to 14")).to_have_count(1)
    stepper.get_by_role("button", name="First step").click()
    expect(region.get_by_role("img", name="now, B: pages 3 to 4")).to_have_count(1)
    stepper.get_by_role("button", name="Next step").click()
    expect(stepper.get_by_role("status")).to_contain_text("Step 1.")
    stepper.scroll_into_view_if_needed()
    shots(lesson, "lesson-04")
