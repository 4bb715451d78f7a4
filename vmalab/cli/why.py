"""`vmalab why FILE[:LINE]`: the story of one call of a program's log, or of all of them together."""

from __future__ import annotations

import re
from pathlib import Path

import click

from vmalab.cli.common import console
from vmalab.cli.replay import FEW, limit_of, read_entries, release_named
from vmalab.differences.why import Summary, run_sentence, top, why
from vmalab.programs.strace import StraceLog, read_log
from vmalab.words.wording import number_of


@click.command(short_help="why a call of a program's log did what it did")
@click.argument("where", metavar="FILE[:LINE]")
@click.option("--top", "patterns", is_flag=True, help="Which calls made most VMAs, moved most, could have been one.")
@click.option("--on", "machine", metavar="model:RELEASE", help="On the model of another release than the log's.")
@click.option(
    "--limit", "limits", metavar="map_count=N", multiple=True, help="Another limit than the log's kernel had."
)
@click.option("--maps", "start", metavar="FILE", help="maps, smaps or readelf -Wnl of a core: where the log begins.")
def command(where: str, patterns: bool, machine: str | None, limits: tuple[str, ...], start: str | None) -> None:
    """Tell why the call on LINE of FILE failed, moved instead of growing, or left two VMAs apart; and what would have
    helped.  Without LINE: the calls that failed, who made the map count grow, and what could have been one call.
    """
    file, line = _split(where)
    log = read_log(file)
    release = release_named(machine) if machine else None
    first = read_entries(start) if start else None
    if line is None:
        _tell_all(log, top(log, release, start=first), patterns)
        return
    told = why(log, line, release, map_count=limit_of(limits), start=first)
    out = console()
    for sentence in told.sentences:
        out.print(sentence)
    for text in told.helps:
        out.print(f"What helps: {text}.")


def _split(where: str) -> tuple[str, int | None]:
    """FILE and LINE; a colon may be part of a file's name."""
    match = re.fullmatch(r"(.+):(\d+)", where)
    return (match[1], int(match[2])) if match and not Path(where).exists() else (where, None)


def _tell_all(log: StraceLog, found: Summary, patterns: bool) -> None:
    out = console()
    most = found.replayed.most_vmas if found.replayed is not None else 0
    out.print(f"{log.name}: {number_of('calls', len(log.calls))}, at most {number_of('VMAs', most)}")
    for key, count in found.failures.most_common(FEW):
        line = found.first_failure[key]
        out.print(f"  {count} × {key}, first on line {line}: vmalab why {log.name}:{line}")
    number = FEW if patterns else 5
    for title, what, unit in (("most VMAs", "made", "VMAs"), ("most pages moved by mremap", "moved", "pages")):
        leaders = found.most(what, number)
        if leaders:
            out.print(f"{title}:")
        for one in leaders:
            many, calls = number_of(unit, getattr(one, what)), number_of("calls", one.calls)
            out.print(f"  {many:>14} by {calls}, first on line {one.first}: {one.name}")
    if found.runs:
        out.print("could have been one call:")
    for run in sorted(found.runs, key=lambda run: -run[1])[:number]:
        out.print(f"  {run_sentence(log, run)}")
    if patterns:
        out.print("most calls:")
        for one in found.most("calls", number):
            out.print(f"  {number_of('calls', one.calls):>14}, first on line {one.first}: {one.name}")
