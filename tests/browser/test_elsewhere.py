"""The stepper and the call builder in Notebook 7 and under Voilà: worked by mouse and by keyboard, as in JupyterLab."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.servers import OPEN, Lab, environment, free_port, serving

CELLS = (
    "from tests.sample_outcomes import gap_model, gap_move\nfrom vmalab.widgets import CallBuilder, Stepper",
    "Stepper(gap_move())",
    "CallBuilder(gap_model('6.18')).set(old_len='5', new_len='5', flags='maymove fixed', new_addr='64')",
)


def worked(page: Any, shots: Callable[[Any, str], None], name: str) -> None:
    """Step by mouse, then by key; type a target, make the call, and find its steps."""
    builder = page.get_by_role("region", name="Call builder")
    builder.wait_for()  # the last one: the page is whole
    stepper = page.get_by_role("region", name="Stepper: mremap(page 0, 5 pages").first
    stepper.get_by_role("button", name="Next step").click()
    expect(stepper.get_by_role("status")).to_contain_text("Step 1.")
    page.keyboard.press("ArrowRight")
    expect(stepper.get_by_role("status")).to_contain_text("Step 2.")
    page.keyboard.press("End")
    expect(stepper.get_by_role("img", name="now, A: pages 64 to 65")).to_have_count(1)
    shots(page, f"{name}-stepper")

    target = builder.get_by_label("new_addr")
    target.fill("70")
    expect(builder.locator(".vml-code")).to_contain_text("page(70))")
    target.press("Enter")
    expect(builder.get_by_role("status").first).to_have_text("mremap returns page 70.")
    expect(builder.get_by_role("region", name="Stepper: mremap(page 0, 5 pages")).to_have_count(1)
    builder.get_by_role("button", name="Undo").click()
    expect(builder.get_by_role("region", name="Stepper")).to_have_count(0)
    shots(page, f"{name}-builder")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "notebooks").mkdir()
    Lab("", tmp_path / "notebooks").write("widgets.ipynb", *CELLS)
    return tmp_path / "notebooks"


def test_in_notebook_7(folder: Path, open_page: Any, shots: Callable[[Any, str], None]) -> None:
    port = free_port()
    command = [sys.executable, "-m", "jupyter", "notebook", str(folder), "--no-browser", f"--port={port}",
               "--allow-root", *OPEN]  # fmt: skip
    with serving(command, port, environment(folder.parent / "home")):
        # Notebook's own scripts raise an error on loading its settings; anywidget loads a widget's from a blob
        lab, page = Lab(f"http://127.0.0.1:{port}", folder), open_page(height=1400, of="blob:")
        lab.run(page, "widgets.ipynb", at="notebooks")
        worked(page, shots, "notebook-7")
        lab.shut_down(page)


def test_under_voila(folder: Path, open_page: Any, shots: Callable[[Any, str], None]) -> None:
    port = free_port()
    command = [sys.executable, "-m", "voila", str(folder / "widgets.ipynb"), "--no-browser", f"--port={port}"]
    with serving(command, port, environment(folder.parent / "home")):
        page = open_page(height=1400)
        page.goto(f"http://127.0.0.1:{port}/")
        worked(page, shots, "voila")
