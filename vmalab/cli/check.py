"""`vmalab check`: lessons of one's own, held against the template, against fresh runs, and against their answers."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from vmalab.cli.common import echo


@click.command(short_help="lessons of your own: what there is to say to them")
@click.argument("folder")
@click.option("--store", is_flag=True, help="First run the lessons and store their outputs in them.")
@click.option("--quick", is_flag=True, help="Do not run them: template, times, links and questions alone.")
def command(folder: str, store: bool, quick: bool) -> None:
    """Check the lessons (notebooks) in FOLDER, and say what is to be mended; exit status 1 where something is.

    Template, times, links, words for pictures; each question's answer held against what shows it; stored outputs
    against fresh runs with the live machine on and off; each exercise before it is answered, and with its solution.
    """
    from vmalab.editions import checked
    from vmalab.editions.source import lessons_in

    paths = lessons_in(Path(folder))
    sys.path.insert(0, str(Path(folder).resolve()))
    found = 0
    for path in paths:
        if store:
            checked.store(path)
        said = checked.check_lesson(path, runs=not quick)
        found += len(said)
        echo(f"{path.name}: {'nothing to say' if not said else ''}".rstrip())
        for line in said:
            echo(f"  - {line}")
    sys.exit(1 if found else 0)
