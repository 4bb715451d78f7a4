"""`vmalab record`: what this machine's kernel answers to scenario files, as a recording with its provenance."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from vmalab.cli.common import echo
from vmalab.errors import ScenarioError
from vmalab.machines.document import document
from vmalab.machines.live import Live
from vmalab.machines.live.tracing import record_traced
from vmalab.machines.machine import Played
from vmalab.machines.provenance import provenance
from vmalab.programs.files import write_whole
from vmalab.programs.scenario import Scenario, load_scenarios, quoted, scenario_to_json


@click.command(short_help="write down what this machine's kernel answers")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "-o", "--output", metavar="OUT", required=True, help="Where to write it (- is standard output; .xz packs)."
)
@click.option(
    "--trace", is_flag=True, help="Also the kernel's own trace of each call (ftrace; needs root, best in a guest)."
)
def command(files: tuple[str, ...], output: str, trace: bool) -> None:
    """Run the scenarios in every FILE on this machine's kernel and write a recording.

    It holds the scenarios, the answers, and where they come from: kernel release, machine, configuration, sysctls, date
    and the version of this tool.  `--on recorded:OUT` reads it.  A scenario that the live machine can't run (a limit of
    the whole system) is recorded as such.
    """
    scenarios = gathered(files)
    written = [scenario_to_json(scenario) for scenario in scenarios]
    if trace:
        traced = record_traced(scenarios)
        recording = {"release": traced.pop("release"), **provenance(), "scenarios": written, **traced}
    else:
        with Live(fresh=True) as live:
            recording = document(live.release, _watched(live, scenarios), **provenance(), scenarios=written)
    text = json.dumps(recording, ensure_ascii=False) + "\n"
    if output == "-":
        sys.stdout.write(text)
    else:
        write_whole(Path(output), text.encode())
    failed = sum("error" in result for result in recording["results"])
    echo(
        f"{len(scenarios) - failed} scenarios recorded on Linux {recording['release']}"
        + (f", {failed} could not be run" if failed else ""),
        err=True,
    )


def gathered(files: Iterable[str]) -> list[Scenario]:
    """The scenarios of all files; their names differ across files too."""
    scenarios: dict[str, Scenario] = {}
    for file in files:
        for scenario in load_scenarios(file):
            if scenario.name in scenarios:
                raise ScenarioError(f"{file}: there is a scenario {quoted(scenario.name)} in a file before it")
            scenarios[scenario.name] = scenario
    return list(scenarios.values())


def _watched(live: Live, scenarios: list[Scenario]) -> Iterator[Played]:
    """Run them, with a progress bar where somebody is watching."""
    from rich.console import Console
    from rich.progress import track

    errors = Console(stderr=True)
    for scenario in track(scenarios, "recording", console=errors, disable=not errors.is_terminal):
        yield live.run(scenario)
