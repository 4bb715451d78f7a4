"""`vmalab replay FILE`: a program's log on the model, its last layout beside the real one."""

from __future__ import annotations

import re
from pathlib import Path

import click

from vmalab.cli.common import console, echo
from vmalab.differences.programs import (
    Otherwise,
    answer_text,
    compare_releases,
    event_text,
    pair_line,
    verdict_text,
)
from vmalab.errors import ScenarioError, UsageError
from vmalab.machines.replay.program import Difference, End, Replayed, release_of, replay_with_accesses
from vmalab.programs.procmaps import Entry, looks_like, read_core, read_maps
from vmalab.programs.strace import StraceLog, read_log

FEW = 12
"""So many items of a list are shown without --all."""


@click.command(short_help="a program's log on the model")
@click.argument("file", metavar="FILE")
@click.option("--on", "machines", metavar="model:RELEASE", multiple=True,
              help="The model of this release; given several times, where they answer otherwise.")  # fmt: skip
@click.option(
    "--predict", is_flag=True, help="Let the model choose addresses itself, and say where it chooses otherwise."
)
@click.option(
    "--limit", "limits", metavar="map_count=N", multiple=True, help="Another limit than the log's kernel had."
)
@click.option("--maps", "start", metavar="FILE", help="maps, smaps or readelf -Wnl of a core: where the log begins.")
@click.option("--end", metavar="FILE", help="maps or smaps of the process at the end of the log.")
@click.option("--all", "everything", is_flag=True, help="Show lists whole.")
def command(
    file: str, machines: tuple[str, ...], predict: bool, limits: tuple[str, ...], start: str | None, end: str | None,
    everything: bool,
) -> None:  # fmt: skip
    """Make the calls of FILE, which strace or `vmalab trace` wrote, on the model at their real addresses.

    The model takes the addresses that the kernel chose.  What differs in the end is shown VMA by VMA with its likely
    reason, and every line of FILE that was not understood with its number.  The exit status is 0 when all VMAs agree.
    """
    log = read_log(file)
    releases = [release_named(name) for name in machines]
    map_count = limit_of(limits)
    first = read_entries(start) if start else None
    last = read_entries(end) if end else None
    most = 10**9 if everything else FEW
    if len(releases) > 1:
        runs, otherwise = compare_releases(log, releases, map_count=map_count, start=first)
        tell_reading(log, most)
        tell_releases(log, runs, otherwise, most)
        click.get_current_context().exit(1 if otherwise else 0)
    found = replay_with_accesses(
        log, releases[0] if releases else None, predict=predict, map_count=map_count, start=first, end=last
    )
    tell_reading(log, most)
    tell_replay(found, predict, most)
    exact = all(end.layout is None or end.layout.exact == end.layout.real for end in found.ends)
    click.get_current_context().exit(0 if exact and not found.differences else 1)


def release_named(name: str) -> str:
    """The release of `model:RELEASE`."""
    kind, colon, release = name.partition(":")
    if kind != "model" or not colon or not release:
        raise UsageError(f"--on is model:RELEASE, such as model:6.18, not {name!r}: a log is replayed on the model")
    return release


def limit_of(limits: tuple[str, ...]) -> int | None:
    """The number of `map_count=N`, None where no limit is given."""
    number = None
    for one in limits:
        match = re.fullmatch(r"map_count=(\d+)", one)
        if match is None:
            raise UsageError(f"--limit is map_count=N, such as map_count=65530, not {one!r}")
        number = int(match[1])
    return number


def read_entries(file: str) -> list[Entry]:
    """maps, smaps or what readelf prints of a core file; lines that are not understood are told on standard error."""
    try:
        text = Path(file).read_text(encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ScenarioError(f"{file}: {error.strerror}") from None
    kind = looks_like(text)
    if not kind:
        raise ScenarioError(f"{file}: neither maps nor smaps nor what readelf -n prints of a core file")
    entries, odd = (read_maps if kind == "maps" else read_core)(text.split("\n"))
    for number, line in odd[:FEW]:
        echo(f"{file}:{number}: left out, not understood: {line[:80]}", err=True)
    if any(not entry.rights for entry in entries):
        echo(f"{file}: these notes tell no rights: readelf -Wnl does", err=True)
    return entries


def tell_reading(log: StraceLog, most: int) -> None:
    """Which lines there were, and which of them were left out."""
    out = console()
    kinds = ", ".join(f"{count} {kind}" for kind, count in log.counts.most_common() if kind != "left out")
    out.print(f"{log.name}: {log.lines} lines: {kinds or 'nothing'}; {len(log.left_out)} left out")
    for one in log.left_out[:most]:
        out.print(f"  line {one.line}: {one.why}: {one.text[:60]}")
    _more(len(log.left_out), most)
    if "order" in log.about:
        out.print(f"  the order of the processes is {log.about['order']}")


def tell_replay(found: Replayed, predict: bool, most: int) -> None:
    """What the model made of a log."""
    out = console()
    counts = found.counts
    whose = ""
    if found.followed is release_of(found.log):
        told = "kernel" in found.log.about
        whose = (
            ", the kernel that the log is from" if told else " (the log does not tell its kernel; --on names another)"
        )
    out.print(f"on the model of {found.followed}{whose}:")
    out.print(f"  {counts['same']} calls answered as the kernel did, {counts['differs']} otherwise; "
              f"{counts['aside']} change no VMA, {counts['outside']} failed for reasons outside of the address space, "
              f"{counts['left']} the model does not know, {counts['unknown']} are about memory from before the log "
              f"begins; at most {found.most_vmas} VMAs")  # fmt: skip
    if predict and found.placed:
        share = 100 * found.predicted / found.placed
        out.print(f"  addresses that the kernel chose: {found.predicted} of {found.placed} by the rule ({share:.1f} %)")
        for one in found.elsewhere[:most]:
            rule = "nowhere" if one.verdict.chosen is None else hex(one.verdict.chosen)
            out.print(
                f"    line {one.event.line}: {event_text(one.event)}: {answer_text(one.event)}, by the rule {rule}"
            )
        _more(len(found.elsewhere), most)
    _differences(found.differences, most)
    for one in found.left[:most]:
        out.print(f"  line {one.event.line}: left out: {one.verdict.why}")
    _more(len(found.left), most)
    if found.at_once is not None:
        later = found.exact - found.at_once
        out.print(
            f"  {later} VMAs are exact where memory is written later than it could be, as the maps at the end show"
        )
    for note in found.notes[:most]:
        out.print(f"  {note}")
    for end in found.ends[: most * 4]:
        _end(end, most)
    _more(len(found.ends), most * 4, "processes")


def _differences(differences: list[Difference], most: int) -> None:
    out = console()
    for one in differences[:most]:
        kind = "is about memory from before the log begins" if one.verdict.kind == "unknown" else "differs"
        out.print(f"  line {one.event.line} {kind}: {event_text(one.event)}: {answer_text(one.event)}, "
                  f"the model {verdict_text(one.verdict)}")  # fmt: skip
    _more(len(differences), most)


def _end(end: End, most: int) -> None:
    out = console()
    name = f" ({end.name})" if end.name else ""
    head = f"process {end.pid}{name}, {end.how or 'at its end'}"
    if end.layout is None:
        out.print(f"{head}: {end.vmas} VMAs on the model; its real maps at the end are not in the log")
        return
    layout = end.layout
    out.print(f"{head}: {layout.real} VMAs, {layout.exact} of them exact on the model"
              + (f" ({layout.from_calls} before the stack's growth was taken from the maps)"
                 if layout.from_calls != layout.exact else ""))  # fmt: skip
    odd = [pair for pair in layout.pairs if not pair.same]
    for pair in odd[:most]:
        out.print(f"  ~ {pair_line(pair)}")
    _more(len(odd), most)


def tell_releases(log: StraceLog, runs: list[Replayed], otherwise: list[Otherwise], most: int) -> None:
    """Where this program would do otherwise on another kernel."""
    out = console()
    names = ", ".join(str(run.followed) for run in runs)
    if not otherwise:
        out.print(f"{names}: every call is answered as in the log")
    for one in otherwise[:most]:
        out.print(f"line {one.event.line}: {event_text(one.event)}")
        out.print(f"  in the log: {answer_text(one.event)}")
        for run in runs:
            said = one.answers.get(run.followed.release, "the same")
            out.print(f"  {run.followed}: {said}")
    _more(len(otherwise), most)
    for run in runs:
        out.print(f"{run.followed}: at most {run.most_vmas} VMAs")


def _more(count: int, most: int, what: str = "more") -> None:
    if count > most:
        console().print(f"  and {count - most} {what} (--all shows them)")
