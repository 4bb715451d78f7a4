"""The widgets in JupyterLab: a notebook is opened and run, a range is dragged, a call is made, its steps are walked.

What can be seen is looked at by role and accessible name, as a screen reader would.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.hosted import swipe
from tests.browser.settled import settled
from tests.patience import PATIENCE

SETUP = """
from tests.sample_outcomes import gap_model
from vmalab.widgets import CallBuilder, Stepper
builder = CallBuilder(gap_model("6.18"))
builder
"""

Shoot = Callable[[Any, str], None]


@pytest.fixture(scope="module")
def opened(lab_server, browser):
    """One notebook with a call builder for all tests of this file; each begins with Reset."""
    context = browser.new_context(viewport={"width": 1300, "height": 1100}, has_touch=True)
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    lab_server.write("builder.ipynb", SETUP, "len(builder.calls)")
    lab_server.run(page, "builder.ipynb")
    page.get_by_role("region", name="Call builder").wait_for()
    yield page
    lab_server.shut_down(page)
    context.close()
    assert [] == errors


@pytest.fixture
def page(opened):
    """The page, with the builder as at first."""
    region = opened.get_by_role("region", name="Call builder")
    region.get_by_label("Kernel", exact=True).select_option("6.18")
    region.get_by_label("Call", exact=True).select_option("mremap")
    reset = region.get_by_role("button", name="Reset")
    expect(region).not_to_have_attribute("aria-busy", "true")  # what the test before did is answered
    if reset.is_enabled():
        reset.click()
        expect(region.get_by_role("status").first).to_have_text("Back at the start.")
    region.get_by_label("addr", exact=True).fill("0")
    region.get_by_label("old_len").fill("2")
    region.get_by_label("new_len").fill("2")
    for box in region.get_by_role("group", name="flags").get_by_role("checkbox").all():
        box.uncheck()
    expect(region.locator(".vml-code code").first).to_contain_text("2 * 4096, 2 * 4096, 0")
    return opened


def builder(page):
    return page.get_by_role("region", name="Call builder")


WHERE = """([number, lane]) => {
    const svg = document.querySelector('.vml-builder .vml-stage svg');
    const ticks = [...svg.querySelectorAll('.pg text')].map((one) => [Number(one.textContent), one.getAttribute('x')]);
    const after = ticks.findIndex(([page]) => page > number);
    const [[a, x], [b, to]] = [ticks[after - 1], ticks[after]];
    const at = Number(x) + (Number(to) - Number(x)) * (number - a) / (b - a);
    const y = lane ? svg.querySelector('.vml-lane rect').getAttribute('y') : 50;
    const place = new DOMPoint(at, Number(y) + 12).matrixTransform(svg.getScreenCTM());
    return [place.x, place.y];
}"""


def spot(page, number: float, *, lane: bool = False) -> tuple[float, float]:
    """Where page `number` of the arena lies on the screen, in the band or in the target's lane."""
    point = page.evaluate(WHERE, [number, lane])
    return point[0], point[1]


def drag(page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, start[1], steps=4)
    page.mouse.move(*end, steps=4)
    page.mouse.up()


def test_drag_a_range_run_and_step_through(page, shots: Shoot):
    region = builder(page)
    drag(page, spot(page, 0.5), spot(page, 4.5))
    expect(region.get_by_label("old_len")).to_have_value("5")
    expect(region.get_by_role("slider", name="Range end")).to_have_attribute("aria-valuenow", "5")
    target = spot(page, 66, lane=True)
    page.mouse.click(*target)
    expect(region.get_by_label("new_addr")).to_have_value("66")
    expect(region.get_by_label("MREMAP_FIXED")).to_be_checked()
    expect(region.get_by_role("status").first).to_contain_text("because you chose a target")
    region.get_by_label("new_addr").fill("64")
    expect(region.locator(".vml-code")).to_contain_text("page(64))")
    shots(page, "builder-dragged")
    region.get_by_role("button", name="Copy the call in Python").click()
    expect(region.get_by_role("status").first).to_have_text("Copied: the call in Python.")
    region.get_by_role("button", name="Run").click()
    expect(region.get_by_role("status").first).to_have_text("mremap returns page 64.")
    stepper = region.get_by_role("region", name="Stepper: mremap(page 0, 5 pages")
    expect(region.get_by_role("img", name="now, A: pages 64 to 65 (2 pages), rw-p")).to_have_count(1)
    expect(region.get_by_role("img", name="now, B+C: pages 66 to 68")).to_have_count(1)
    expect(region.get_by_label("addr", exact=True)).to_have_value("64")  # the range follows what was moved
    stepper.get_by_role("button", name="First step").click()
    expect(region.get_by_role("img", name="now, A: pages 0 to 1")).to_have_count(1)
    expect(region.get_by_role("slider", name="Range start")).to_have_count(0)  # in the past there is nothing to choose
    forward = stepper.get_by_role("button", name="Next step")
    for _ in range(6):
        forward.click()
    expect(stepper.get_by_role("status")).to_contain_text("so a new one is made there")
    expect(region.get_by_role("img", name="now, A: pages 64 to 65")).to_have_count(1)
    stepper.scroll_into_view_if_needed()
    settled(page)
    shots(page, "builder-stepping")
    stepper.get_by_role("button", name="Last step").click()
    expect(region.get_by_role("slider", name="Range start")).to_have_attribute("aria-valuenow", "64")


def test_the_other_kernel_refuses_the_same_call(page, shots: Shoot):
    region = builder(page)
    drag(page, spot(page, 0.5), spot(page, 4.5))
    page.mouse.click(*spot(page, 66, lane=True))
    region.get_by_role("button", name="Run").click()
    expect(region.get_by_role("status").first).to_contain_text("returns page 66")
    region.get_by_label("Kernel", exact=True).select_option("6.16")
    expect(region.get_by_role("status").first).to_contain_text("The same call under Linux 6.16: mremap fails: EFAULT")
    expect(region.get_by_role("status").first).to_contain_text("until Linux 6.16 one call moves one VMA")
    shots(page, "builder-refused")


def test_undo_and_redo(page):
    region = builder(page)
    run, undo, redo = (region.get_by_role("button", name=name) for name in ("Run", "Undo", "Redo"))
    expect(undo).to_be_disabled()
    region.get_by_label("Call", exact=True).select_option("munmap")
    run.click()
    stage = region.locator(".vml-stage")
    expect(stage).to_contain_text("2 VMAs")
    undo.click()
    expect(region.get_by_role("group", name="now: 3 VMAs")).to_have_count(1)
    expect(region.get_by_role("region", name="Stepper")).to_have_count(0)
    redo.click()
    expect(stage).to_contain_text("2 VMAs")
    expect(redo).to_be_disabled()


def test_a_malformed_field_says_so_where_it_is(page, shots: Shoot):
    region = builder(page)
    field = region.get_by_label("addr", exact=True)
    field.fill("sixty-four")
    expect(field).to_have_attribute("aria-invalid", "true")
    described = field.get_attribute("aria-describedby").split()[0]
    expect(page.locator(f"#{described}")).to_contain_text(
        "“sixty-four” is not an address: type a page number such as 64"
    )
    region.get_by_role("button", name="Run").click()
    expect(field).to_be_focused()
    expect(region.get_by_role("status").first).to_contain_text("Not run")
    shots(page, "builder-malformed")
    field.fill("0x1000000000")
    expect(field).not_to_have_attribute("aria-invalid", "true")


def test_the_keyboard_alone(page):
    region = builder(page)
    handle = region.get_by_role("slider", name="Range end")
    handle.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(handle).to_have_attribute("aria-valuetext", "page 5; pages 0 to 4 (5 pages)")
    expect(region.get_by_label("old_len")).to_have_value("5")
    fixed = region.get_by_label("MREMAP_FIXED")
    fixed.focus()
    page.keyboard.press(" ")
    region.get_by_label("MREMAP_MAYMOVE").focus()
    page.keyboard.press(" ")
    expect(region.get_by_label("new_addr")).to_have_attribute("aria-invalid", "true")
    region.get_by_label("new_addr").focus()
    page.keyboard.type("60")
    aim = region.get_by_role("slider", name="Target start")
    aim.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(region.get_by_label("new_addr")).to_have_value("64")
    region.get_by_label("new_addr").focus()
    page.keyboard.press("Enter")
    expect(region.get_by_role("status").first).to_have_text("mremap returns page 64.")


def test_keys_stay_in_the_widget(page):
    """JupyterLab would insert a cell at "a", cut one at "x", run one at Shift+Enter, and move at an arrow."""
    region = builder(page)
    cells = page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length")
    field = region.get_by_label("addr", exact=True)
    field.focus()
    page.keyboard.type("abxyzdd")
    expect(field).to_have_value("0abxyzdd")
    field.fill("0")  # the handles are there when the range is known
    expect(field).not_to_have_attribute("aria-invalid", "true")
    region.get_by_role("slider", name="Range start").focus()
    page.keyboard.type("abxdd")
    page.keyboard.press("ArrowDown")
    region.get_by_role("button", name="Run").focus()
    page.keyboard.type("abx")
    assert cells == page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length")
    expect(region).to_have_count(1)
    assert "Run" == page.evaluate("document.activeElement.textContent")
    field.focus()
    page.keyboard.press("Tab")
    assert "old_len" == page.evaluate("document.activeElement.placeholder")


def test_a_click_chooses_a_whole_vma(page):
    region = builder(page)
    page.mouse.click(*spot(page, 3.5))
    expect(region.get_by_label("addr", exact=True)).to_have_value("3")
    expect(region.get_by_label("old_len")).to_have_value("2")
    page.mouse.click(*spot(page, 2.5))
    expect(region.get_by_label("addr", exact=True)).to_have_value("2")
    expect(region.get_by_label("old_len")).to_have_value("1")


def test_dragging_with_a_finger(page):
    region = builder(page)
    box = region.locator(".vml-stage")
    box.scroll_into_view_if_needed()
    (x, y), (to, _) = spot(page, 3.2), spot(page, 4.8)
    swipe(page, (x, y), (to, y))
    expect(region.get_by_label("addr", exact=True)).to_have_value("3")
    expect(region.get_by_label("old_len")).to_have_value("2")


def test_python_and_mouse_drive_the_same_widget(page):
    region = builder(page)
    page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute(
            {code: 'builder.set(addr="3", length="2", new_len="4"); builder.run()'}).done.then(() => null)"""
    )
    expect(region.get_by_label("addr", exact=True)).to_have_value("3")
    expect(region.get_by_role("status").first).to_have_text("mremap returns page 3.")
    expect(region.get_by_role("region", name="Stepper")).to_have_count(1)


def test_the_dark_theme(page, shots: Shoot):
    region = builder(page)
    drag(page, spot(page, 0.5), spot(page, 4.5))
    page.mouse.click(*spot(page, 66, lane=True))
    region.get_by_role("button", name="Run").click()
    expect(region.get_by_role("region", name="Stepper")).to_have_count(1)
    change = "(name) => window.jupyterapp.commands.execute('apputils:change-theme', { theme: name }).then(() => null)"
    page.evaluate(change, "JupyterLab Dark")
    page.wait_for_function("document.body.dataset.jpThemeLight === 'false'")
    ground = region.evaluate("(el) => getComputedStyle(el).getPropertyValue('--vml-box-rw').trim()")
    assert [] == violations(page, ".vml-builder")
    shots(page, "builder-dark")
    region.get_by_role("region", name="Stepper").scroll_into_view_if_needed()
    shots(page, "builder-dark-stepper")
    page.evaluate(change, "JupyterLab Light")
    page.wait_for_function("document.body.dataset.jpThemeLight === 'true'")
    assert "#14304f" == ground
