"""The pictures of what a move costs, and their words: the same numbers in both."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from vmalab.machines.measure import recorded
from vmalab.machines.measure.price import Price, price
from vmalab.machines.measure.results import duration
from vmalab.pictures.svgcosts import bars, chart
from vmalab.words.costing import chart_words, parts, source, words
from vmalab.words.wording import word

PRICES = [
    price(*arguments)
    for arguments in [
        (1, 0, 0, "none"), (1,), (512,), (512, 0, 1), (2048, 0, 513), (262144, 0, 0, "sparse"), (524288, 0, 1),
    ]
]  # fmt: skip


def parsed(text: str) -> ElementTree.Element:
    root = ElementTree.fromstring(text)
    assert "img" == root.get("role")
    return root


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(node.itertext()) for node in root.iter("text")]


@pytest.mark.parametrize("shown", PRICES, ids=lambda one: f"{one.pages}-{one.level}")
def test_a_bar_for_each_part_as_long_as_its_share(shown: Price):
    root = parsed(bars(shown))
    assert parts(shown) == root.get("aria-label")
    widths = [int(node.get("width")) for node in root.iter("rect")]
    labels = texts(root)
    for (term, count, ns), width, name, said in zip(
        shown.shares(), widths, labels[::2], labels[1::2], strict=True
    ):  # fmt: skip
        assert word("cost_term", term) == name
        assert (f"= {duration(ns)}" if count > 1 else duration(ns) if count else "none") in said
        assert (f"{count} × {name}, {duration(ns)}" in parts(shown)) == bool(count)
        assert width == pytest.approx(328 * ns / shown.ns, abs=1)


@pytest.mark.parametrize("shown", PRICES, ids=lambda one: f"{one.pages}-{one.level}")
def test_every_measured_move_is_a_point_and_this_one_is_marked(shown: Price):
    root = parsed(chart(recorded(), shown))
    assert chart_words(recorded(), shown) == root.get("aria-label")
    points = list(root.iter("title"))
    assert len(recorded().group("move")) + len(recorded().group("sparse")) == len(points)
    assert 1 == sum(1 for _ in root.iter("circle"))
    _, _, width, height = map(int, root.get("viewBox").split())
    for node in root.iter():
        at = re.match(r"translate\((-?\d+) (-?\d+)\)", node.get("transform", ""))
        if at:
            assert 0 <= int(at[1]) <= width
            assert 0 <= int(at[2]) <= height


def test_where_the_move_was_measured_it_lies_on_the_line():
    results = recorded()
    row = next(row for row in results.group("move") if row.case == "move/8192/a page off")
    root = parsed(chart(results, price(8192, 0, 1)))
    point = next(
        node for node in root.iter() if any("8192 pages, a page off" in (t.text or "") for t in node.findall("title"))
    )
    here = next(node for node in root.iter("g") if node.find("circle") is not None)
    (x, y), (a, b) = (tuple(map(int, re.findall(r"-?\d+", node.get("transform")))) for node in (point, here))
    assert x == a
    assert abs(y - b) <= 3  # the fit is within 3 % there
    assert f"{duration(row.median)} for" not in words(price(8192, 0, 1))
    assert f"Measured with the same counts: {duration(row.median)}" in words(price(8192, 0, 1))


def test_where_the_times_come_from_is_said():
    said = source(recorded(), price(1).costs)
    assert "Linux 6.18.44" in said
    assert re.search(r"within \d+ % of the fit, the worst is \d+ % off", said)
