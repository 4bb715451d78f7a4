"""`vmalab doctor`: what this installation and this machine can show, in plain findings."""

from __future__ import annotations

import json

import click

from vmalab.cli.common import console
from vmalab.linux.scope import NOT_MODELLED


@click.command(short_help="what this machine can show")
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON, to send along with a question.")
@click.option(
    "--all", "everything", is_flag=True, help="Every behaviour that was probed, and what the model leaves out."
)
def command(as_json: bool, everything: bool) -> None:
    """Look at this installation and this machine: what the lessons can show here, and how to mend what they can't.

    Nothing is changed.  What the kernel does is found out by trying it in a process of its own.
    """
    from vmalab.system.doctor import examine

    report = examine()
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=1))
        return
    out = console()
    out.print(report.text(everything=everything))
    out.print(f"\nThis is vmalab in {report.interpreter}")
    if not everything:
        out.print(f"\nThe model leaves {len(NOT_MODELLED)} things out and refuses them by name: vmalab doctor --all")
        return
    out.print("\nNot modelled, and so refused by name")
    for name, why in NOT_MODELLED.items():
        out.print(f"    {name}: {why}")
