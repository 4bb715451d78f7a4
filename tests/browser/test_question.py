"""A question in a page, by keyboard, without Python; and the list of what was predicted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.hosted import open_widget, widget_page
from tests.widget_states import Output
from vmalab.teach.questions import session
from vmalab.widgets import MyPredictions, Question

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_kept", {})


def test_choose_say_how_sure_and_reveal_without_python(open_page: Any, tmp_path: Any):
    shown = open_widget(Output(Question("04-gap")), open_page, tmp_path)
    status, reveal = shown.get_by_role("status"), shown.get_by_role("button", name="Reveal")
    reveal.press("Enter")
    assert status.inner_text() == "Choose first what you expect, and say how sure you are."
    assert not shown.locator(".vml-means", has_text="Gaps are kept").is_visible()
    shown.keyboard.press("ArrowDown")  # the focus is on the first choice
    shown.get_by_label("certain").press(" ")
    reveal.press("Enter")
    assert status.inner_text() == "✓ b is right."
    assert shown.locator(".vml-means", has_text="Gaps are kept").is_visible()
    # what was predicted is there again after the page was left, and stands in the list
    other = tmp_path / "list.html"
    other.write_text(widget_page(Output(MyPredictions("04"))), encoding="utf-8")
    shown.reload()
    shown.get_by_text("✓ b is right.").wait_for()
    shown.goto(other.as_uri())
    row = shown.get_by_role("row").nth(1)
    row.wait_for()
    assert row.inner_text().split("\t")[1:] == ["b", "certain", "b", "✓ right"]


def test_what_is_chosen_reaches_python(open_page: Any, tmp_path: Any):
    shown = open_widget(Question("01-full"), open_page, tmp_path)
    for letter in ("of its last page", "in the middle"):
        shown.get_by_label(letter).check()
    shown.get_by_label("a guess").check()
    shown.get_by_text("Why?").click()
    shown.get_by_role("textbox").fill("Less is always possible.")
    shown.get_by_role("button", name="Reveal").click()
    assert shown.get_by_role("status").inner_text() == "✕ ab is not so: it is bc."
    saved = shown.evaluate("window.model.saved.at(-1)")
    assert (saved["choice"], saved["sure"], saved["why"], saved["revealed"]) == (
        "ab", "guess", "Less is always possible.", True,
    )  # fmt: skip
