"""`vmalab run`: scenarios on one machine, as an outcome document or as a report for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

import click

from vmalab import __version__
from vmalab.cli.common import call_line, console, machine_named, machine_option, row_line, scenario_file, wrapped
from vmalab.machines.document import played_to_json
from vmalab.machines.machine import Played
from vmalab.machines.outcome import Change, diff
from vmalab.pictures.textband import COLUMNS, outcome_lines
from vmalab.programs.scenario import load_scenarios

ALL_PICTURED = 12
"""Of a scenario with so many calls each that changes something is drawn; of a longer one, each mremap."""


@click.command(short_help="run scenarios on a machine")
@scenario_file
@machine_option()
@click.option("--json", "as_json", is_flag=True, help="Print one outcome document for all scenarios.")
def command(file: str, machine: str | None, as_json: bool) -> None:
    """Run the scenarios in FILE (- is standard input) on a machine and show what every call did.

    A call that fails is a result like any other: the exit status is 0.  It is 2 where FILE can't be understood.
    """
    scenarios = load_scenarios(file)
    on = machine_named(machine or "model:6.18", trace=not as_json)  # the steps are for people: reasons come from them
    played = (on.run(scenario) for scenario in scenarios)
    if as_json:
        write_document(on.release, played)
    else:
        report(on.name, played)


def write_document(release: str, played: Iterable[Played]) -> None:
    """Write an outcome document, one scenario's part after the other as they come."""
    write = sys.stdout.write
    write(f'{{"release": {json.dumps(release)}, "vmalab": {json.dumps(__version__)}, "results": [')
    for number, one in enumerate(played):
        write((",\n" if number else "\n") + json.dumps(played_to_json(one)))
    write("\n]}\n")


def report(machine: str, played: Iterable[Played]) -> None:
    """Print what happened, for people."""
    from rich.text import Text

    from vmalab.words.explain import apart, reason

    out = console()
    ran = failed = 0
    for one in played:
        if ran or failed:
            out.print()
        out.print(Text(one.scenario.name, style="bold").append(f"  on {machine}", style="not bold"))
        for number, outcome in enumerate(one.outcomes, 1):
            out.print(call_line(number, outcome))
            if not outcome.ok:
                out.print(wrapped(reason(outcome.near()), 6))
            near = outcome.near()  # of thousands of VMAs only those that the call has to do with are compared
            for change in diff(near.before, near.after, ignore=("id", "chain", "vm_pgoff", "anon_vma")):
                out.print(_change_line(change))
            if near.before != near.after and (len(one.outcomes) <= ALL_PICTURED or near.call.name == "mremap"):
                for line in outcome_lines(near, COLUMNS - 6):
                    out.print(f"      {line}")
            for sentence in apart(outcome):
                out.print(wrapped(sentence, 6))
            if outcome.values is not None:
                out.print("        read " + " ".join("-" if value is None else str(value) for value in outcome.values))
        if one.error is not None:
            failed += 1
            out.print(Text(f"      could not be run: {one.error}", style="bold red"))
            continue
        ran += 1
        out.print("      at the end:" if len(one.final) else "      at the end nothing is mapped")
        for row in one.final:
            out.print(f"        {row_line(row)}")
    if ran + failed != 1:
        out.print(f"\n{ran} of {ran + failed} scenarios ran on {machine}")


def _change_line(change: Change) -> str:
    sign = {"added": "+", "removed": "-", "changed": "~"}[change.kind]
    flags = ""
    if change.before is not None and change.after is not None:
        was, now = set(change.before.flags), set(change.after.flags)
        signs = [*(f"+{flag}" for flag in sorted(now - was)), *(f"-{flag}" for flag in sorted(was - now))]
        flags = f"  ({' '.join(signs)})" if signs else ""
    return f"      {sign} {row_line(change.row)}{flags}"
