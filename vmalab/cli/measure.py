"""`vmalab measure`: what moves cost on this machine's kernel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from vmalab.cli.common import console
from vmalab.errors import LiveUnavailable, UsageError
from vmalab.programs.files import write_whole

if TYPE_CHECKING:
    from vmalab.machines.measure import Results


@click.command(short_help="time moves on this machine's kernel")
@click.option("--quick", is_flag=True, help="Small sizes only: a few seconds.")
@click.option("--only", default="", metavar="GROUP", help="One group: many, move, sparse, grow, fork or fault.")
@click.option("--repeat", "rounds", default=15, metavar="N", help="How many rounds.", show_default=True)
@click.option("--recorded", "again", is_flag=True, help="Measure nothing: show what was measured before.")
@click.option("--output", "file", metavar="FILE.csv", help="Write the results, and the fitted costs beside them.")
@click.option("--charts", "page", metavar="PAGE.html", help="Draw them as charts on one HTML page.")
def command(quick: bool, only: str, rounds: int, again: bool, file: str | None, page: str | None) -> None:
    """Time moves of one VMA and of many, growth, fork and page faults, and set the model's count beside them.

    All cases are timed in turn, round by round; shown are the median and the middle half of the samples.  Where no
    kernel can be asked, --recorded shows the measurements that come with vmalab.
    """
    if rounds < 1:
        raise UsageError(f"--repeat is a number of rounds, 1 or more, not {rounds}")
    if again and (quick or only):
        raise UsageError("--recorded shows all that was measured before: it takes no --quick and no --only")
    from vmalab.machines.measure import recorded

    results = recorded() if again else _measured(quick, only, rounds)
    _table(results)
    if file is not None:
        from vmalab.machines.measure.results import to_csv

        _write(file, to_csv(results), f"{len(results.rows)} cases")
        if any(row.entries for row in results.rows):
            from vmalab.machines.measure import fit
            from vmalab.machines.measure.costs import costs_file, to_json

            path = Path(file)
            _write(str(costs_file(path)), to_json(fit(results), path.name), "the costs that were fitted to them")
    if page is not None:
        from vmalab.pictures.charts import charts_page, drawable

        _write(page, charts_page(results), f"{len(drawable(results))} charts")


def _measured(quick: bool, only: str, rounds: int) -> Results:
    from rich.progress import Progress

    from vmalab.machines.measure import measure

    out = console()
    with Progress(console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task("rounds", total=rounds)
        try:
            return measure(
                quick=quick, only=only, rounds=rounds, progress=lambda done: bar.update(task, completed=done)
            )
        except LiveUnavailable as error:
            raise LiveUnavailable(f"{error}; --recorded shows what was measured before") from None


def _table(results: Results) -> None:
    from vmalab.machines.measure import fit
    from vmalab.machines.measure.results import duration
    from vmalab.words.wording import word

    out = console()
    model = fit(results)
    lines = [["case", "median", "middle half", "calls", "VMAs", "PTE", "PMD", "PUD", "tables", "fitted"]]
    for row in results.rows:
        counted = row.entries
        cells = [""] * 6 if counted is None else list(map(str, attrs.astuple(counted)))
        fitted = f"{model.residual(row):+.0%}" if counted is not None else ""
        lines.append([row.case, duration(row.median), f"{duration(row.q1)} to {duration(row.q3)}", *cells, fitted])
    wide = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        out.print("  ".join(cell.ljust(width) for cell, width in zip(line, wide, strict=True)).rstrip())
    if any(row.entries for row in results.rows):
        out.print("\nfitted costs (the last column says how far each case is off)")
        for term, cost in model.cost.items():
            out.print(f"  {duration(cost):>8}  {word('cost_term', term)}")
    out.print(f"\nnoise: {results.noise()}")
    out.print(f"\n{', '.join(f'{key} {value}' for key, value in results.provenance.items())}")


def _write(file: str, text: str, what: str) -> None:
    write_whole(Path(file), text)
    console().print(f"{file}: {what}")
