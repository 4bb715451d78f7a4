"""A process's VMAs as /proc shows them, once or over time: `process(pid)`, `watch(pid)`.

Only looks, and only at processes that the kernel lets this one look into: its own, and others of the same user.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from io import RawIOBase
from pathlib import Path

from attrs import evolve, frozen

from vmalab.errors import MachineError
from vmalab.linux.addr import PAGE, PAGE_SHIFT, TASK_SIZE
from vmalab.linux.mm.runs import Run, joined
from vmalab.machines.outcome import Change, Row, Snapshot, diff

INTERVAL = 0.2
"""Seconds between two looks."""

MOST_PAGES = 1 << 18
PRESENT = 1 << 63 | 1 << 62
"""Bits of an entry of pagemap: in memory, or swapped out."""


@frozen
class Seen:
    """One look at a process in which something was new: what, and all its VMAs by now."""

    changes: tuple[Change, ...]
    now: Snapshot

    def around(self) -> Snapshot:
        """The VMAs that are new or changed, and the neighbours of whatever changed; all of them at the first look."""
        if not self.changes:
            return self.now
        edges = [(change.row.start, change.row.end) for change in self.changes]
        rows = self.now.rows
        near: set[int] = set()
        for start, end in edges:
            touched = [n for n, row in enumerate(rows) if row.start <= end and start <= row.end]
            near.update(n for hit in touched for n in (hit - 1, hit, hit + 1) if 0 <= n < len(rows))
        return Snapshot(tuple(rows[n] for n in sorted(near)))


def process(pid: int | None = None) -> Snapshot:
    """The VMAs of a process, of this one if `pid` is not given, with the pages that are present.  O(VMAs + pages).

    What the pages hold is not read, and in VMAs of more than 1 GiB they are not looked for.  Raises MachineError where
    there is no such process, it belongs to somebody else, or this system has no /proc.

    Source: proc_pid_maps(5), proc_pid_pagemap(5).
    """
    home = Path("/proc", "self" if pid is None else str(pid))
    try:
        text = (home / "maps").read_text(encoding="utf-8", errors="backslashreplace")
    except FileNotFoundError:
        if not Path("/proc/self/maps").exists():
            raise MachineError("this system has no /proc: processes can be watched on Linux only") from None
        raise MachineError(f"there is no process {pid}") from None
    except ProcessLookupError:
        raise MachineError(f"process {pid} has ended") from None
    except PermissionError:
        raise MachineError(f"the kernel forbids to look into process {pid}: you can watch your own only") from None
    rows = map(_row, text.splitlines())
    try:
        with open(home / "pagemap", "rb", buffering=0) as pagemap:
            return Snapshot(tuple(_looked_into(pagemap, row) for row in rows))
    except OSError:  # a container may forbid it
        return Snapshot(tuple(evolve(row, seen=False) for row in rows))


def watch(pid: int, *, every: float = INTERVAL, stop: threading.Event | None = None) -> Iterator[Seen]:
    """The process's VMAs now, and again each time something changed, until it ends or `stop` is set.

    It is looked at every `every` seconds; what comes and goes between two looks is not seen.  Raises MachineError as
    `process` does, but not for the end of a process that was there.
    """
    waiting = stop or threading.Event()
    seen = Snapshot()
    first = True
    while True:
        try:
            now = process(pid)
        except MachineError:
            if first:
                raise
            return
        if not len(now):  # it has ended, and nobody has waited for it yet: its maps are empty
            return
        if first or now != seen:
            yield Seen(() if first else diff(seen, now), now)
            seen, first = now, False
        if waiting.wait(every):
            return


def named(pid: int) -> str:
    """What the process is called (at most 15 letters), or `""`."""
    try:
        return Path("/proc", str(pid), "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _looked_into(pagemap: RawIOBase, row: Row) -> Row:
    """The VMA with its present pages, unless it is too large to look for them, or the kernel's own."""
    if row.pages > MOST_PAGES or row.start >= TASK_SIZE:
        return evolve(row, seen=False)
    return evolve(row, runs=_present(pagemap, row))


def _present(pagemap: RawIOBase, row: Row) -> tuple[Run, ...]:
    """The present pages of a VMA, in as few runs as possible."""
    first = row.start >> PAGE_SHIFT
    pagemap.seek(first * 8)
    data = pagemap.read(row.pages * 8) or b""
    if data.count(0) == len(data):
        return ()
    entries = memoryview(data).cast("Q")
    present = (Run(first + n, first + n + 1, "unread") for n, entry in enumerate(entries) if entry & PRESENT)
    return joined(present)


def _row(line: str) -> Row:
    """One line of maps.  What backs it is a path, a name in brackets, or None for private anonymous memory."""
    fields = line.split(None, 5)
    start, end = (int(edge, 16) for edge in fields[0].split("-"))
    if len(fields) < 6:
        return Row(start, end, fields[1])
    name = fields[5].strip()
    if name.startswith("["):
        return Row(start, end, fields[1], name)
    return Row(start, end, fields[1], os.path.basename(name) or name, int(fields[2], 16) // PAGE)
