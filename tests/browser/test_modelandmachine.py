"""Model and machine in a real browser: the table, the pictures, and the button that asks this machine."""

from __future__ import annotations

import json
import os

import pytest
from playwright.sync_api import expect

from tests.browser.hosted import open_widget
from tests.browser.settled import settled
from tests.teach.test_answers import two_with_gap
from vmalab.machines.live import why_unavailable
from vmalab.widgets import ModelAndMachine


def calls(region):
    return region.get_by_role("table").get_by_role("button")


@pytest.fixture
def confronted(open_page, tmp_path):
    """The widget in a page; `asked`: with another kernel's answers in the place of this machine's."""

    def make(widget: ModelAndMachine | None = None, **options):
        shown = open_widget(widget or ModelAndMachine(two_with_gap()), open_page, tmp_path, height=1500, **options)
        return shown.get_by_role("region", name="Model and machine")

    return make


def differing() -> ModelAndMachine:
    """A model of 6.16 and, as if this machine were one, the recording of 6.17."""
    widget = ModelAndMachine(two_with_gap("6.16"))
    newer = ModelAndMachine(two_with_gap("6.17")).agreement.recorded.answer
    agreement = widget.agreement
    agreement.live = agreement._kernel(newer, "6.17.13")
    agreement.asked = 1
    widget.data = json.dumps(agreement.data())
    return widget


def test_the_table_says_what_everybody_answers(confronted, shots):
    region = confronted()
    heads = region.get_by_role("columnheader").all_inner_texts()
    assert ["call", "model of Linux 6.17", "Linux 6.17.13, recorded", "this machine", "verdict"] == heads
    rows = region.get_by_role("row")
    expect(rows).to_have_count(5)
    expect(rows.nth(4)).to_contain_text("✓ returns page 64✓ returns page 64– not asked✓ same")
    verdicts = region.get_by_role("status").get_by_role("listitem")
    expect(verdicts).to_have_text([
        "✓ Linux 6.17.13, recorded: it answers as the model does, on every call.", "– this machine: not asked yet.",
    ])  # fmt: skip
    shots(region, "modelandmachine-before")


def test_a_call_is_chosen_by_mouse_and_by_keyboard(confronted):
    region = confronted()
    expect(calls(region).nth(3)).to_have_attribute("aria-current", "true")
    calls(region).nth(1).click()
    side = region.get_by_role("region", name="Linux 6.17.13, recorded")
    expect(side.get_by_role("img", name="now, A: pages 0 to 1 (2 pages)")).to_have_count(1)
    calls(region).nth(1).focus()
    region.page.keyboard.press("ArrowRight")
    expect(calls(region).nth(2)).to_have_attribute("aria-current", "true")
    region.page.keyboard.press("End")
    expect(side.get_by_role("img", name="now, B: pages 67 to 68 (2 pages)")).to_have_count(1)
    assert [2, 3, 4] == region.page.evaluate("window.model.saved.map(({ call }) => call)")


def test_the_button_asks_once_and_shows_what_comes(confronted):
    region = confronted()
    button = region.get_by_role("button", name="Ask this machine")
    button.focus()
    region.page.keyboard.press("Enter")
    waiting = region.get_by_role("button", name="Asking this machine…")
    expect(waiting).to_be_disabled()
    assert [{"do": "ask"}] == region.page.evaluate("window.model.sent")
    region.page.evaluate("(data) => window.model.set('data', data)", differing().data)
    expect(region.get_by_role("button", name="Ask this machine again")).to_be_enabled()
    expect(region.get_by_role("status")).to_contain_text("there the rules differ: multi_vma_move")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_difference_is_marked_and_explained(confronted, shots, scheme):
    region = confronted(differing(), color_scheme=scheme)
    calls(region).nth(3).click()
    settled(region.page)
    expect(region.get_by_role("row").nth(4)).to_contain_text("✕ fails with EFAULT✕ fails with EFAULT✓ returns page 64≠")
    expect(region.locator(".vml-why")).to_contain_text("Why: multi_vma_move: a fixed move that keeps the size may span")
    newer = region.get_by_role("region", name="Linux 6.17.13, recorded")
    expect(newer.get_by_role("img", name="differs from the other side")).to_have_count(2)
    older = region.get_by_role("region", name="Linux 6.16.12, recorded")
    expect(older.get_by_role("img", name="differs from the other side")).to_have_count(0)
    shots(region, f"modelandmachine-{scheme}")


def test_names_and_roles(confronted):
    region = confronted()
    tree = region.aria_snapshot()
    for line in (
        '- button "Ask this machine"', "- status", '- region "Answers"', "- table", '- region "model of Linux 6.17"',
        '- checkbox "hex addresses"',
    ):  # fmt: skip
        assert line in tree
    unnamed = region.locator("button, input, select").evaluate_all(
        "(all) => all.filter((one) => !(one.ariaLabel || one.labels?.length || one.textContent.trim())).length"
    )
    assert 0 == unnamed


@pytest.mark.parametrize("width", [320, 640])
def test_a_narrow_window_scrolls_only_table_and_pictures(confronted, shots, width):
    region = confronted(width=width)
    shots(region, f"modelandmachine-{width}")
    assert region.page.evaluate("document.documentElement.scrollWidth") <= width


def test_in_jupyterlab_the_button_asks_this_machine(lab):
    if why_unavailable() is not None and not os.environ.get("CI"):
        pytest.skip(f"no live machine: {why_unavailable()}")
    server, shown = lab
    setup = (
        "from tests.teach.test_answers import two_with_gap\nfrom vmalab.widgets import ModelAndMachine\n"
        "both = ModelAndMachine(two_with_gap())\nboth"
    )
    server.write("modelandmachine.ipynb", setup)
    server.run(shown, "modelandmachine.ipynb")
    region = shown.get_by_role("region", name="Model and machine")
    region.get_by_role("button", name="Ask this machine").click()
    expect(region.get_by_role("button", name="Ask this machine again")).to_be_enabled()
    expect(region.get_by_role("status")).to_contain_text("this machine, Linux ")
    expect(region.get_by_role("columnheader", name="this machine, Linux")).to_have_count(1)
