"""`vmalab watch PID|COMMAND`: a process's VMAs as they change, from /proc."""

from __future__ import annotations

import os
import subprocess
from html import escape
from pathlib import Path

import click

from vmalab.cli.common import console, echo
from vmalab.errors import UsageError
from vmalab.pictures.display import snapshot_html
from vmalab.pictures.rows import change_words, row_words
from vmalab.pictures.textband import snapshot_lines
from vmalab.pictures.theme import picture_css
from vmalab.programs.files import write_whole
from vmalab.system.watch import INTERVAL, Seen, loaded, named, watch
from vmalab.words.wording import number_of

FEW = 12
"""So many changes are listed without being asked for."""


@click.command(short_help="a process's VMAs as they change", context_settings={"ignore_unknown_options": True})
@click.argument("what", metavar="PID|COMMAND…", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--every", default=INTERVAL, metavar="SECONDS", help="How often to look.", show_default=True)
@click.option("--once", is_flag=True, help="Look once and end.")
@click.option("--output", "page", metavar="PAGE.html", help="Write what was seen as pictures, at the end.")
def command(what: tuple[str, ...], every: float, once: bool, page: str | None) -> None:
    """Show a process's VMAs, and then what changes in them, until it ends or you press Ctrl-C.

    PID is a running process of yours; anything else is a command to start and watch.  The process is only looked at.
    Options stand before the command.
    """
    if not every > 0:
        raise UsageError(f"--every is a number of seconds above 0, not {every:g}")
    is_pid = what[0].isascii() and what[0].isdecimal()
    started = None if is_pid else _start(what)
    pid = started.pid if started is not None else int(what[0])
    title = f"process {pid} ({os.path.basename(what[0]) if started is not None else named(pid)})"
    looks: list[Seen] = []
    try:
        for seen in watch(pid, every=every):
            looks.append(seen)
            _tell(title, seen, first=len(looks) == 1)
            if once:
                break
    except KeyboardInterrupt:
        pass
    finally:
        if started is not None:
            _end(started)
    if page is not None:
        _write(page, title, looks)


def _start(what: tuple[str, ...]) -> subprocess.Popen[bytes]:
    try:
        started = subprocess.Popen(what)
    except OSError as error:
        raise UsageError(f"{what[0]!r} is neither a process id nor a command to start: {error.strerror}") from None
    loaded(started.pid)
    return started


def _end(started: subprocess.Popen[bytes]) -> None:
    if started.poll() is None:
        started.terminate()
    started.wait()


def _tell(title: str, seen: Seen, *, first: bool) -> None:
    out = console()
    if first:
        out.print(f"{title}: {number_of('VMAs', len(seen.now))}")
        for row in seen.now:
            out.print(f"  {row_words(row)}")
        return
    out.print(f"{number_of('changes', len(seen.changes))}, {number_of('VMAs', len(seen.now))} now")
    for change in seen.changes:
        out.print(f"  {change_words(change)}")
    if len(seen.changes) <= FEW:
        for line in snapshot_lines(seen.around()):
            out.print(f"  {line}")


def _look(seen: Seen) -> str:
    """The first look is the whole process; later ones say what changed, and show that with its neighbours."""
    if not seen.changes:
        return snapshot_html(seen.now, "all VMAs", style=False)
    said = "".join(f"<li>{escape(change_words(change))}</li>" for change in seen.changes)
    count = number_of("changes", len(seen.changes))
    is_open = " open" if len(seen.changes) <= FEW else ""
    words = f"<details{is_open}><summary>{count}</summary><ul>{said}</ul></details>"
    return words + snapshot_html(seen.around(), "what changed, and its neighbours", style=False)


def _write(page: str, title: str, looks: list[Seen]) -> None:
    pictures = "".join(f"<li>{_look(seen)}</li>" for seen in looks)
    head = f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
    body = f'<main class="vml"><style>{picture_css()}</style><h1>{escape(title)}</h1><ol>{pictures}</ol></main>\n'
    write_whole(Path(page), head + body)
    echo(f"{page}: {len(looks)} looks")
