"""`vmalab new lesson`: a lesson of one's own, to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from vmalab.cli.common import echo


@click.group(short_help="a lesson of your own")
def command() -> None:
    """Make something new: vmalab new lesson NAME."""


@command.command()
@click.argument("name")
@click.option("--into", "folder", metavar="FOLDER", default=".", show_default=True, help="Where its files go.")
def lesson(name: str, folder: str) -> None:
    """A lesson NAME: a notebook by our template, its questions and exercises, a test, a workflow file for CI."""
    from vmalab.editions.kit import new_lesson

    for path in new_lesson(name, Path(folder)):
        echo(f"written: {path}")
    echo(f"next: vmalab check --store {folder}, then open {name}.ipynb in JupyterLab")
