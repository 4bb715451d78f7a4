"""MoveCost in a real browser: slider, fields and choices by mouse and by keyboard; what a reader hears."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.browser import hosted
from tests.browser.hosted import open_widget
from vmalab.widgets import MoveCost


@pytest.fixture
def cost(open_page, tmp_path):
    """The widget in a page, and the Python behind it."""

    def make(widget: MoveCost, **options):
        shown = open_widget(widget, open_page, tmp_path, **{"height": 1000, **options})
        return shown.get_by_role("region", name="Move cost")

    return make


NAME = "document.activeElement.labels?.[0]?.textContent ?? document.activeElement.ariaLabel"


def answer(region, widget: MoveCost) -> dict:
    """The last of the messages that Python was given."""
    return hosted.answer(region.page, widget)[-1]


def test_the_keyboard_alone(cost):
    widget = MoveCost(pages=512)
    region = cost(widget)
    slider = region.get_by_role("slider", name="Size")
    expect(slider).to_have_attribute("aria-valuetext", "512 pages")
    slider.focus()
    region.page.keyboard.press("ArrowRight")
    assert {"do": "set", "name": "pages", "value": 1024, "n": 1} == answer(region, widget)
    expect(slider).to_have_attribute("aria-valuetext", "1024 pages")
    expect(region.get_by_role("status")).to_contain_text("Moving 1024 pages, every page present, takes about")
    walked = []
    for _ in range(7):
        region.page.keyboard.press("Tab")
        walked.append(region.page.evaluate(NAME))
    assert [
        "in pages", "Present", "Source begins", "Destination begins", "In the grid of 2 MiB", "Parts of the time",
        "Among measured moves",
    ] == walked  # fmt: skip


def test_the_mouse_chooses_and_what_changes_is_said(cost):
    widget = MoveCost(pages=2048)
    region = cost(widget)
    expect(region.get_by_role("img", name="4 × a moved PMD entry (2 MiB)")).to_have_count(1)
    region.get_by_label("Destination begins").select_option("a page after one")
    answer(region, widget)
    expect(region.get_by_role("img", name="2048 × a moved PTE")).to_have_count(1)
    expect(region.get_by_role("status")).to_contain_text("lie differently within their 2 MiB")
    region.get_by_label("Present", exact=True).select_option("no page")
    answer(region, widget)
    expect(region.get_by_role("img", name="Measured moves of one VMA")).to_have_count(1)
    expect(region.get_by_role("status")).to_contain_text("nothing to move but the VMA")
    box = region.get_by_role("slider", name="Size").bounding_box()
    region.page.mouse.click(box["x"] + 3, box["y"] + box["height"] / 2)
    assert 1 == answer(region, widget)["value"]
    expect(region.get_by_label("in pages")).to_have_value("1")


def test_a_wrong_number_is_said_beside_its_field(cost):
    widget = MoveCost()
    region = cost(widget)
    field = region.get_by_label("in pages")
    field.fill("0")
    field.press("Enter")
    answer(region, widget)
    expect(region.get_by_role("alert")).to_have_text("Pages is a number of pages from 1 to 524288, not 0.")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description("✕ Pages is a number of pages from 1 to 524288, not 0.")
    expect(field).to_have_value("0")
    field.fill("3000")
    field.press("Enter")
    answer(region, widget)
    expect(field).not_to_have_attribute("aria-invalid", "true")
    expect(region.get_by_role("alert")).to_have_count(0)


def test_an_old_answer_does_not_undo_what_is_newer(cost):
    region = cost(MoveCost(pages=512))
    slider = region.get_by_role("slider", name="Size")
    slider.focus()
    region.page.keyboard.press("ArrowRight")
    region.page.keyboard.press("ArrowRight")
    late = json.dumps({**json.loads(MoveCost(pages=1024).state), "n": 1})
    region.page.evaluate("(state) => window.model.set('state', state)", late)
    expect(slider).to_have_value("11")


def test_a_place_that_only_python_chose_is_among_the_choices(cost):
    region = cost(MoveCost(target=7))
    expect(region.get_by_label("Destination begins")).to_have_value("7")


def test_in_jupyterlab_one_press_is_one_answer(lab):
    server, shown = lab
    server.write("movecost.ipynb", "from vmalab.widgets import MoveCost\ncost = MoveCost(pages=512)\ncost")
    server.run(shown, "movecost.ipynb")
    region = shown.get_by_role("region", name="Move cost")
    region.get_by_role("slider", name="Size").focus()
    shown.keyboard.press("ArrowRight")
    expect(region.get_by_label("in pages")).to_have_value("1024")
    region.get_by_label("Destination begins").select_option("a page after one")
    expect(region.get_by_role("img", name="1024 × a moved PTE")).to_have_count(1)
