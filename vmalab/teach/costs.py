"""What lesson 07 shows of costs: entries that a move moves, measurements as charts and tables, where they come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape

from vmalab.differences import live_answers
from vmalab.differences.answers import number
from vmalab.errors import UsageError
from vmalab.machines.measure import CostModel, Results, measure, recorded
from vmalab.machines.measure.costs import recorded_costs
from vmalab.machines.measure.results import duration
from vmalab.machines.model import Model
from vmalab.machines.program import Program, scenario_of
from vmalab.pictures import charts
from vmalab.pictures.card import card, within
from vmalab.pictures.charts import Chart
from vmalab.pictures.table import Table
from vmalab.words.wording import word

LEVELS = ("pte", "pmd", "pud")
ROUNDS = 7
CHART_OF: Mapping[str, Callable[[Results], Chart]] = {
    "many": charts.together,
    "move": charts.by_size,
    "grow": charts.growth,
}
"""What is measured → its chart."""


def entries_moved(program: Program, *releases: str) -> Table:
    """How many page-table entries the last call of a program moves at each level, as the models count.

    Without `releases`: on the program's own model, or Linux 6.18.
    """
    own = program.release if isinstance(program, Model) else "6.18"
    scenario = scenario_of(program)
    rows = []
    for release in releases or (own,):
        played = Model(release).run(scenario)
        if len(played.outcomes) < len(scenario.steps):
            raise UsageError(f"Linux {release} can't run this program: {played.error}")
        steps = [step.values for step in played.outcomes[-1].steps if step.key == "pages_moved"]
        rows.append((f"Linux {release}", *(sum(values[level] for values in steps) for level in LEVELS)))
    return Table("Entries that the last call moves", ("model of", *(level.upper() for level in LEVELS)), rows)


# --- measurements --------------------------------------------------------------------------------------------


class Measured:
    """A chart of what was measured just now on this machine, or before where that can't be, and where it comes from."""

    def __init__(self, chart: Chart, results: Results, reason: str = "") -> None:
        self.chart, self.results, self.reason = chart, results, reason

    @property
    def about(self) -> str:
        """Where the numbers come from, in a sentence or two."""
        where = self.results.provenance
        machine = f"Linux {number(where['kernel'])}, {where['processor']}, {where['cores']} cores, load {where['load']}"
        if self.reason:
            return f"Nothing is measured here: {self.reason}. Instead you see what was measured on {machine}."
        return f"Measured just now on this machine: {machine}."

    def __repr__(self) -> str:
        return f"{self.about}\n{self.chart.words}"

    def _repr_html_(self) -> str:
        return card(f"<p>{escape(self.about)}</p>", what="measurements") + within(self.chart._repr_html_())


def measure_here(group: str = "move") -> Measured:
    """Time `"many"`, `"move"` or `"grow"` on this machine's kernel, small sizes only: a second or two."""
    if group not in CHART_OF:
        raise UsageError(f"measure_here takes one of {', '.join(CHART_OF)}, not {group!r}")
    reason = live_answers.why_unavailable() or ""
    results = recorded() if reason else measure(quick=True, rounds=ROUNDS, only=group)
    return Measured(CHART_OF[group](results), results, reason)


def where_measured(results: Results) -> Table:
    """Where measurements come from."""
    return Table("Where the measurements come from", ("what", "there"), results.provenance.items())


def saved(results: Results) -> Table:
    """What one call for many VMAs saves, and how much of that is the calling itself.

    The last column has the calling alone: as many system calls fewer that do nothing, from the same loop.
    """
    medians = {(row.variant, row.x): row.median for row in results.group("many")}
    rows = []
    for count in sorted({count for _, count in medians}):
        one, each = medians.get(("one call", count)), medians[("a call for each VMA", count)]
        if one is None:
            continue
        calling = duration(results.null_ns(count - 1)) if count > 1 else "nothing"
        less = duration(each - one) if each > one else "nothing"
        rows.append((count, duration(one), duration(each), f"{one / each:.0%}", less, calling))
    heads = ("VMAs", "one call", "a call for each", "part of that", "saved", "calls that do nothing, as many fewer")
    return Table("One call against many", heads, rows)


def noise(results: Results, most: int = 8) -> Table:
    """The cases whose samples are spread widest, relative to their median."""
    widest = sorted((row for row in results.rows if row.median), key=lambda row: -row.spread)[:most]
    rows = [
        (row.case, row.samples, duration(row.q1), duration(row.median), duration(row.q3), f"{row.spread:.0%}")
        for row in widest
    ]
    return Table("The noisiest cases", ("case", "samples", "quarter below", "median", "quarter above", "spread"), rows)


def middle_halves(results: Results, *cases: str) -> Table:
    """Medians and the middle half of the samples, of the cases whose names begin with one of `cases`."""
    rows = [
        (row.case, duration(row.q1), duration(row.median), duration(row.q3))
        for name in cases
        for row in results.rows
        if row.case.startswith(f"{name}/")
    ]
    return Table("The middle half of the samples", ("case", "from", "median", "to"), rows)


def costs_table(model: CostModel | None = None) -> Table:
    """What the cost model charges for each part of a move; the one fitted to `recorded()` unless another is given."""
    charged = model or recorded_costs()
    rows = [(word("cost_term", term), duration(charged.cost[term])) for term in charged.cost]
    return Table("What the cost model charges", ("for", "it charges"), rows)
