"""A process's VMAs as /proc shows them, once or over time: `process(pid)`, `watch(pid)`.

Only looks, and only at processes that the kernel lets this one look into: its own, and others of the same user.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from io import RawIOBase
from pathlib import Path

from attrs import evolve, frozen

from vmalab.errors import MachineError
from vmalab.linux.addr import PAGE, PAGE_SHIFT, TASK_SIZE
from vmalab.linux.mm.runs import Run, joined
from vmalab.machines.outcome import Change, Row, Snapshot, diff
from vmalab.programs.procmaps import Entry, read_maps

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
        text, home = _maps(home)
    except FileNotFoundError:
        if not Path("/proc/self/maps").exists():
            raise MachineError("this system has no /proc: processes can be watched on Linux only") from None
        raise MachineError(f"there is no process {pid}") from None
    except ProcessLookupError:
        raise MachineError(f"process {pid} has ended") from None
    except PermissionError:
        raise MachineError(f"the kernel forbids to look into process {pid}: you can watch your own only") from None
    rows = _rows(text)
    if not rows:
        raise MachineError(f"process {pid} {_without_memory(home)}")
    try:
        with open(home / "pagemap", "rb", buffering=0) as pagemap:
            return Snapshot(tuple(_looked_into(pagemap, row) for row in rows))
    except OSError:  # a container may forbid it
        return _unseen(rows)


def snapshot_of(text: str) -> Snapshot:
    """The VMAs that maps or smaps, kept as text, show; which pages are present they do not tell.  O(lines)."""
    return _unseen(_rows(text))


def _rows(text: str) -> list[Row]:
    entries, _ = read_maps(text.split("\n"))
    names = shown_names(entry.name for entry in entries)
    return [_row(entry, names) for entry in entries]


def _unseen(rows: Iterable[Row]) -> Snapshot:
    return Snapshot(tuple(evolve(row, seen=False) for row in rows))


def _maps(home: Path) -> tuple[str, Path]:
    """The text of maps, and the folder it is from: another thread's where the first one has exited."""
    text = (home / "maps").read_bytes()
    if not text:
        for thread in sorted((home / "task").iterdir(), key=lambda one: int(one.name)):
            with contextlib.suppress(OSError):
                text = (thread / "maps").read_bytes()
            if text:
                home = thread
                break
    return text.decode("utf-8", "backslashreplace"), home


def _without_memory(home: Path) -> str:
    """Why a process has no VMAs."""
    with contextlib.suppress(OSError):
        status = (home / "status").read_text(encoding="utf-8", errors="replace")
        if "\nState:\tZ" in status:
            return "has ended, and its parent has not asked how (a zombie): it has no memory any more"
        if "\nKthread:\t1" in status or not os.readlink(home / "exe"):
            return "is a kernel thread: it has no memory of its own"
    return "is a kernel thread, or ending: it has no memory of its own"


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


def loaded(pid: int, *, patience: float = 5.0) -> None:
    """Wait until execve is done with a process that was just started: until its arguments are no longer this one's.

    At most `patience` seconds, for they may be the same; then what there is is looked at.
    """
    waiting, left = threading.Event(), patience
    with contextlib.suppress(OSError):
        own = Path("/proc/self/cmdline").read_bytes()
        while Path(f"/proc/{pid}/cmdline").read_bytes() in (own, b"") and _is_alive(pid) and left > 0:
            waiting.wait(0.002)
            left -= 0.002


def _is_alive(pid: int) -> bool:
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")


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


def _row(entry: Entry, names: Mapping[str, str]) -> Row:
    """One VMA.  What backs it is a file, a name that the kernel gives, or None for private anonymous memory."""
    if not entry.is_file:
        return Row(entry.start, entry.end, entry.perms, entry.name or None)
    return Row(entry.start, entry.end, entry.perms, names[entry.name], entry.offset // PAGE)


def shown_names(paths: Iterable[str]) -> dict[str, str]:
    """Each path with what it is called: as many of its last parts as tell it from the others, and from the names in
    brackets that only the kernel gives; of a memfd its whole name.  O(paths · parts)."""
    parts = {path: path.split("/") for path in paths if path}
    shown: dict[str, str] = {}
    waiting, count = set(parts), 1
    while waiting:
        called: dict[str, list[str]] = {}
        for path in waiting:
            whole = path.startswith("/memfd:") or count >= len(parts[path])
            called.setdefault(path if whole else "/".join(parts[path][-count:]), []).append(path)
        for name, same in called.items():
            if len(same) == 1 and (not name.startswith("[") or name == same[0]):
                shown[same[0]] = name.removeprefix("/memfd:") if name.startswith("/memfd:") else name
        waiting -= shown.keys()
        count += 1
        if count > 4096:  # only paths of the same text would get here, and there are none
            shown |= {path: path for path in waiting}
            break
    return shown
