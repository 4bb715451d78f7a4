"""The pictures of what a move costs, and their words: the same numbers in both."""

from __future__ import annotations

import re
from math import log10
from xml.etree import ElementTree

import pytest

from vmalab.machines.measure import recorded
from vmalab.machines.measure.price import Price, price
from vmalab.machines.measure.results import duration
from vmalab.pictures.svgcosts import bars, chart
from vmalab.pictures.svggrid import grid
from vmalab.words.costing import chart_words, grid_words, parts, source, words
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
    assert ["all of it", duration(shown.ns)] == labels[-2:]
    assert widths[-1] == max(widths)
    for (term, count, ns), width, name, said in zip(
        shown.shares(), widths[:-1], labels[8:-2:2], labels[9:-2:2], strict=True
    ):  # fmt: skip
        assert word("cost_term", term) == name
        assert (f"= {duration(ns)}" if count > 1 else duration(ns) if count else "none") in said
        assert (f"{count} × {name}, {duration(ns)}" in parts(shown)) == bool(count)
        assert width == (round(328 * log10(max(ns, 1)) / 7) if count else 0)  # the same scale for all moves


@pytest.mark.parametrize("shown", PRICES, ids=lambda one: f"{one.pages}-{one.level}")
def test_source_and_destination_lie_in_the_grid_as_the_model_moves_them(shown: Price):
    root = parsed(grid(shown))
    assert grid_words(shown) == root.get("aria-label")
    pieces = [group for group in root.iter("g") if group.find("rect") is not None]
    blocks = [len({page // 512 for page in (start, start + shown.pages - 1)}) for start in (shown.source, shown.target)]
    assert len(pieces) >= sum(blocks)
    _, _, width, _ = map(int, root.get("viewBox").split())
    for rect in root.iter("rect"):
        assert 0 <= int(rect.get("x")) <= int(rect.get("x")) + int(rect.get("width")) <= width


@pytest.mark.parametrize("present", ["all", "sparse"])
@pytest.mark.parametrize(
    ("pages", "source", "target"), [(1, 0, 0), (700, 1, 1), (512, 0, 512), (2048, 0, 1), (1500, 513, 1)]
)
def test_what_the_pieces_say_is_what_the_model_counts(present: str, pages: int, source: int, target: int):
    shown = price(pages, source, target, present)
    said = [node.text or "" for node in parsed(grid(shown)).iter("title")]
    for start in (source, target):
        number = len({page // 512 for page in range(start, start + pages)})
        own, said = said[:number], said[number:]
        ptes = sum(int(one.split()[0]) for one in own if one.endswith("PTE"))
        assert (shown.entries.pte, shown.entries.pmd) == (ptes, own.count("1 PMD"))


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
