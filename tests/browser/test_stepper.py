"""The stepper as a widget: its traits follow what a person does, and what Python sets is shown; by finger too.

What it plays is tried in test_player.py.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.hosted import open_widget, swipe
from tests.sample_outcomes import gap_move
from vmalab.widgets import Stepper


@pytest.fixture
def stepper(open_page, tmp_path):
    shown = open_widget(Stepper(gap_move()), open_page, tmp_path, has_touch=True)
    return shown.get_by_role("region", name="Stepper")


def test_the_kernel_hears_where_a_person_stops(stepper):
    saved = "window.model.saved.map(({ index, depth, page_tables }) => [index, depth, page_tables])"
    stepper.get_by_role("button", name="Next step").click()
    stepper.get_by_role("slider", name="Step").focus()
    stepper.page.keyboard.press("End")
    stepper.get_by_label("Words").select_option("kernel")
    stepper.get_by_role("checkbox", name="page tables").check()
    assert [[1, 2, False], [15, 2, False], [15, 3, False], [15, 3, True]] == stepper.page.evaluate(saved)


def test_what_python_sets_is_shown_and_not_sent_back(stepper):
    stepper.page.evaluate("window.model.receive({ index: 6, depth: 3, page_tables: true })")
    expect(stepper.get_by_role("slider", name="Step")).to_have_attribute("aria-valuetext", "step 6 of 15")
    expect(stepper.get_by_role("status")).to_contain_text("copy_vma() [mm/vma.c]")
    expect(stepper.get_by_role("img", name="Page-table entries")).to_be_visible()
    assert [] == stepper.page.evaluate("window.model.saved")


def test_while_it_plays_nothing_is_sent_until_the_end(stepper):
    stepper.get_by_label("Speed").select_option("fast")
    stepper.get_by_role("button", name="Play").click()
    stepper.get_by_role("button", name="Play").wait_for()
    assert [15] == stepper.page.evaluate("window.model.saved.map(({ index }) => index)")


def test_a_finger_draws_the_slider(stepper):
    box = stepper.get_by_role("slider", name="Step").bounding_box()
    y = box["y"] + box["height"] / 2
    swipe(stepper.page, (box["x"] + 8, y), (box["x"] + box["width"] - 8, y))
    expect(stepper.get_by_role("slider", name="Step")).to_have_attribute("aria-valuetext", "step 15 of 15")


def test_a_widget_that_is_taken_away_stops_playing(stepper):
    stepper.get_by_role("button", name="Play").click()
    stepper.get_by_role("button", name="Pause").wait_for()
    stepper.page.evaluate("window.leave()")
    expect(stepper.get_by_role("button", name="Play")).to_be_visible()
