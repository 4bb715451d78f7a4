"""`vmalab export`: a scenario on one machine as a page that plays by itself."""

from __future__ import annotations

from pathlib import Path

import click
from attrs import evolve

from vmalab.cli.common import echo, machine_named, machine_option, scenario_file
from vmalab.cli.replay import release_named
from vmalab.errors import MachineError, ScenarioError, UsageError
from vmalab.programs.files import write_whole
from vmalab.programs.scenario import Scenario, load_scenarios, quoted
from vmalab.programs.strace import is_strace

DEFAULT = "model:6.18"
"""The machine that plays where none is named."""


@click.command(short_help="a page that plays a scenario without a kernel")
@scenario_file
@machine_option()
@click.option("-o", "--output", metavar="PAGE.html", required=True, help="Where to write the page.")
@click.option("--only", metavar="NAME", help="Of several scenarios in FILE, the one with this name.")
@click.option("--calls", metavar="FROM-TO", help="Only these of its calls, such as 120-160; all are made.")
@click.option("--live", is_flag=True, help="The call builder with the scenario in it, alive: the page runs Python.")
@click.option("--title", default="", metavar="TEXT", help="The page's title; by default the scenario's name.")
def command(
    file: str, machine: str | None, output: str, only: str | None, calls: str | None, live: bool, title: str
) -> None:
    """Run a scenario of FILE (- is standard input) and write one page that plays every call of it, step by step.

    The page needs no network and no Python: it can be opened from disk, sent along, or put beside a course.  Where
    FILE holds several scenarios, the first one is taken, or the one that --only names.  FILE may also be what strace or
    `vmalab trace` wrote: then the page plays the program over time, and step by step those of its calls that --calls
    names, or that tell most.
    """
    from vmalab.pictures.export import program_page

    if file != "-" and is_strace(file):
        if only is not None:
            raise UsageError("--only chooses one of several scenarios, and a log of strace has none")
        _export_log(file, machine, output, calls, title)
        return
    scenario, others = chosen(load_scenarios(file), only, file)
    if live:
        page = live_page(scenario, machine or DEFAULT, title, only_calls=calls).encode()
        write_whole(Path(output), page)
        echo(f"{scenario.name} in a call builder: {len(page) / 1e6:.1f} MB, written to {output}", err=True)
        return
    played = machine_named(machine or DEFAULT).run(scenario)
    if played.error is not None and not played.outcomes:
        raise MachineError(f"scenario {quoted(scenario.name)} can't be run on {played.machine}: {played.error}")
    if calls is not None:
        played = evolve(played, outcomes=played.outcomes[span_of(calls, len(played.outcomes))])
    page = program_page(played, title).encode()
    write_whole(Path(output), page)
    count = len(played.outcomes)
    echo(f"{scenario.name} on {played.machine}: {count} call{'' if count == 1 else 's'}, "
               f"{len(page) / 1000:.0f} kB, written to {output}", err=True)  # fmt: skip
    if played.error is not None:
        echo(f"it could not be run to its end: {played.error}", err=True)
    if others and only is None:
        echo(f"{file} holds {others} more: choose one with --only NAME", err=True)


def _export_log(file: str, machine: str | None, output: str, calls: str | None, title: str) -> None:
    from vmalab.widgets.program import Program

    shown = Program(file, on=release_named(machine) if machine else None)
    moments = None
    if calls is not None:
        span = span_of(calls, shown.last)
        moments = range(span.start + 1, span.stop + 1)
    page = shown.to_html(output, moments, title=title)
    echo(f"{shown.summary()}; {page.stat().st_size / 1000:.0f} kB, written to {output}", err=True)


def live_page(scenario: Scenario, machine: str, title: str, only_calls: str | None) -> str:
    """The page with a call builder in which the scenario is opened; only a model can be in it."""
    kind, _, named = machine.partition(":")
    if kind != "model" or only_calls is not None:
        raise UsageError("--live is for --on model:RELEASE, and for all calls: the page makes them itself")
    from vmalab.editions.live import inlined
    from vmalab.widgets.builder import CallBuilder
    from vmalab.widgets.link import fragment
    from vmalab.widgets.livepage import PARTS, builder_page

    release = named or DEFAULT.partition(":")[2]
    builder = CallBuilder().load(scenario, release)
    page = builder_page(builder, link=fragment(scenario, release), title=title or scenario.name)
    return page.replace(PARTS, inlined(), 1)


def span_of(text: str, count: int) -> slice:
    """The calls that `--calls` names, counted from 1: `120-160`, or `7` for one."""
    first, dash, last = text.partition("-")
    try:
        found = slice(int(first) - 1, int(last if dash else first))
    except ValueError:
        raise UsageError(f"--calls takes two numbers such as 120-160, not {text!r}") from None
    if not 0 <= found.start < found.stop <= count:
        raise UsageError(f"there are calls 1 to {count}, and --calls says {text}")
    return found


def chosen(scenarios: list[Scenario], only: str | None, file: str) -> tuple[Scenario, int]:
    """The scenario called `only`, or the first one, and how many others there are."""
    found = [scenario for scenario in scenarios if only in (None, scenario.name)]
    if found:
        return found[0], len(scenarios) - 1
    if only is None:
        raise ScenarioError(f"{file}: there is no scenario in it")
    names = ", ".join(quoted(scenario.name) for scenario in scenarios[:10])
    more = f" and {len(scenarios) - 10} more" if len(scenarios) > 10 else ""
    raise ScenarioError(f"{file}: there is no scenario {quoted(only)} in it: there are {names}{more}")
