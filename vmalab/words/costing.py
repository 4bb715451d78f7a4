"""What a move costs, in words: the texts stand in `vmalab.words.catalogue.costs`, the numbers come from
`vmalab.machines.measure`."""

from __future__ import annotations

import statistics

from vmalab.linux.addr import PAGE, PMD_SIZE
from vmalab.machines.measure.costs import CostModel
from vmalab.machines.measure.price import Price
from vmalab.machines.measure.results import Result, Results
from vmalab.words.wording import say, word


def words(price: Price) -> str:
    """A move in a few sentences: about how long it takes, which level decides, and what was measured."""
    told = say(
        "cost", "move", pages=price.pages * PAGE, present=price.present, ns=price.ns, why=price.level
    )  # fmt: skip
    found = price.measured
    if found is None:
        return told
    return f"{told} " + say("cost", "measured", median=found.median, low=found.q1, high=found.q3)


def parts(price: Price) -> str:
    """The parts of the time, in words; what plays no part is left out."""
    told = "; ".join(
        say("cost", "part", count=count, term=term, ns=ns) for term, count, ns in price.shares() if count
    )  # fmt: skip
    return say("cost", "parts", ns=price.ns, parts=told)


def grid_words(price: Price) -> str:
    """Where both ends of a move lie in the grid of 2 MiB."""
    whole = PMD_SIZE // PAGE
    source, target = price.source % whole, price.target % whole
    why = word("cost", "grid_alike" if source == target else "grid_apart")
    return say("cost", "grid", source=source, target=target, why=why)


def part(count: int, each: float) -> str:
    """One part as a sum: `512 × 5.86 ns = 3 µs`."""
    key = "sum" if count > 1 else "single" if count else "none"
    return say("cost", key, count=count, each=each, ns=count * each)


def source(results: Results, costs: CostModel) -> str:
    """Where the times come from, and how well they fit."""
    off = [abs(costs.residual(row)) for row in results.rows if row.entries is not None]
    return say(
        "cost", "source", kernel=results.provenance["kernel"], processor=results.provenance["processor"],
        half=round(100 * statistics.median(off)), worst=round(100 * max(off)),
    )  # fmt: skip


def lines(results: Results) -> dict[str, list[Result]]:
    """The measured moves of one VMA as lines of a chart: a key of the catalogue's group `cost_line`, points by size."""
    found: dict[str, list[Result]] = {}
    for row in results.group("move"):
        found.setdefault(row.variant, []).append(row)
    return {**found, "sparse": results.group("sparse")}


def tip(line: str, row: Result) -> str:
    """One point of the chart."""
    return say(
        "cost", "tip", name=line, size=row.x * PAGE, variant=row.variant, median=row.median, low=row.q1, high=row.q3
    )  # fmt: skip


def chart_words(results: Results, price: Price) -> str:
    """The chart in words: both ends of each line, and where the move lies."""
    told = []
    for line, rows in lines(results).items():
        if len({row.x for row in rows}) > 1:
            first, last = rows[0], rows[-1]
            told.append(say(
                "cost", "line", name=line, first=first.median, start=first.x * PAGE, last=last.median, end=last.x * PAGE
            ))  # fmt: skip
        elif rows:
            points = ", ".join(say("cost", "point", name=row.variant, median=row.median) for row in rows)
            told.append(say("cost", "points", name=line, size=rows[0].x * PAGE, points=points))
    here = say("cost", "here", ns=price.ns, size=price.pages * PAGE)
    return say("cost", "chart", lines="; ".join(told), here=here)
