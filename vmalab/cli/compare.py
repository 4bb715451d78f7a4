"""`vmalab compare`: where two machines answer the same scenarios differently."""

from __future__ import annotations

import json
import sys

import click

from vmalab.cli.common import console, machine_named, machine_option, scenario_file, wrapped
from vmalab.differences.causes import causes
from vmalab.differences.compare import Comparison, Difference, compare
from vmalab.linux.addr import ARENA_BASE, PAGE
from vmalab.linux.profile import profile
from vmalab.machines.live.settings import held_together
from vmalab.programs.calltext import call_text, span
from vmalab.programs.scenario import load_scenarios

MOST_CAUSES = 20
"""Of so many scenarios the rules that make the difference are looked for: each takes some runs of it."""


@click.command(short_help="hold two machines side by side on the same scenarios")
@scenario_file
@machine_option(multiple=True)
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
def command(file: str, machine: tuple[str, ...], as_json: bool) -> int:
    """Run the scenarios in FILE on two machines (--on A --on B) and show where they differ.

    For each step the first difference is shown: errno, result, or the VMAs that only one of them has after it.

    The exit status is 0 where they agree on everything, 1 where they don't.
    """
    if len(machine) != 2:
        raise click.UsageError(f"name two machines with --on A --on B, not {len(machine)}")
    scenarios = load_scenarios(file)
    a, b = held_together(machine_named(machine[0], trace=False), machine_named(machine[1], trace=False))
    compared = [compare(a.run(scenario), b.run(scenario)) for scenario in scenarios]
    if as_json:
        json.dump(to_json(a.name, b.name, compared), sys.stdout)
        sys.stdout.write("\n")
    else:
        report(a.name, b.name, compared)
    return 0 if all(one.agrees for one in compared) else 1


def to_json(a: str, b: str, compared: list[Comparison]) -> dict[str, object]:
    """The differences as data."""
    return {
        "a": a,
        "b": b,
        "scenarios": [
            {
                "name": one.scenario.name,
                "agree": one.agrees,
                "differences": [
                    {"step": found.step, "key": found.key, "a": found.a, "b": found.b} for found in one.differences()
                ],
            }
            for one in compared
        ],
    }


def report(a: str, b: str, compared: list[Comparison]) -> None:
    """Print the differences, for people."""
    from rich.text import Text

    out = console()
    told = 0
    for one in compared:
        if one.agrees:
            continue
        told += 1
        out.print(Text(one.scenario.name, style="bold"))
        for found in one.differences():
            if found.step is not None:
                out.print(f"{found.step:>4}  {call_text(one.scenario.steps[found.step - 1])}")
            else:
                out.print("      at the end" if found.key == "final" else "      it could not be run")
            for name, value, other in ((a, found.a, found.b), (b, found.b, found.a)):
                for number, line in enumerate(lines_of(found, value, other)):
                    out.print(f"        {name if not number else '':<{max(len(a), len(b))}}  {line}")
        for cause in causes_of(one, a, b) if told <= MOST_CAUSES else ():
            out.print(wrapped(f"because of {cause}", 6))
        out.print()
    agree = sum(one.agrees for one in compared)
    out.print(f"{a} and {b} agree on {agree} of {len(compared)} scenario{'s' if len(compared) != 1 else ''}")


def causes_of(one: Comparison, a: str, b: str) -> list[str]:
    """The rules by which two releases of the model differ here; nothing for other machines."""
    sides = [name.removeprefix("model:") for name in (a, b) if name.startswith("model:")]
    if len(sides) != 2:
        return []
    return [cause.words for cause in causes(one.scenario, profile(sides[0]), profile(sides[1]))]


def lines_of(found: Difference, value: object, other: object) -> list[str]:
    """One machine's side of a difference, for people; of rows, those that the `other` does not have alike."""
    if found.key == "error":
        return ["ran" if value is None else f"could not run it: {value}"]
    if found.key == "values" and isinstance(value, list):
        return ["read " + " ".join("-" if word is None else str(word) for word in value)]
    if isinstance(value, list) and isinstance(other, list):
        return [_row(row) for row in value if row not in other] or ["has no other VMAs"]
    return [f"{found.key} {'none' if value is None else value}"]


def _row(row: dict[str, object]) -> str:
    first, last = row["start"], row["end"]
    where = f"{first} to {last}"
    if isinstance(first, int) and isinstance(last, int):
        where = span(ARENA_BASE + first * PAGE, ARENA_BASE + last * PAGE)
    text = f"{where}  {row['perms']}"
    if row["backing"]:
        text += f"  {row['backing']}" + (f" from page {row['pgoff']}" if row["pgoff"] is not None else "")
    flags, pages = row.get("flags"), row.get("pages")
    if isinstance(flags, list) and flags:
        text += "  flags " + " ".join(flags)
    if isinstance(pages, dict) and pages:
        text += "  present " + " ".join(f"{index}={value}" for index, value in pages.items())
    return text
