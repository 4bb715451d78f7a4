"""A widget on the day after, behind a kernel that was restarted, hangs or is dead, and where nothing is trusted.

Tried with one of each kind: a widget that plays without Python (the stepper), one that can't (the call builder), and a
still picture.  What they look like then is among the states of `tests/widget_states.py`.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.servers import OPEN, Lab, environment, free_port, serving

CELLS = (
    "import os\nfrom tests.sample_outcomes import gap_model, gap_move\nfrom vmalab.widgets import CallBuilder, Stepper",
    "stepper = Stepper(gap_move())\nstepper",
    "CallBuilder(gap_model('6.18')).set(old_len='5', new_len='5', flags='maymove fixed', new_addr='64')",
    "gap_move()",
)
ASLEEP = "This call builder needs Python, and none is running behind it. Run the cell above"
KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
Shoot = Callable[[Any, str], None]


def stepper(page: Page) -> Any:
    return page.get_by_role("region", name="Stepper: mremap(page 0, 5 pages").first


def builder(page: Page) -> Any:
    return page.get_by_role("region", name="Call builder")


def opened(page: Page, server: Lab, name: str, at: str = "lab/tree") -> None:
    """Open a notebook and wait for its kernel; nothing is run."""
    page.goto(f"{server.url}/{at}/{name}?reset")
    page.wait_for_function(
        "() => window.jupyterapp?.shell.currentWidget?.context?.isReady"
        " && window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"
    )


def saved(page: Page) -> None:
    page.evaluate("window.jupyterapp.shell.currentWidget.context.save()")


def acts(page: Page) -> None:
    """Make the call and wait until the notebook keeps what it did."""
    region = builder(page)
    region.get_by_role("button", name="Run", exact=True).click()
    expect(region.get_by_role("status").first).to_have_text("mremap returns page 64.")
    page.wait_for_function(
        "() => JSON.stringify(window.jupyterapp.shell.currentWidget.content.model.cells.get(2).outputs.toJSON())"
        ".includes('returns page 64')"
    )


def the_next_day(page: Page, server: Lab, name: str, shots: Shoot, at: str = "lab/tree") -> None:
    """Run, act, save; end the kernel; open again, save without running, and open a third time."""
    server.run(page, name, at=at)
    builder(page).wait_for()
    stepper(page).wait_for()
    acts(page)
    saved(page)
    size = (server.folder / name).stat().st_size
    for day in (2, 3):
        server.shut_down(page)
        opened(page, server, name, at)
        region = stepper(page)
        region.get_by_role("button", name="Next step").click()
        expect(region.get_by_role("status")).to_contain_text("Step 1.")
        page.keyboard.press("End")
        expect(region.get_by_role("img", name="now, A: pages 64 to 65")).to_have_count(1)
        expect(page.get_by_text(ASLEEP)).to_be_visible()
        # the last state: what the call did
        asleep = page.locator(".vml-sleeps")
        expect(asleep.get_by_text("returns page 64").first).to_be_visible()
        expect(builder(page)).to_have_count(0)
        expect(page.get_by_text("model not found")).to_have_count(0)
        shots(page, f"next-day-{at.split('/')[0]}-{day}")
        saved(page)
    assert (server.folder / name).stat().st_size <= 1.02 * size
    server.run(page, name, at=at)
    builder(page).wait_for()
    expect(page.get_by_text(ASLEEP)).not_to_be_visible()


def veil(page: Page) -> Any:
    return page.locator(".vml-veiled > .vml-veil:visible")


def test_the_next_day_in_jupyterlab(lab: Any, shots: Shoot) -> None:
    server, page = lab
    page.set_viewport_size({"width": 1300, "height": 2600})
    server.write("day.ipynb", *CELLS)
    the_next_day(page, server, "day.ipynb", shots)


def test_the_next_day_in_notebook_7(tmp_path: Path, open_page: Any, shots: Shoot) -> None:
    folder, port = tmp_path / "notebooks", free_port()
    folder.mkdir()
    command = [sys.executable, "-m", "jupyter", "notebook", str(folder), "--no-browser", f"--port={port}",
               "--allow-root", *OPEN]  # fmt: skip
    with serving(command, port, environment(tmp_path / "home")):
        # Notebook's own scripts raise an error on loading its settings
        server, page = Lab(f"http://127.0.0.1:{port}", folder), open_page(height=2600, of="blob:")
        server.write("day.ipynb", *CELLS)
        the_next_day(page, server, "day.ipynb", shots, at="notebooks")
        server.shut_down(page)


def test_a_kernel_that_restarts_hangs_or_is_killed(lab: Any, shots: Shoot) -> None:
    server, page = lab
    page.set_viewport_size({"width": 1300, "height": 2600})
    server.write("hurt.ipynb", *CELLS, "print(os.getpid())")
    server.run(page, "hurt.ipynb")
    region = builder(page)
    region.wait_for()
    page.evaluate(f"{KERNEL}.restart()")
    expect(veil(page)).to_contain_text("Python was restarted or has ended")
    assert page.locator(".vml-behind").last.evaluate("(el) => el.inert")  # no press is lost: there is none
    stepper(page).get_by_role("button", name="Next step").click()  # this one needs no Python
    expect(stepper(page).get_by_role("status")).to_contain_text("Step 1.")
    assert [] == violations(page, ".vml-veiled")
    shots(page, "kernel-restarted")
    page.get_by_role("button", name="Run the cell again").click()  # it builds on another one
    expect(veil(page)).to_have_count(0)
    region.get_by_role("button", name="Run").click()
    expect(region.get_by_role("status").first).to_contain_text("mremap returns")

    server.run(page, "hurt.ipynb")
    region.wait_for()
    expect(veil(page)).to_have_count(0)
    pid = int(page.locator(".jp-OutputArea-output").last.inner_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        region.get_by_label("Kernel", exact=True).select_option("6.16")
        expect(veil(page)).to_contain_text("what stands here is no answer to your last press")
        shots(page, "kernel-hangs")
    finally:
        os.kill(pid, signal.SIGCONT)
    # the press was not lost
    expect(region.get_by_role("group", name="Linux 6.16 now")).to_have_count(1)
    expect(veil(page)).to_have_count(0)

    os.kill(pid, signal.SIGKILL)
    expect(veil(page)).to_contain_text("Python was restarted or has ended")
    shots(page, "kernel-killed")


def test_what_is_not_trusted_reads_as_words_and_what_is_folded_says_what_it_is(lab: Any, shots: Shoot) -> None:
    server, page = lab
    page.set_viewport_size({"width": 1300, "height": 2600})
    server.write("friend.ipynb", *CELLS)
    server.run(page, "friend.ipynb")
    builder(page).wait_for()
    saved(page)
    notebook = nbformat.read(server.folder / "friend.ipynb", 4)
    notebook.cells[0].source += "\n# a friend wrote this"
    notebook.cells[3].metadata = {"jupyter": {"outputs_hidden": True}, "collapsed": True}
    nbformat.write(notebook, server.folder / "friends.ipynb")
    server.shut_down(page)
    opened(page, server, "friends.ipynb")
    expect(page.locator(".jp-Placeholder-content")).to_have_text("The result: a picture and its words.")
    page.locator(".jp-Placeholder-content").click()
    shown = page.locator(".jp-OutputArea").last
    expect(shown).to_contain_text("a page that does not trust a notebook leaves it out")
    expect(shown).to_contain_text("A: pages 0 to 1 (2 pages), rw-p, private anonymous")
    expect(page.get_by_text(ASLEEP)).to_be_visible()
    left = page.locator(".jp-OutputArea").evaluate_all("(all) => all.map((one) => one.innerText).join(' ')")
    assert [] == re.findall(r"present\.\d|\d{3}0x\d|CDATA", left)  # no texts that run together
    shots(page, "not-trusted")


def test_in_a_page_of_nbconvert_without_network(open_page: Any, tmp_path: Path) -> None:
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(notebook, store_widget_state=False, resources={"metadata": {"path": "."}}).execute()
    html, _ = HTMLExporter().from_notebook_node(notebook)
    for name, scripts in (("on", True), ("off", False)):
        path = tmp_path / f"{name}.html"
        path.write_text(html, encoding="utf-8")
        page = open_page(height=2600, java_script_enabled=scripts)
        page.context.set_offline(True)
        page.goto(path.as_uri(), wait_until="domcontentloaded")
        if scripts:
            stepper(page).get_by_role("button", name="Next step").click()
            expect(stepper(page).get_by_role("status")).to_contain_text("Step 1.")
        else:
            expect(page.get_by_role("img", name="page 64) returns page 64")).to_have_count(2)
        expect(page.get_by_text(ASLEEP)).to_be_visible()
        expect(page.get_by_role("img", name="Linux 6.18 now: 3 VMAs")).to_be_visible()
