"""What several commands share: arguments, the console, and rows of VMAs as text."""

from __future__ import annotations

import sys
from collections.abc import Callable
from shutil import get_terminal_size
from textwrap import fill
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vmalab.linux.profile import KernelProfile
from vmalab.machines import NAMES, machine_from_name
from vmalab.machines.machine import Machine
from vmalab.machines.outcome import Outcome, Row
from vmalab.pictures.textband import plain
from vmalab.programs import calltext

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

F = TypeVar("F", bound=Callable[..., Any])


def scenario_file(function: F) -> F:
    """The argument FILE."""
    return click.argument("file", metavar="FILE")(function)


def machine_option(*, multiple: bool = False) -> Callable[[F], F]:
    """The option --on MACHINE."""
    return click.option("--on", "machine", metavar="MACHINE", multiple=multiple, help=f"MACHINE is {NAMES}.")


def cluster_option(function: F) -> F:
    """The option --cluster ADDRESS."""
    what = "A Dask scheduler, such as tcp://host:8786, whose workers do the work."
    return click.option("--cluster", metavar="ADDRESS", help=what)(function)


def machine_named(name: str, *, trace: bool = True) -> Machine:
    """`machine_from_name`; of a release that was never measured that is said, on standard error."""
    machine = machine_from_name(name, trace=trace)
    followed = getattr(machine, "profile", None)
    if isinstance(followed, KernelProfile) and not followed.measured and followed.release != "v3":
        echo(f"note: {followed}: the model goes by the releases before and after it that were", err=True)
    return machine


def console() -> Console:
    """Standard output for people: colour only on a terminal, no line is broken, and what was read somewhere (a
    recording, the name of a process or of a file) sends nothing to the terminal but what can be seen."""
    from rich.console import Console
    from rich.text import Text

    def shown(text: str) -> str:
        return plain(visible(text), sys.stdout.encoding)

    class Visible(Console):
        def print(self, *objects: Any, **options: Any) -> None:
            for one in objects:
                if isinstance(one, Text):
                    one.plain = shown(one.plain)
            super().print(*(shown(one) if isinstance(one, str) else one for one in objects), **options)

    return Visible(highlight=False, soft_wrap=True, emoji=False, markup=False, file=sys.stdout)


def wrapped(text: str, indent: int) -> str:
    """A sentence so far to the right, on a terminal in lines of its width; elsewhere in one, for what reads lines."""
    if not sys.stdout.isatty():
        return " " * indent + text
    columns = max(min(get_terminal_size().columns, 120), 40)
    return fill(text, columns, initial_indent=" " * indent, subsequent_indent=" " * indent, break_on_hyphens=False)


def visible(text: str) -> str:
    r"""`text` with a question mark for each character that can't be seen, such as the escape that begins a sequence.

    >>> visible("a\x1b[2Jb")
    'a?[2Jb'
    """
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)


def echo(text: str, *, err: bool = False) -> None:
    """`click.echo` of text that holds what was read somewhere: names, messages.  Nothing in it steers the terminal."""
    click.echo(visible(text), err=err)


def call_line(number: int, outcome: Outcome) -> Text:
    """One step for people: its number, the call, and what came back."""
    from rich.text import Text

    result = calltext.result_text(outcome.call, outcome.value, outcome.errno)
    line = Text(f"{number:>4}  {calltext.call_text(outcome.call)}  →  ")
    return line.append(result, style="bold red" if outcome.errno else "green")


def row_line(row: Row) -> str:
    """One VMA for people: where it is, its permissions, what backs it, and what is known of its pages."""
    parts = [f"{calltext.span(row.start, row.end):<18}", row.perms]
    if row.backing:
        parts.append(row.backing if row.pgoff is None else f"{row.backing} from page {row.pgoff}")
    if row.flags:
        parts.append("flags " + " ".join(row.flags))
    if row.runs or not row.seen:
        parts.append(pages_text(row))
    return "  ".join(parts)


def pages_text(row: Row, most: int = 8) -> str:
    """The present pages of a row with their contents, the first `most` of them."""
    if not row.seen:
        return "pages unknown"
    shown: list[str] = []
    present = sum(run.end - run.start for run in row.runs)
    first = row.start >> 12
    for run in row.runs:
        for number in range(run.start, min(run.end, run.start + most - len(shown))):
            shown.append(f"{number - first}={run.at(number)}")
    more = f" and {present - len(shown)} more" if present > len(shown) else ""
    return f"present {' '.join(shown)}{more}"
