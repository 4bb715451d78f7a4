"""The commands of `vmalab`, one file each; a command is imported only when it is called.

To add one: a file `NAME.py` with a click command called `command`, and its line in `COMMANDS`.
"""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = {
    "build": "the editions of the course",
    "check": "lessons of your own: what there is to say to them",
    "compare": "hold two machines side by side on the same scenarios",
    "demo": "a real program that uses mremap, moment by moment",
    "doctor": "what this machine can show",
    "export": "a page that plays a scenario without a kernel",
    "grade": "the submissions of a class",
    "fuzz": "random programs, the model against a real kernel",
    "lab": "the lessons in JupyterLab",
    "measure": "time moves on this machine's kernel",
    "new": "a lesson of your own",
    "quiz": "problems that never run out, with answers explained",
    "record": "write down what this machine's kernel answers",
    "replay": "a program's log on the model",
    "run": "run scenarios on a machine",
    "trace": "run a program and keep the calls that change its VMAs",
    "watch": "a process's VMAs as they change",
    "why": "why a call of a program's log did what it did",
}
"""Every command and what it does, in a few words."""


class _Commands(click.Group):
    """Looks a command up in `COMMANDS` and imports its file."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        found: click.Command = import_module(f"vmalab.cli.{name}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vmalab")
def cli() -> None:
    """What Linux's mremap(2) really does to virtual memory areas."""
