"""What a move costs as SVG: a bar for each part of its time, and the move among those that were measured.

The words beside these pictures are those of `vmalab.words.costing`; matplotlib is not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import log2, log10

from vmalab.machines.measure.price import MOST_PAGES, Price
from vmalab.machines.measure.results import Result, Results, duration
from vmalab.pictures.svgparts import escape, sized, text_width
from vmalab.words.costing import chart_words, lines, part, parts, tip
from vmalab.words.wording import say, word

WIDTH, LINE = 720, 28
BARS = 214
"""Where the bars begin: right of the longest name."""

SUMS = 178
"""Room right of a bar for its sum."""

LONGEST = 10**7
"""Nanoseconds at the end of the scale of the bars."""

LEFT, TOP, HIGH, FOOT = 64, 12, 190, 62
"""Of the chart: room left of the axis, above, its height, room below for the axis and the legend."""

MARKS = {
    "aligned": ("rw", "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z"),
    "a page off": ("x", "M-4 -4h8v8h-8z"),
    "nothing present": ("r", "M0 -5l5 8.5h-10z"),
    "sparse": ("no", "M0 -6l5 6l-5 6l-5 -6z"),
}
"""Line → colour class and shape: told apart without the colour too."""


def bars(price: Price) -> str:
    """A bar for each part of the price, and one for the sum.

    Logarithmic, from 1 ns to `LONGEST`, the same for every move: a bar that is longer took longer.
    """
    room = WIDTH - BARS - SUMS
    decades = round(log10(LONGEST))
    drawn: list[str] = []

    def line(name: str, counted: bool, ns: float, said: str, style: str = "rw") -> None:
        y = len(drawn) * LINE
        wide = round(room * log10(max(ns, 1.0)) / decades) if counted else 0
        drawn.append(
            f'<g class="{style}"><text class="{"h" if counted else "q"}" x="4" y="{y + 18}">{escape(name)}</text>'
            f'<rect class="p" x="{BARS}" y="{y + 5}" width="{wide}" height="17"/>'
            f'<text class="q" x="{BARS + wide + 6}" y="{y + 18}">{escape(said)}</text></g>'
        )

    for term, count, ns in price.shares():
        line(word("cost_term", term), bool(count), ns, part(count, price.costs.cost[term]))
    line(word("cost", "sum_of_all"), True, price.ns, duration(price.ns), "x")
    foot = LINE * len(drawn) + 2
    at = [BARS + round(room * decade / decades) for decade in range(decades + 1)]
    lines = "".join(f"M{x} 0V{foot}" for x in at[1:])
    marks = "".join(
        f'<text class="q c" x="{x}" y="{foot + 14}">{duration(10.0**decade)}</text>' for decade, x in enumerate(at)
    )
    axis = f'<path class="g" d="{lines}"/><path class="l" d="M{BARS} 0V{foot}H{at[-1]}"/>{marks}'
    return f"{_head(foot + 20, parts(price))}{axis}{''.join(drawn)}</svg>"


def chart(results: Results, price: Price) -> str:
    """The measured moves of one VMA by size, and where `price` lies among them; both axes logarithmic."""
    known = lines(results)
    times = [row.median for rows in known.values() for row in rows] + [max(price.ns, 1.0)]
    low, high = int(log10(min(times))), -int(-log10(max(times)) // 1)

    def x(pages: int) -> int:
        return LEFT + round((WIDTH - LEFT - 24) * log2(pages) / log2(MOST_PAGES))

    def y(ns: float) -> int:
        return TOP + HIGH - round(HIGH * (log10(max(ns, 1.0)) - low) / (high - low))

    out = [_axes(x, y, range(low, high + 1))]
    for line, rows in known.items():
        out.append(_line(line, rows, x, y))
    at = f"{x(price.pages)} {y(price.ns)}"
    out.append(
        f'<g transform="translate({at})"><circle class="chl" r="9"/>'
        f'<text class="srct" x="{-8 if price.pages > 64 else 8}" y="-13"'
        f' text-anchor="{"end" if price.pages > 64 else "start"}">{escape(word("cost", "this"))}</text></g>'
    )
    out.append(_legend([line for line, rows in known.items() if rows]))
    return _head(TOP + HIGH + FOOT, chart_words(results, price)) + "".join(out) + "</svg>"


def _head(height: int, words: str) -> str:
    return (
        f'<svg class="vml-pic" viewBox="0 0 {WIDTH} {height}" style="{sized(WIDTH, 980)}" role="img"'
        f' aria-label="{escape(words)}">'
    )


def _axes(x: Callable[[int], int], y: Callable[[float], int], decades: Iterable[int]) -> str:
    out = []
    for decade in decades:
        at = y(10.0**decade)
        out.append(
            f'<path class="g" d="M{LEFT} {at}H{WIDTH - 24}"/>'
            f'<text class="q e" x="{LEFT - 6}" y="{at + 4}">{duration(10.0**decade)}</text>'
        )
    foot = TOP + HIGH
    for power in range(0, MOST_PAGES.bit_length(), 3):
        at = x(1 << power)
        out.append(
            f'<path class="l" d="M{at} {foot}v4"/><text class="q c" x="{at}" y="{foot + 16}">{1 << power}</text>'
        )
    out.append(f'<path class="l" d="M{LEFT} {TOP}V{foot}H{WIDTH - 24}"/>')
    out.append(f'<text class="q e" x="{WIDTH - 24}" y="{foot + 32}">{escape(word("cost", "axis"))}</text>')
    return "".join(out)


def _line(line: str, rows: list[Result], x: Callable[[int], int], y: Callable[[float], int]) -> str:
    style, shape = MARKS[line]
    at = [(x(row.x), y(row.median)) for row in rows]
    path = f'<path class="s" d="M{"L".join(f"{a} {b}" for a, b in at)}"/>' if len({a for a, _ in at}) > 1 else ""
    points = "".join(
        f'<path class="p" transform="translate({a} {b})" d="{shape}"><title>{escape(tip(line, row))}</title></path>'
        for (a, b), row in zip(at, rows, strict=True)
    )
    return f'<g class="{style}">{path}{points}</g>'


def _legend(names: Iterable[str]) -> str:
    out, at = [], LEFT
    for line in names:
        style, shape = MARKS[line]
        said = say("cost_line", line)
        out.append(
            f'<g class="{style}" transform="translate({at + 6} {TOP + HIGH + 50})"><path class="p" d="{shape}"/>'
            f'<text class="q" x="11" y="4">{escape(said)}</text></g>'
        )
        at += round(text_width(said, 11)) + 36
    return f'<g aria-hidden="true">{"".join(out)}</g>'
