"""A process of a log over time: `timeline(log)`, its VMAs at the start and what each call changed in them.

Pure data, for the widget `Program`, its exported page and its words; the browser plays it by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from attrs import define, field

from vmalab.differences.programs import answer_text, event_text
from vmalab.errors import UsageError
from vmalab.linux.addr import PAGE_SHIFT
from vmalab.linux.mm.vma import VMA
from vmalab.linux.profile import KernelProfile
from vmalab.machines.replay.process import Process, Verdict
from vmalab.machines.replay.program import replay
from vmalab.programs.procmaps import Entry
from vmalab.programs.strace import Event, MapsSeen, StraceLog, Traced
from vmalab.programs.stracecalls import CLONE

Shape = tuple[int, int, str, str]
"""First page, page behind the last, permissions, name."""


@define
class Timeline:
    """One process, on the model of `followed`; `entries`: where the log's first process begins, if that was given.

    `start`: its VMAs when it is first seen; `calls`: line and words of each call; `changes`: for each
    call which VMAs went (their first pages) and which came; `counts`, `pages`: VMAs and mapped pages after each."""

    log: StraceLog
    pid: int
    name: str = ""
    release: str = ""
    followed: KernelProfile | None = None
    entries: Sequence[Entry] | None = None
    start: list[Shape] = field(factory=list)
    calls: list[tuple[int, str, bool]] = field(factory=list)
    changes: list[tuple[list[int], list[Shape]]] = field(factory=list)
    counts: list[int] = field(factory=list)
    pages: list[int] = field(factory=list)
    now: dict[int, Shape] = field(factory=dict)

    def at(self, moment: int) -> list[Shape]:
        """The VMAs after the first `moment` calls, in order.  O(changes + VMAs log VMAs)."""
        held = {shape[0]: shape for shape in self.start}
        for gone, come in self.changes[:moment]:
            for first in gone:
                del held[first]
            held |= {shape[0]: shape for shape in come}
        return [held[first] for first in sorted(held)]

    def data(self) -> dict[str, Any]:
        """For the browser: as numbers in one row, names and words once.  O(size)."""
        names: dict[str, int] = {}
        perms: dict[str, int] = {}

        def shape(one: Shape) -> list[int]:
            return [one[0], one[1], perms.setdefault(one[2], len(perms)), names.setdefault(one[3], len(names))]

        start = [shape(one) for one in self.start]
        changes: list[list[int]] = []
        for gone, come in self.changes:
            row = [len(gone), *gone]
            for one in come:
                row += shape(one)
            changes.append(row)
        return {
            "title": self.log.name, "pid": self.pid, "name": self.name, "release": self.release,
            "start": start, "changes": changes, "perms": list(perms), "names": list(names),
            "lines": [line for line, _, _ in self.calls], "words": [words for _, words, _ in self.calls],
            "failed": [number for number, (_, _, ok) in enumerate(self.calls) if not ok],
        }  # fmt: skip


def _shape(vma: VMA) -> Shape:
    name = "" if vma.file is None else vma.file.name
    return (vma.start >> PAGE_SHIFT, vma.end >> PAGE_SHIFT, vma.perms, name)


class _Recorder:
    """Collects what the calls of one process change; begins anew where it executes another program."""

    def __init__(self, line: Timeline) -> None:
        self.line = line
        self.begun = False

    def __call__(self, event: Event, process: Process | None, verdict: Verdict | None) -> None:
        line = self.line
        if process is None or process.pid != line.pid:
            return
        if isinstance(event, MapsSeen):
            if event.when == "after execve":
                line.calls, line.changes, line.counts, line.pages = [], [], [], []
                self._begin(process)
            return
        if not isinstance(event, Traced) or event.what.name in ("open", "execve", "fork", "shmget"):
            return
        if not self.begun:
            self._begin(process)
            gone: list[int] = []
            come: list[Shape] = []
        else:
            gone, come = _net(process)
        now = line.now
        pages = line.pages[-1] if line.pages else sum(shape[1] - shape[0] for shape in now.values())
        for first in gone:
            pages -= now[first][1] - now[first][0]
            del now[first]
        for shape in come:
            pages += shape[1] - shape[0]
            now[shape[0]] = shape
        line.calls.append((event.line, f"{event_text(event)} = {answer_text(event)}", event.errno is None))
        line.changes.append((gone, come))
        line.counts.append(len(now))
        line.pages.append(pages)

    def _begin(self, process: Process) -> None:
        self.begun = True
        self.line.start = [_shape(vma) for vma in process.mm.vmas()]
        self.line.now = {shape[0]: shape for shape in self.line.start}
        self.line.name = process.name


def _net(process: Process) -> tuple[list[int], list[Shape]]:
    """What a call took away and brought in the end; what only changed within it is left out."""
    before: dict[int, Shape] = {}
    after: dict[int, Shape] = {}
    for removed, added in process.changes:
        for vma in removed:
            if after.pop(vma.start >> PAGE_SHIFT, None) is None:
                before[vma.start >> PAGE_SHIFT] = _shape(vma)
        for vma in added:
            after[vma.start >> PAGE_SHIFT] = _shape(vma)
    same = {first for first, shape in before.items() if after.get(first) == shape}
    return [first for first in before if first not in same], [after[first] for first in after if first not in same]


def timeline(
    log: StraceLog, pid: int | None = None, release: str | KernelProfile | None = None, *,
    start: Sequence[Entry] | None = None,
) -> Timeline:  # fmt: skip
    """The process `pid` of a log, the one with most calls if not given, on the model.  O(calls · log VMAs).

    Raises UsageError where the log has no such process.
    """
    made = Counter(event.pid for event in log.calls if event.what.name not in ("open", "execve", "fork"))
    if not made:
        raise UsageError(f"{log.name}: no call in it changes an address space")
    owners = _owners(log)
    by_owner: Counter[int] = Counter()
    for thread, count in made.items():
        by_owner[owners.get(thread, thread)] += count
    if pid is None:
        pid = by_owner.most_common(1)[0][0]
    elif pid not in by_owner:
        raise UsageError(f"{log.name}: there is no process {pid} in it: there are {', '.join(map(str, by_owner))}")
    found = Timeline(log, pid, entries=start)
    replayed = replay(log, release, start=start, watcher=_Recorder(found))
    found.followed, found.release = replayed.followed, str(replayed.followed)
    return found


SHARING = CLONE["CLONE_VM"] | CLONE["CLONE_VFORK"]
"""A child with the first alone has its parent's memory for good; with both until it executes another program."""


def _owners(log: StraceLog) -> dict[int, int]:
    """Thread → the process whose memory it shares."""
    owners: dict[int, int] = {}
    for event in log.calls:
        if event.what.name == "fork" and event.answer and event.what.flags & SHARING == CLONE["CLONE_VM"]:
            owners[event.answer] = owners.get(event.pid, event.pid)
    return owners
