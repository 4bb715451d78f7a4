"""Predict in JupyterLab: drawn with mouse and keys, written, revealed; the verdict addresses the belief."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_lab import drag
from tests.patience import PATIENCE

SETUP = """
from tests.sample_outcomes import gap_model
from vmalab.linux.call import Mremap
from vmalab.linux.addr import PAGE, page
from vmalab.widgets import Predict
guess = Predict(gap_model("6.18"), Mremap(page(0), 5 * PAGE, 5 * PAGE, 3, page(64)))
guess
"""


@pytest.fixture(scope="module")
def opened(lab_server, browser):
    context = browser.new_context(viewport={"width": 1300, "height": 1300}, has_touch=True)
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    lab_server.write("predict.ipynb", SETUP, "guess.vmas")
    lab_server.run(page, "predict.ipynb")
    page.get_by_role("region", name="Predict").wait_for()
    yield page
    lab_server.shut_down(page)
    context.close()
    assert [] == errors


@pytest.fixture
def predict(opened):
    """The widget, with the sketch as at first and nothing revealed."""
    region = opened.get_by_role("region", name="Predict")
    hide = region.get_by_role("button", name="Hide again")
    if hide.is_enabled():
        hide.click()
    region.get_by_role("button", name="Nothing changes").click()
    expect(region.get_by_label("VMAs", exact=True)).to_have_value("[0 to 1 rw] [3 to 4 r] [66 r]")
    return region


def tool(region, name: str) -> None:
    region.get_by_role("button", name=name, exact=True).click()


WHERE = """(number) => {
    const svg = document.querySelector('.vml-predict .vml-stage svg');
    const ticks = [...svg.querySelectorAll('.pg text')].map((one) => [Number(one.textContent), one.getAttribute('x')]);
    const after = ticks.findIndex(([page]) => page > number);
    const [[a, x], [b, to]] = [ticks[after - 1], ticks[after]];
    const at = Number(x) + (Number(to) - Number(x)) * (number - a) / (b - a);
    const place = new DOMPoint(at, 60).matrixTransform(svg.getScreenCTM());
    return [place.x, place.y];
}"""


def test_drawing_with_the_mouse(opened, predict, shots):
    line = predict.get_by_label("VMAs", exact=True)
    drag(opened, opened.evaluate(WHERE, 0.5), opened.evaluate(WHERE, 1.5))
    expect(line).to_have_value("[1 to 2 rw] [3 to 4 r] [66 r]")
    opened.locator(".vml-predict .vml-stage [role=img]").first.press("ArrowLeft")
    expect(line).to_have_value("[0 to 1 rw] [3 to 4 r] [66 r]")
    expect(predict.get_by_role("slider", name="Range end")).to_have_attribute("aria-valuenow", "2")
    tool(predict, "Clear")
    expect(line).to_have_value("[3 to 4 r] [66 r]")
    shots(predict, "predict-drawing")


def test_drawing_with_the_keyboard(opened, predict):
    line = predict.get_by_label("VMAs", exact=True)
    start, end = (predict.get_by_role("slider", name=f"Range {edge}") for edge in ("start", "end"))
    opened.evaluate("document.querySelector('.vml-predict [aria-label=\"Range start\"]').focus()")
    while int(start.get_attribute("aria-valuenow")) < 7:
        now = int(start.get_attribute("aria-valuenow"))
        opened.keyboard.press("ArrowRight")
        expect(start).to_have_attribute("aria-valuenow", str(now + 1))
    expect(end).to_have_attribute("aria-valuenow", "8")
    predict.get_by_label("PROT_WRITE").check()
    button = predict.get_by_role("button", name="Put a VMA here")
    button.focus()
    opened.keyboard.press("Enter")
    expect(line).to_have_value("[0 to 1 rw] [3 to 4 r] [7 rw] [66 r]")


def test_the_answer_is_not_in_the_page_before_it_is_revealed(opened, predict):
    assert "[66-69" not in opened.content()


def test_a_wrong_prediction_names_the_belief_and_shows_what_happens(opened, predict, shots):
    predict.get_by_label("I think that").select_option("succeeds")
    predict.get_by_label("and returns").fill("64")
    line = predict.get_by_label("VMAs", exact=True)
    line.fill("[64 to 65 rw] [67 to 68 r]")
    line.press("Enter")
    tool(predict, "Reveal")
    verdict = predict.get_by_role("status").filter(has_text="are right")
    expect(verdict).to_contain_text("3 of 5 are right.")
    expect(verdict).to_contain_text("[66 to 68 r] is missing")
    expect(verdict).to_contain_text("A moved gap unmaps what lies at the destination under it.")
    stepper = predict.get_by_role("region", name="Stepper: mremap(page 0, 5 pages")
    expect(stepper.get_by_role("img", name="now, B+C: pages 67 to 68")).to_have_count(0)
    shots(predict, "predict-revealed")
    opened.emulate_media(color_scheme="dark")
    opened.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    shots(predict, "predict-revealed-dark")
    opened.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")
    line.fill("[64 to 65 rw] [66 to 68 r]")
    line.press("Enter")
    tool(predict, "Reveal")
    expect(predict.get_by_role("status").filter(has_text="right").first).to_contain_text("All of it is right.")


def test_what_can_not_be_read_is_said_beside_the_line(predict):
    line = predict.get_by_label("VMAs", exact=True)
    line.fill("[2 to 1 r]")
    line.press("Enter")
    expect(predict.get_by_text("ends before it starts")).to_have_count(1)
    expect(line).to_have_attribute("aria-invalid", "true")
    expect(line).to_have_value("[2 to 1 r]")


def test_it_has_a_small_window_too(opened, predict, shots):
    opened.set_viewport_size({"width": 560, "height": 1200})
    wide = predict.evaluate("(one) => [one.scrollWidth, one.clientWidth]")
    shots(predict, "predict-narrow")
    opened.set_viewport_size({"width": 1300, "height": 1300})
    assert wide[0] <= wide[1] + 1
