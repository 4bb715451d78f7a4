"""`Program` in a browser: scrubbing, search, zoom, and its page without a kernel; thousands of VMAs in one frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vmalab.programs import data
from vmalab.widgets import Program

HERE = data.folder("programs")


@pytest.fixture(scope="module")
def grow(tmp_path_factory: pytest.TempPathFactory) -> str:
    return Program(HERE / "grow.strace").to_html(tmp_path_factory.mktemp("page") / "grow.html").as_uri()


def opened(open_page: Any, address: str) -> Any:
    shown = open_page()
    shown.goto(address)
    shown.wait_for_selector(".vml-curve")
    return shown


def test_scrubbing_shows_the_address_space_at_that_moment(open_page: Any, grow: str):
    shown = opened(open_page, grow)
    status = shown.locator(".vml-say").first
    slider = shown.locator("input[type=range]")
    assert "24 VMAs" in status.inner_text()
    slider.focus()
    shown.keyboard.press("Home")
    assert "before the first call" in status.inner_text()
    shown.keyboard.press("ArrowRight")
    assert status.inner_text().startswith("1 of ")


def test_each_call_of_a_small_program_plays_without_python(open_page: Any, grow: str):
    shown = opened(open_page, grow)
    shown.get_by_role("button", name="Step through this call").click()
    shown.wait_for_selector(".vml-played .vml-pic")
    assert shown.locator(".vml-played").inner_text().startswith("Call 39, line ")
    assert 0 == shown.get_by_role("button", name="Next call with steps").count()


def test_search_zoom_and_words(open_page: Any, grow: str):
    shown = opened(open_page, grow)
    shown.get_by_label("Find").fill("libc.so")
    hint = shown.locator(".vml-hint[role=status]")
    assert hint.inner_text().startswith("1 found.")
    shown.get_by_label("neighbours of one file together").uncheck()
    assert hint.inner_text().startswith("5 found.")
    shown.get_by_text("VMAs in words").click()
    assert 5 == shown.locator("ol[aria-label=VMAs] li").count()
    shown.get_by_label("Find").fill("")
    whole = hint.inner_text()
    shown.locator("[role=group][tabindex='0']").last.focus()
    shown.keyboard.press("+")
    assert whole != hint.inner_text()
    shown.keyboard.press("0")
    assert whole == hint.inner_text()


def test_tens_of_thousands_of_vmas_are_scrubbed_in_one_frame(open_page: Any, tmp_path: Path):
    page = Program(HERE / "fragments.strace.xz").to_html(tmp_path / "fragments.html", calls=(9, 20_000, 32_768))
    assert page.stat().st_size < 4_000_000
    shown = opened(open_page, page.as_uri())
    assert "65530 VMAs" in shown.locator(".vml-say").first.inner_text()
    # without Python: what is not kept is said, and the next call that is kept is one press away
    shown.get_by_label("Step", exact=True).first.fill("12345")
    shown.get_by_role("button", name="Step through this call").click()
    assert "3 of 32768 calls have theirs" in shown.locator(".vml-played").inner_text()
    shown.get_by_role("button", name="Next call with steps").click()
    shown.wait_for_selector(".vml-played .vml-pic")
    # what a key press does is done when the press returns: nothing waits for a later frame
    shown.locator("input[type=range]").first.focus()
    shown.keyboard.press("Home")
    assert "before the first call" in shown.locator(".vml-say").first.inner_text()
