"""Every widget and every page that is exported, in its several states, light and dark, before axe-core."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.axe import violations
from tests.browser.hosted import open_widget
from tests.browser.test_sidebyside import program
from tests.pictured import gap_model, gap_move
from tests.teach.test_answers import two_with_gap
from vmalab import widgets
from vmalab.addr import PAGE, page
from vmalab.call import Mremap
from vmalab.export import outcome_page, program_page
from vmalab.machines.model import Model
from vmalab.scenario import named
from vmalab.widgets import CallBuilder, ModelAndMachine, MoveCost, Predict, SideBySide, Stepper
from vmalab.widgets.base import Widget

MOVE = Mremap(page(0), 5 * PAGE, 5 * PAGE, 3, page(64))


def built() -> CallBuilder:
    """A call that was made, and after it a field that is wrong."""
    builder = CallBuilder(gap_model("6.16")).set(addr="0", old_len="5", flags="maymove fixed", new_addr="64")
    builder.run()
    return builder.set(new_addr="sixty")


def revealed() -> Predict:
    """A prediction that is partly wrong."""
    guess = Predict(gap_model(), MOVE)
    guess.errno, guess.value, guess.vmas = "succeeds", "64", "[64-66 rw] [67-69 r]"
    guess.reveal()
    return guess


STATES: dict[str, Callable[[], Widget]] = {
    "Stepper": lambda: Stepper(gap_move(), index=7, depth=3, page_tables=True),
    "Stepper, refused": lambda: Stepper(gap_move("6.16"), index=99),
    "CallBuilder": lambda: CallBuilder(gap_model()),
    "CallBuilder, run": built,
    "SideBySide": lambda: SideBySide(program(), "6.16", "6.17"),
    "ModelAndMachine": lambda: ModelAndMachine(two_with_gap()),
    "Predict": lambda: Predict(gap_model(), MOVE),
    "Predict, revealed": revealed,
    "MoveCost": lambda: MoveCost(2048, 0, 1),
}


def test_every_widget_is_here():
    assert set(widgets.__all__) == {name.partition(",")[0] for name in STATES}


@pytest.mark.parametrize("name", STATES)
def test_a_widget_breaks_no_rule(open_page: Any, tmp_path: Path, name: str):
    shown = open_widget(STATES[name](), open_page, tmp_path)
    assert [] == light_and_dark(shown)


def light_and_dark(shown: Any) -> list[str]:
    found = violations(shown)
    shown.emulate_media(color_scheme="dark")
    return found + violations(shown)


def test_exported_pages_break_no_rule(open_page: Any, tmp_path: Path):
    pages = {
        "outcome": outcome_page(gap_move()),
        "program": program_page(Model("6.18").run(named("gap-keeps-what-was-there"))),
    }
    for name, text in pages.items():
        path = tmp_path / f"{name}.html"
        path.write_text(text, encoding="utf-8")
        shown = open_page()
        shown.goto(path.as_uri())
        shown.get_by_text("as text").click()
        assert [] == light_and_dark(shown), name


def test_axe_finds_what_is_wrong(open_page: Any):
    shown = open_page()
    shown.set_content("<html lang=en><title>t</title><main><p style='color:#ccc'>pale</p><input></main></html>")
    assert {"label", "color-contrast"} == {line.partition(":")[0] for line in violations(shown)}
