"""Drawing a prediction with a finger, in a page of its own with Python behind it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.hosted import answer, open_widget, swipe
from tests.browser.settled import unmoving
from tests.browser.test_builder import spot
from tests.sample_outcomes import gap_model
from tests.widget_states import MOVE
from vmalab.widgets import Predict


def test_a_finger_draws_and_reveals(open_page, tmp_path, shots):
    widget = Predict(gap_model(), MOVE)
    shown = open_widget(widget, open_page, tmp_path, width=360, height=1100, has_touch=True)
    region = shown.get_by_role("region", name="Predict")

    def press(name: str) -> None:
        # a click: whether a tap becomes one is the browser's affair, and on a busy machine it may become a long press
        region.get_by_role("button", name=name, exact=True).click()
        answer(shown, widget)

    swipe(shown, spot(region, 3.2), spot(region, 4.8))
    assert [("move", 3, 5)] == [(one["do"], one["first"], one["start"]) for one in answer(shown, widget)]
    expect(region.get_by_label("VMAs", exact=True)).to_have_value("[0 to 1 rw] [5 to 6 r] [66 r]")
    press("Clear")
    expect(region.get_by_label("VMAs", exact=True)).to_have_value("[0 to 1 rw] [66 r]")
    around = region.locator(".vml-stage .vml-scroll")
    x, y = spot(region, 66.5)
    swipe(shown, (300, y + 75), (300 - (x - 180), y + 75))  # beside the band a finger scrolls the picture
    shown.wait_for_function("(one) => one.scrollLeft > 0", arg=around.element_handle())
    unmoving(region.locator(".vml-stage svg"))
    shown.touchscreen.tap(*spot(region, 66.5))
    answer(shown, widget)
    press("Clear")
    assert "[0 to 1 rw]" == widget.vmas
    press("Reveal")
    expect(region.get_by_role("status").filter(has_text="right")).to_contain_text("is missing")
    shots(shown, "predict-finger")
