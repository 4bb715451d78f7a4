"""Charts: the same picture for the same numbers, with the numbers in words."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from attrs import evolve

from vmalab.machines.measure import recorded
from vmalab.pictures import charts

EVERY = [chart for chart, _ in charts.CHARTS.values()]


@pytest.mark.parametrize("chart", EVERY, ids=lambda one: one.__name__)
def test_a_chart_is_the_same_in_every_run_and_says_what_it_shows(chart):
    drawn = chart(recorded())
    assert drawn.svg() == chart(recorded()).svg()
    root = ElementTree.fromstring(drawn.svg())
    assert ("img", f"{drawn.title}. {drawn.words}") == (root.get("role"), root.get("aria-label"))
    assert drawn.words in repr(drawn)
    html = drawn._repr_html_()
    assert drawn.caption.split(".")[0] in html
    assert "http" not in html.replace("http://www.w3.org/", "").replace("http://purl.org/", "").replace(
        "http://creativecommons.org/", ""
    )


def test_the_words_have_the_numbers():
    results = recorded()
    words = charts.together(results).words
    for row in results.group("many"):
        assert f"{row.x} VMAs" in words
    last = [row for row in results.group("many") if row.x == 1000]
    share = min(row.median for row in last) / max(row.median for row in last)
    assert f"With 1000 VMAs one call takes {share:.0%} of the time." in words


def test_a_chart_of_nothing_is_still_a_chart():
    from vmalab.machines.measure.results import Results

    assert "<svg" in charts.together(Results((), {})).svg()


def test_a_page_has_the_charts_that_there_are_numbers_for():
    results = recorded()
    page = charts.charts_page(results)
    assert len(EVERY) == page.count("<figure")
    assert all(chart.title in page for chart in charts.drawable(results).values())
    only = evolve(results, rows=tuple(results.group("grow")))
    assert ["growth"] == list(charts.drawable(only))


def test_series_differ_in_more_than_colour():
    assert len({style[1:] for style in charts.STYLES}) == len(charts.STYLES)
