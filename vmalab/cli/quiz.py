"""`vmalab quiz`: problems that never run out; asked one after the other on a terminal, printed elsewhere."""

from __future__ import annotations

import json
import random
import sys
from typing import TYPE_CHECKING

import click

from vmalab.cli.common import console
from vmalab.errors import UsageError, VmalabError

if TYPE_CHECKING:
    from vmalab.teach.problems import Problem

ASK = "Your answer (? explains it, Enter goes on, q ends)"
HOW_DRAWN = (
    "Write the VMAs as [first page-page after the last permissions], such as [0-2 rw] [3-5 r]; or: nothing is mapped."
)
HOW_PROGRAM = "Write the calls as above, one after the other, divided by semicolons."


@click.command(short_help="problems that never run out")
@click.option("--level", default=1, metavar="L", show_default=True, help="How hard: 1 to 5.")
@click.option("--seed", type=int, metavar="S", help="Which problem: a number; the same one is the same everywhere.")
@click.option("--topic", metavar="T", help="The number of a lesson, such as 04; any without it.")
@click.option("--count", type=int, metavar="N", help="So many problems, from the seed on.")
@click.option("--solve", is_flag=True, help="Show the answer, explained from the steps of the kernel.")
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON, one a line.")
def command(level: int, seed: int | None, topic: str | None, count: int | None, solve: bool, as_json: bool) -> None:
    """Ask problems about mmap and mremap: what fails, what is returned, what is mapped, what is where.

    On a terminal it asks, says what there is to say to the answer, and goes on.  Elsewhere, and with --solve or --json,
    it prints the problem.  Nothing is counted or kept.
    """
    from vmalab.teach.problems import problem

    if count is not None and count < 1:
        raise UsageError(f"--count is a number of problems, 1 or more, not {count}")
    first = random.SystemRandom().randrange(1, 100_000) if seed is None else seed
    asks = not (solve or as_json) and sys.stdin.isatty() and sys.stdout.isatty()
    number = 0
    while count is None or number < count:
        one = problem(level, first + number, topic)
        number += 1
        if as_json:
            sys.stdout.write(json.dumps(one.to_json(solve), ensure_ascii=False) + "\n")
        else:
            _print(one, solve)
            if asks and not _answered(one):
                return
        if not asks and count is None:
            return


def _print(one: Problem, solve: bool) -> None:
    out = console()
    out.print(one.text())
    if solve:
        out.print()
        for line in one.solution().lines():
            out.print(line)


def _answered(one: Problem) -> bool:
    """Ask until the answer is right or nobody wants to go on with it; False to end."""
    out = console()
    if one.free:
        out.print(HOW_PROGRAM if one.goal else HOW_DRAWN)
    while True:
        said = click.prompt(ASK, default="", show_default=False, prompt_suffix=": ").strip()
        if said.lower() in ("q", "quit"):
            return False
        if not said:
            break
        if said == "?":
            for line in one.solution().lines():
                out.print(line)
            break
        try:
            feedback = one.check(said)
        except VmalabError as error:
            out.print(str(error))
            continue
        out.print(repr(feedback))
        if feedback:
            break
    out.print()
    return True
