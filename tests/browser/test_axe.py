"""Every widget and every page that is exported, in its several states, light and dark, before axe-core."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.axe import violations
from tests.browser.hosted import open_widget
from tests.sample_outcomes import gap_move
from tests.widget_states import STATES
from vmalab.machines.model import Model
from vmalab.pictures.export import outcome_page, program_page
from vmalab.programs.scenario import named


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
