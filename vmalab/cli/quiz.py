"""`vmalab quiz`: problems that never run out; asked one after the other on a terminal, printed elsewhere."""

from __future__ import annotations

import json
import random
import sys
from typing import TYPE_CHECKING

import click

from vmalab.cli.common import console
from vmalab.errors import UsageError, VmalabError
from vmalab.pictures.textband import snapshot_lines
from vmalab.words.wording import say

if TYPE_CHECKING:
    from vmalab.teach.problems import Problem

ASK = "Your answer (? explains it, Enter goes on, q ends)"
HOW_DRAWN = "Write the VMAs as [first page to last page permissions], such as [0 to 1 rw] [3 r]; or: nothing is mapped."
HOW_PROGRAM = "Write the calls as above, one after the other, divided by semicolons."


@click.command(short_help="problems that never run out")
@click.option("--level", type=int, metavar="L", help="How hard: 1 to 5; 1 without it.")
@click.option("--seed", type=int, metavar="S", help="Which problem: a number; the same one is the same everywhere.")
@click.option("--topic", metavar="T", help="The number of a lesson, such as 04; any without it.")
@click.option("--kind", metavar="K", help="One kind of question, such as errno or draw; any without it.")
@click.option("--effort", metavar="A-B", help="How much has to be worked out, such as 23-26: a part of a level.")
@click.option("--count", type=int, metavar="N", help="So many problems, from the seed on.")
@click.option("--solve", is_flag=True, help="Show the answer, explained from the steps of the kernel.")
@click.option("--hide-seed", is_flag=True, help="Print nothing by which others can make the problem again.")
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON, one a line.")
def command(
    level: int | None, seed: int | None, topic: str | None, kind: str | None, effort: str | None, count: int | None,
    solve: bool, hide_seed: bool, as_json: bool,
) -> None:  # fmt: skip
    """Ask problems about mmap and mremap: what fails, what is returned, what is mapped, what is where.

    On a terminal it asks, says what there is to say to the answer, and goes on.  Elsewhere, and with --solve or --json,
    it prints the problem.  Nothing is counted or kept.  With --kind and --effort, problems of different seeds are of
    equal kind and equally hard.
    """
    from vmalab.teach.problems import problem
    from vmalab.teach.problems.make import MOST_SEED

    if count is not None and count < 1:
        raise UsageError(f"--count is a number of problems, 1 or more, not {count}")
    band = None if effort is None else _band(effort)
    # One that is hidden must not be found by trying either.
    most = MOST_SEED if hide_seed else 100_000
    first = random.SystemRandom().randrange(1, most) if seed is None else seed
    asks = not (solve or as_json) and sys.stdin.isatty() and sys.stdout.isatty()
    number = 0
    while count is None or number < count:
        one = problem(level, first + number, topic, kind=kind, effort=band)
        one.hide_seed = hide_seed
        number += 1
        if as_json:
            sys.stdout.write(json.dumps(one.to_json(solve), ensure_ascii=False) + "\n")
        else:
            _print(one, solve)
            if asks and not _answered(one):
                return
        if not asks and count is None:
            return


def _band(text: str) -> tuple[int, int]:
    """The effort that an option gives."""
    try:
        least, _, most = text.partition("-")
        return int(least), int(most or least)
    except ValueError:
        raise UsageError(f"--effort is the least and the most, such as 23-26, not {text!r}") from None


def _print(one: Problem, solve: bool) -> None:
    out = console()
    out.print(one.text())
    if len(one.before) and sys.stdout.isatty():
        out.print(f"\n{one.before_title}:")
        for line in snapshot_lines(one.before, "there"):
            out.print(line)
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
            out.print(say("quiz", "answer", answer=one.solution().answer))
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
