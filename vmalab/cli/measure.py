"""`vmalab measure`: what moves cost on this machine's kernel."""

from __future__ import annotations

from pathlib import Path

import attrs
import click

from vmalab.cli.common import console
from vmalab.errors import UsageError


@click.command(short_help="time moves on this machine's kernel")
@click.option("--quick", is_flag=True, help="Small sizes only: a few seconds.")
@click.option("--only", default="", metavar="GROUP", help="One group: many, move, sparse, grow, fork or fault.")
@click.option("--repeat", "rounds", default=15, metavar="N", help="How many rounds.", show_default=True)
@click.option("--output", "file", metavar="FILE.csv", help="Write the results with where they come from.")
def command(quick: bool, only: str, rounds: int, file: str | None) -> None:
    """Time moves of one VMA and of many, growth, fork and page faults, and set the model's count beside them.

    All cases are timed in turn, round by round; shown are the median and the middle half of the samples.
    """
    from rich.progress import Progress

    from vmalab.measure import fit, measure
    from vmalab.measure.costs import WORDS
    from vmalab.measure.price import duration
    from vmalab.measure.results import to_csv

    if rounds < 1:
        raise UsageError(f"--repeat is a number of rounds, 1 or more, not {rounds}")
    out = console()
    with Progress(console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task("rounds", total=rounds)
        results = measure(quick=quick, only=only, rounds=rounds, progress=lambda done: bar.update(task, completed=done))
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
            out.print(f"  {duration(cost):>8}  {WORDS[term]}")
    out.print(f"\n{', '.join(f'{key} {value}' for key, value in results.provenance.items())}")
    if file is not None:
        try:
            Path(file).write_text(to_csv(results), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{file} can't be written: {error.strerror}") from None
        out.print(f"{file}: {len(results.rows)} cases")
