"""Contrast of every colour against what it is drawn on, light and dark: WCAG 2.1 AA."""

from __future__ import annotations

import re

import pytest

from tests.sample_outcomes import gap_model
from vmalab.pictures.display import snapshot_html
from vmalab.pictures.theme import COLOURS, picture_css, style_for, stylesheet, variables_css

THEMES = {"light": 0, "dark": 1}
BOXES = ("box-rw", "box-r", "box-x", "box-none")
TEXT_ON = [("text", ground) for ground in ("ground", "panel", "soft", *BOXES)]
TEXT_ON += [("quiet", ground) for ground in ("ground", "panel", *BOXES)]
TEXT_ON += [(name, "ground") for name in ("accent", "target", "good", "bad")]
TEXT_ON += [("ground", f"edge-{kind}") for kind in ("rw", "r", "x", "none")]  # the words in the page cells
LINES_ON = [(f"edge-{kind}", f"box-{kind}") for kind in ("rw", "r", "x", "none")]
LINES_ON += [
    (name, "ground") for name in ("line", "focus", "accent", "target", "edge-rw", "edge-r", "edge-x", "edge-none")
]
LINES_ON += [("accent", box) for box in BOXES] + [("focus", box) for box in BOXES]


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_measure_itself():
    assert 21 == pytest.approx(contrast("#000000", "#ffffff"))
    assert 4.48 == pytest.approx(contrast("#777777", "#ffffff"), abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "ground"), TEXT_ON)
def test_text_can_be_read(theme, ink, ground):
    which = THEMES[theme]
    assert contrast(COLOURS[ink][which], COLOURS[ground][which]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("line", "ground"), LINES_ON)
def test_outlines_and_marks_can_be_seen(theme, line, ground):
    which = THEMES[theme]
    assert contrast(COLOURS[line][which], COLOURS[ground][which]) >= 3


def test_every_colour_used_is_defined():
    used = set(re.findall(r"var\(--vml-([a-z-]+)\)", picture_css() + stylesheet("controls.css")))
    assert set() == used - COLOURS.keys()


def test_both_themes_hold_where_a_page_says_so():
    css = variables_css()
    for place in ('[data-jp-theme-light="false"] .vml', "prefers-color-scheme:dark", "@media print", ".vml.vml-dark"):
        assert place in css


def test_styles_reach_nothing_outside_a_picture():
    for name in ("picture.css", "controls.css"):
        text = re.sub(r"@(?:media|container)[^{]*\{(.*?\})\}", r"\1", stylesheet(name))
        for selector in re.findall(r"([^{}]+)\{", text):
            for one in re.sub(r":is\([^)]*\)", "", selector).split(","):
                assert ".vml" in one, one


def test_an_output_brings_only_the_styles_that_it_needs():
    html = '<div class="vml vml-card"><table class="vml-table"><tr><td>1</td></tr></table></div>'
    sheet = style_for(html)
    assert ".vml .vml-table{" in sheet and ".vml-pic text" not in sheet
    assert "--vml-soft" in sheet and "--vml-target" not in sheet
    assert len(sheet) < 2500


def test_every_rule_that_reaches_a_picture_is_brought():
    html = snapshot_html(gap_model().snapshot(), style=False)
    classes = {name for found in re.findall(r'class="([^"]+)"', html) for name in found.split()}
    for selector in re.findall(r"([^{}]+)\{", re.sub(r"@media[^{]*\{.*?\}\}", "", stylesheet("picture.css"))):
        wanted = set(re.findall(r"\.([\w-]+)", selector))
        if "," not in selector and wanted <= classes and not re.search(r" [a-z]", selector):
            assert selector + "{" in style_for(html)
    used = set(re.findall(r"var\(--vml-([a-z-]+)\)", style_for(html)))
    assert used == set(re.findall(r"--vml-([a-z-]+):", style_for(html)))
