"""The call builder in a page of its own, Python behind it: fingers, every form, code to copy, the session saved.

How it lives in JupyterLab is tried in test_lab.py.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.hosted import answer, open_widget, swipe
from tests.sample_outcomes import gap_model
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import CALLS, Limit, Mmap
from vmalab.machines.model import Model
from vmalab.programs.calltext import c_call, c_program, python_call, python_program
from vmalab.programs.scenario import load_scenarios
from vmalab.widgets import CallBuilder

WHERE = """([number, lane]) => {
    const svg = document.querySelector('.vml-stage svg');
    const ticks = [...svg.querySelectorAll('.pg text')].map((one) => [+one.textContent, +one.getAttribute('x')]);
    const after = ticks.findIndex(([page]) => page > number);
    const [[a, x], [b, to]] = [ticks[after - 1], ticks[after]];
    const y = lane ? Number(svg.querySelector('.vml-lane rect').getAttribute('y')) + 12 : 60;
    const place = new DOMPoint(x + (to - x) * (number - a) / (b - a), y).matrixTransform(svg.getScreenCTM());
    return [place.x, place.y];
}"""


@pytest.fixture
def built(open_page, tmp_path):
    """A builder on the gap model, and its region in a page."""

    def make(**options):
        widget = CallBuilder(gap_model("6.17"))
        shown = open_widget(widget, open_page, tmp_path, **{"height": 1200, **options})
        return widget, shown.get_by_role("region", name="Call builder")

    return make


def spot(region, number: float, *, lane: bool = False) -> tuple[float, float]:
    x, y = region.page.evaluate(WHERE, [number, lane])
    return x, y


def test_a_finger_chooses_the_range_and_the_target_in_a_narrow_window(built):
    widget, region = built(width=360, has_touch=True)
    shown = region.page
    swipe(shown, spot(region, 0.3), spot(region, 4.5))
    assert [{"do": "select", "start": "0", "end": "5", "n": 1}] == answer(shown, widget)
    expect(region.get_by_label("old_len")).to_have_value("5")
    at = spot(region, 6, lane=True)
    shown.touchscreen.tap(*at)
    (message,) = answer(shown, widget)
    assert "aim" == message["do"]
    expect(region.get_by_label("MREMAP_FIXED")).to_be_checked()
    start = region.get_by_role("slider", name="Target start").locator("circle").bounding_box()
    x, y = start["x"] + start["width"] / 2, start["y"] + start["height"] / 2
    swipe(shown, (x, y), (x + 40, y))
    (message,) = answer(shown, widget)
    assert int(message["start"]) > 6
    assert ("5", "5") == (widget.length, widget.new_len)


def test_every_call_has_its_form(built):
    widget, region = built()
    choice = region.get_by_label("Call", exact=True)
    names = choice.locator("option").evaluate_all("(all) => all.map((one) => one.value)")
    assert sorted(CALLS) == sorted(names)
    for name in names:
        choice.select_option(name)
        answer(region.page, widget)
        fields = region.locator(".vml-form .vml-field")
        expect(fields).to_have_count(len(widget.session.state()["form"]))
        expect(region.locator(".vml-code code").first).to_have_text(c_call(widget.built))
    choice.select_option("limit")
    answer(region.page, widget)
    region.get_by_label("limit", exact=True).select_option("map_count")
    region.get_by_label("room above what is in use").fill("3")
    answer(region.page, widget)
    assert Limit("map_count", 3) == widget.built
    choice.select_option("mmap")
    answer(region.page, widget)
    region.get_by_label("addr", exact=True).fill("")
    answer(region.page, widget)
    assert Mmap(None, 2 * PAGE) == widget.built
    region.get_by_role("button", name="Run").click()
    answer(region.page, widget)
    expect(region.get_by_role("status").first).to_contain_text("mmap returns")
    region.get_by_role("button", name="Save as scenario").click()
    expect(region.get_by_role("status").first).to_contain_text("Saved as built.json")


def test_code_is_copied_and_the_session_saved(built, tmp_path):
    widget, region = built(permissions=["clipboard-read", "clipboard-write"])
    shown = region.page
    copied = "navigator.clipboard.readText()"
    region.get_by_role("button", name="Copy the call in C").click()
    expect(region.get_by_role("status").first).to_have_text("Copied: the call in C.")
    assert c_call(widget.built) == shown.evaluate(copied)
    expect(region.get_by_role("button", name="Save as scenario")).to_have_count(0)
    region.get_by_role("button", name="Run").click()
    answer(shown, widget)
    for name, text in (
        ("Copy the call in Python", python_call(widget.built)),
        ("Copy as Python", python_program(widget.model.history, "6.17")),
        ("Copy as C", c_program(widget.model.history)),
    ):
        region.get_by_role("button", name=name).click()
        shown.wait_for_function("async (text) => await navigator.clipboard.readText() === text", arg=text)
    with shown.expect_download() as saved:
        region.get_by_role("button", name="Save as scenario").click()
    assert "built.json" == saved.value.suggested_filename
    saved.value.save_as(tmp_path / "built.json")
    (scenario,) = load_scenarios(tmp_path / "built.json")
    assert widget.scenario == scenario
    assert widget.model.snapshot() == Model("6.17").run(scenario).outcomes[-1].after


def test_without_a_clipboard_the_older_way_is_taken(built):
    widget, region = built()
    shown = region.page
    shown.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    shown.evaluate("document.addEventListener('copy', () => { window.copied = document.activeElement.value; })")
    button = region.get_by_role("button", name="Copy the call in Python")
    button.click()
    expect(region.get_by_role("status").first).to_have_text("Copied: the call in Python.")
    assert python_call(widget.built) == shown.evaluate("window.copied")
    expect(button).to_be_focused()
    assert [] == shown.locator("textarea").all()


def test_an_outcome_in_a_narrow_window_is_scrolled_to_where_its_step_is(built):
    widget, region = built(width=360)
    widget.set(addr="0", old_len="5", flags="maymove fixed", new_addr="300").run()
    region.page.evaluate("window.model.sent.push({ do: 'set', name: 'addr', value: '0', n: 1 })")
    answer(region.page, widget)
    stepper = region.get_by_role("region", name="Stepper")
    frame = region.locator(".vml-stage .vml-scroll")
    stepper.get_by_role("button", name="First step").click()
    frame.evaluate("(one) => { one.scrollLeft = 0; }")
    copied = [step.key for step in widget.outcome.steps].index("copied") + 1
    for _ in range(copied):
        stepper.get_by_role("button", name="Next step").click()
    box = region.get_by_role("img", name="now, A: pages 300 to 301")
    region.page.wait_for_function("(one) => one.scrollLeft > 0", arg=frame.element_handle())
    region.page.evaluate("Promise.all(document.getAnimations().map((animation) => animation.finished))")
    seen, around = box.bounding_box(), frame.bounding_box()
    assert around["x"] <= seen["x"] <= around["x"] + around["width"]
    assert page(300) == widget.outcome.value
