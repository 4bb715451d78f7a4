"""`vmalab trace COMMAND`: run a program and keep the calls that change its address space, with strace."""

from __future__ import annotations

from pathlib import Path

import click

from vmalab.cli.common import echo
from vmalab.errors import UsageError
from vmalab.system.strace import HOLD, trace


@click.command(
    short_help="run a program and keep the calls that change its VMAs",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("-o", "--output", metavar="FILE", help="Where to write.  [default: COMMAND.strace]")
@click.option("-k", "--stack", is_flag=True, help="Also from where in the program each call came (slow).")
@click.option("--hold", default=HOLD, metavar="SECONDS", show_default=True,
              help="How long a process stands still after exec and at its end, for its maps to be read.")  # fmt: skip
@click.argument("what", metavar="COMMAND…", nargs=-1, required=True, type=click.UNPROCESSED)
def command(what: tuple[str, ...], output: str | None, stack: bool, hold: float) -> None:
    """Run COMMAND under strace and write down every call that changes an address space, of every process and thread
    that it starts, with their maps after exec and at the end.

    The file is strace's own text and goes to `vmalab replay` and `vmalab why`.  Options stand before COMMAND.
    """
    if what[0] == "--":
        what = what[1:]
    if not what:
        raise UsageError("which command is to be traced?")
    if not 0 <= hold <= 60:
        raise UsageError(f"--hold is a number of seconds from 0 to 60, not {hold:g}")
    path = Path(output or f"{Path(what[0]).name}.strace")
    found = trace(what, path, stack=stack, hold=hold, tell=lambda text: echo(f"vmalab trace: {text}", err=True))
    echo(f"{path}: {found.lines} lines of strace; {_end(found.status)}")
    if found.missed:
        shown = ", ".join(map(str, sorted(found.missed)[:5]))
        echo(f"not in it: some maps of {shown}; a longer --hold gives more time to read them", err=True)


def _end(status: int) -> str:
    """How the command ended, by strace's own exit status, which repeats it."""
    if status < 0:
        return f"killed by signal {-status}"
    if status > 128:
        return f"ended with status {status}: killed by signal {status - 128}, or so it says"
    return f"exit status {status}"
