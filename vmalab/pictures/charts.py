"""Charts of measurements, drawn with matplotlib; each says in words what it shows.

    together(results)     one call for many VMAs against a call for each
    by_size(results)      one move by size, alignment and what is present
    growth(results)       growing a block by mremap against copying it
    beside(results)       what fork and page faults cost, beside growth by mremap
    residuals(results)    how far a fitted cost model is off
    charts_page(results)  all of them that there are numbers for, on one HTML page

A chart is SVG that is the same in every run for the same numbers.  matplotlib is loaded when a chart is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from vmalab.machines.measure.costs import CostModel, fit
from vmalab.machines.measure.results import Result, Results, duration
from vmalab.pictures.card import card, within

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STYLES = (("#000001", "o", "-"), ("#000002", "s", "--"), ("#000003", "^", ":"), ("#000004", "D", "-."))
"""Colour, marker and line of each series: told apart without the colour too."""

SERIES = {"aligned": 0, "a page off": 1, "nothing present": 2, "sparse": 3}
"""The style of those that `svgcosts.MARKS` draws too; the others take theirs by their order."""

THEME = {
    "#000000": "text", "#000001": "edge-rw", "#000002": "edge-x", "#000003": "edge-r", "#000004": "edge-none",
    "#000005": "soft", "#000006": "line",
}  # fmt: skip
"""What matplotlib draws with → the colour of `vmalab.pictures.theme` that stands in the chart: light or dark."""


@frozen
class Series:
    """One line of a chart: points (x, median, first and third quartile), y in microseconds."""

    name: str
    points: tuple[tuple[float, float, float, float], ...]


class Chart:
    """A picture of numbers, with a caption and the same in words.  Shows itself in a notebook as SVG."""

    def __init__(
        self, title: str, caption: str, words: str, axes: tuple[str, str], draw: Callable[[Axes], None]
    ) -> None:
        self.title, self.caption, self.words, self.axes, self._draw = title, caption, words, axes, draw

    def __repr__(self) -> str:
        return f"Chart({self.title}: {self.words})"

    def svg(self) -> str:
        """The chart as an SVG element with its text alternative."""
        import io

        import matplotlib
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure

        with matplotlib.rc_context({"svg.hashsalt": self.title, "svg.fonttype": "none", "font.size": 10}):
            figure = Figure(figsize=(7.2, 3.6), layout="constrained")
            FigureCanvasSVG(figure)
            axes = figure.add_subplot()
            axes.set_xlabel(self.axes[0])
            axes.set_ylabel(self.axes[1])
            axes.grid(True, color="#000005", linewidth=0.6)
            axes.set_axisbelow(True)
            self._draw(axes)
            out = io.StringIO()
            figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        text = out.getvalue()
        text = re.sub(r'<g id="[^"]*"', "<g", text[text.index("<svg") :])  # names that every chart would have
        text = re.sub(r"#00000[0-6]", lambda colour: f"var(--vml-{THEME[colour[0]]})", text)
        name = escape(f"{self.title}. {self.words}", quote=True)
        style = "max-width:100%;height:auto;fill:var(--vml-text)"
        return text.replace("<svg ", f'<svg role="img" aria-label="{name}" style="{style}" ', 1)

    def _repr_html_(self) -> str:
        return card(
            f"<figure style='margin:0'>{self.svg()}"
            f"<figcaption><b>{escape(self.title)}.</b> {escape(self.caption)}</figcaption></figure>"
            f'<details class="vml-text"><summary>In words</summary><p>{escape(self.words)}</p></details>',
            what="a chart and its words",
        )


def together(results: Results) -> Chart:
    """One call for many VMAs against a call for each."""
    lines = _series(results.group("many"))
    by_name = {one.name: {point[0]: point[1] for point in one.points} for one in lines}
    one, each = by_name.get("one call", {}), by_name.get("a call for each VMA", {})
    shared = sorted(set(one) & set(each))
    told = "; ".join(f"{n:g} VMAs: {duration(1000 * one[n])} against {duration(1000 * each[n])}" for n in shared)
    last = (
        f" With {shared[-1]:g} VMAs one call takes {one[shared[-1]] / each[shared[-1]]:.0%} of the time."
        if shared
        else ""
    )
    return Chart(
        "Moving many VMAs", "Medians; the bars span the middle half of the samples. Both axes are logarithmic.",
        f"One call against a call for each VMA. {told}.{last}", ("VMAs of one page", "time"),
        lambda axes: _lines(axes, lines),
    )  # fmt: skip


def by_size(results: Results) -> Chart:
    """One move by size: aligned, a page off, nothing present."""
    lines = _series(results.group("move"))
    told = _ends(lines, "pages")
    return Chart(
        "Moving one VMA", "Medians and middle halves. Where source and destination are aligned alike, whole page "
        "tables move from 512 pages on.", f"{told}.", ("pages", "time"),
        lambda axes: _lines(axes, lines),
    )  # fmt: skip


def growth(results: Results) -> Chart:
    """A block doubles: mremap against copying."""
    lines = _series(results.group("grow"), scale=1 / 1024)
    told = _ends(lines, "KiB")
    return Chart(
        "Doubling a block that has to move", "Medians and middle halves. Copying writes every page anew; mremap moves "
        "page-table entries.", f"{told}.", ("KiB before", "time"),
        lambda axes: _lines(axes, lines),
    )  # fmt: skip


def beside(results: Results) -> Chart:
    """Fork and first writes by the memory that they are about, beside growing that much by mremap."""
    rows = [*results.group("fork"), *results.group("fault")]
    rows += [row for row in results.group("grow") if row.variant == "mremap"]
    names = {"fork": "fork", "fault": "first write to each page", "mremap": "doubling by mremap"}
    lines = [evolve(one, name=names[one.name]) for one in _series(rows, scale=1 / 1024)]
    return Chart(
        "Fork and page faults beside", "Medians and middle halves. A page fault costs far more than a PTE that moves.",
        f"{_ends(lines, 'KiB')}.", ("KiB", "time"), lambda axes: _lines(axes, lines),
    )  # fmt: skip


def residuals(results: Results, model: CostModel | None = None) -> Chart:
    """How far the fitted cost model is off, case by case."""
    followed = model or fit(results)
    rows = [row for row in results.rows if row.entries is not None]
    off = [(row.case, followed.residual(row)) for row in rows]
    worst = sorted(off, key=lambda one: -abs(one[1]))[:3]
    told = f"{sum(abs(by) <= 0.25 for _, by in off)} of {len(off)} cases within 25 %. Furthest off: " + ", ".join(
        f"{case} {by:+.0%}" for case, by in worst
    )

    def draw(axes: Axes) -> None:
        axes.bar(range(len(off)), [100 * by for _, by in off], color=STYLES[0][0], width=0.7)
        axes.axhline(0, color="#000000", linewidth=0.8)
        groups = [row.group for row in rows]
        for name in dict.fromkeys(groups):
            first = groups.index(name)
            axes.axvline(first - 0.5, color="#000006", linewidth=0.8, linestyle=":")
            axes.text(first, axes.get_ylim()[1], f" {name}", va="top", fontsize=9)
        axes.set_xticks([])

    return Chart(
        "The cost model against the measurements", "Each bar is a case: how much more (or less) the model says than "
        "was measured, in percent.", f"{told}.", ("cases", "predicted minus measured (%)"), draw,
    )  # fmt: skip


CHARTS: Mapping[str, tuple[Callable[[Results], Chart], str]] = {
    "together": (together, "many"),
    "by_size": (by_size, "move"),
    "growth": (growth, "grow"),
    "beside": (beside, "fault"),
    "residuals": (residuals, "move"),
}
"""Name → the chart and the group of cases that it needs."""


def drawable(results: Results) -> dict[str, Chart]:
    """The charts that there are numbers for, by name."""
    return {name: chart(results) for name, (chart, group) in CHARTS.items() if results.group(group)}


def charts_page(results: Results) -> str:
    """Those charts as an HTML page that needs nothing else."""
    kernel = escape(results.provenance.get("kernel", "an unknown kernel"))
    title = f"What moves cost on Linux {kernel}"
    about = escape(", ".join(f"{key} {value}" for key, value in results.provenance.items()))
    drawn = "".join(within(chart._repr_html_()) for chart in drawable(results).values())
    head = f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
    return f"{head}<main><h1>{title}</h1><p>{about}</p><p>Noise: {escape(results.noise())}.</p>{drawn}</main>\n"


def _series(rows: Sequence[Result], scale: float = 1.0) -> list[Series]:
    names = dict.fromkeys(row.variant for row in rows)
    return [
        Series(name, tuple((row.x * scale, row.median / 1000, row.q1 / 1000, row.q3 / 1000)
                           for row in rows if row.variant == name))
        for name in names
    ]  # fmt: skip


def _ends(lines: Sequence[Series], unit: str) -> str:
    """The first and the last point of each line, in words."""
    ends = [(one.name, one.points[0], one.points[-1]) for one in lines]
    return "; ".join(
        f"{name}: {duration(1000 * a[1])} for {a[0]:g} {unit}, {duration(1000 * b[1])} for {b[0]:g}"
        for name, a, b in ends
    )


def _lines(axes: Any, lines: Sequence[Series]) -> None:
    for number, one in enumerate(lines):
        colour, marker, line = STYLES[SERIES.get(one.name, number)]
        x = [point[0] for point in one.points]
        y = [point[1] for point in one.points]
        bars = [[point[1] - point[2] for point in one.points], [point[3] - point[1] for point in one.points]]
        axes.errorbar(x, y, yerr=bars, label=one.name, color=colour, marker=marker, linestyle=line, markersize=4.5,
                      linewidth=1.4, capsize=2)  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(lambda value, _at: f"{value:,.0f}".replace(",", " "))
    axes.yaxis.set_major_formatter(lambda value, _at: duration(1000 * value))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter("")
    if lines:
        axes.legend(frameon=False)
