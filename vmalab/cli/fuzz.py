"""`vmalab fuzz`: random programs on the model and on a real kernel, until they disagree."""

from __future__ import annotations

import json
from pathlib import Path

import click
from attrs import evolve

from vmalab.cli.common import cluster_option, console, echo, machine_named
from vmalab.differences.fuzz import Found, Tally, hunt, most_programs, shrink, still_differs
from vmalab.programs.files import write_whole
from vmalab.programs.scenario import Scenario, scenario_to_json


@click.command(short_help="random programs, the model against a real kernel")
@click.option("--programs", type=click.IntRange(1), metavar="N", help="How many; without it, until stopped.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same programs.")
@click.option("--on", "model", metavar="MACHINE", help="The model; by default that of the other machine's release.")
@click.option("--against", default="live", show_default=True, metavar="MACHINE", help="live or recorded:RELEASE.")
@click.option("--jobs", type=click.IntRange(1), metavar="J", help="Processes; by default one for each core.")
@cluster_option
@click.option("--output", default="difference.json", show_default=True, help="Where the smallest program is written.")
def command(
    programs: int | None, seed: int, model: str | None, against: str, jobs: int | None, cluster: str | None, output: str
) -> None:  # fmt: skip
    """Run random programs on two machines and compare every step.

    The exit status is 0 if they always agreed and 1 if not; then the smallest program that shows the difference is
    written as a scenario file, which `vmalab compare` replays.
    """
    other = machine_named(against)
    model = model or f"model:{other.release}"
    known = most_programs(against)
    if known is not None:
        programs = min(programs or known, known)
    tally = _watch(model, against, seed, programs, jobs, cluster)
    out = console()
    out.print(f"{tally.programs} programs, {tally.steps} calls, {len(tally.behaviours)} kinds of step; "
              f"{model} against {against}, seed {seed}")  # fmt: skip
    if not tally.found:
        out.print("no difference")
        return
    found = tally.found[0]
    out.print(f"program {found.number} differs: {found.difference}")
    smallest = _smallest(found, model, against)
    write_whole(Path(output), json.dumps(scenario_to_json(smallest), indent=1) + "\n")
    out.print(f"{len(smallest.steps)} of its {len(found.scenario.steps)} steps are enough: written to {output}")
    out.print(f"see it with: vmalab compare {output} --on {model} --on {against}")
    click.get_current_context().exit(1)


def _watch(
    model: str, against: str, seed: int, programs: int | None, jobs: int | None, cluster: str | None
) -> Tally:  # fmt: skip
    """Hunt with a progress bar; an interrupt ends the hunt, not the report."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    tally = Tally()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("programs", total=programs)
        try:
            for tally in hunt(model, against, seed=seed, programs=programs, jobs=jobs, cluster=cluster):
                bar.update(task, completed=tally.programs)
        except KeyboardInterrupt:
            pass
    return tally


def _smallest(found: Found, model: str, against: str) -> Scenario:
    if against.startswith("recorded:"):
        return found.scenario  # a recording answers no other program
    try:
        smallest = shrink(found.scenario, still_differs(model, against))
    except ImportError:
        echo("it is not made smaller: that needs hypothesis (pip install 'vmalab[lab]')", err=True)
        smallest = found.scenario
    extra = (*smallest.extra, ("note", found.difference))
    return evolve(smallest, name=f"{found.scenario.name}-smallest", extra=extra)
