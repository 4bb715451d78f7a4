"""`Watch` in a browser: a process that was started here, told what to do by buttons, and looked at."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.hosted import open_widget, traits_of
from vmalab.widgets import Watch


def answered(page: Any, widget: Watch) -> None:
    """Python's answers to what the page has sent."""
    for message in page.evaluate("window.model.sent.splice(0)"):
        widget._heard(None, message, None)
    page.evaluate("(state) => window.model.receive(state)", traits_of(widget))


@pytest.mark.live
def test_a_process_is_started_told_what_to_do_and_looked_at(open_page: Any, tmp_path: Any, shots: Any):
    widget = Watch()
    page = open_widget(widget, open_page, tmp_path, height=1300)
    region = page.get_by_role("region", name="A process while it runs")
    said = region.get_by_role("status")
    expect(region.get_by_role("button", name="Look", exact=True)).to_be_disabled()
    expect(region.get_by_role("button", name="mmap 16 pages")).to_be_hidden()
    shots(region, "watch-before")
    region.get_by_role("button", name="Start a process").press("Enter")
    answered(page, widget)
    expect(said).to_contain_text("at the first look")
    region.get_by_role("button", name="mmap 16 pages").press("Enter")
    answered(page, widget)
    expect(said).to_contain_text("mmap(NULL, 16 pages, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7")
    assert region.get_by_role("list", name="What changed").get_by_role("listitem").count()
    region.get_by_role("button", name="Write to its first 4 pages").press("Enter")
    answered(page, widget)
    expect(region.get_by_role("list", name="What changed")).to_contain_text("present")
    shots(region, "watch-written")
    few = region.get_by_role("img").count()
    region.get_by_label("all VMAs").check()
    answered(page, widget)
    expect(region.get_by_role("img").nth(few + 1)).to_be_attached()
    shots(region, "watch-whole")
    region.get_by_label("every second").check()
    page.wait_for_function("window.model.sent.some(({ do: what }) => what === 'look')")
    widget.end()
    answered(page, widget)
    expect(region.get_by_role("alert")).to_contain_text("There is no process")
    expect(region.get_by_label("every second")).not_to_be_checked()
    expect(region.get_by_role("button", name="mmap 16 pages")).to_be_hidden()
