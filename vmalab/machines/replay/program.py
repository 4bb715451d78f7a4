"""All processes of a log on the model: `replay(log)`.

Follows fork, clone and execve, so that each call meets the address space that it was made in.  The kernel's answers
lead: where the model answers otherwise, that is noted and the state follows the kernel, so that each call is judged for
itself.  A call costs what it changes, whatever the number of VMAs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import define, field, frozen

from vmalab.errors import ProfileError
from vmalab.linux.flags import MREMAP_FIXED
from vmalab.linux.mm.space import AddressSpace
from vmalab.linux.profile import KernelProfile, profile
from vmalab.machines.replay.layout import Layout, compare
from vmalab.machines.replay.process import Process, Ranges, Verdict
from vmalab.machines.replay.start import begin
from vmalab.programs.procmaps import Entry
from vmalab.programs.strace import Ended, Event, MapsSeen, StraceLog, Traced
from vmalab.programs.stracecalls import CLONE

DEFAULT = "6.18"
"""The release that is followed where the log does not tell its kernel."""

LOOK_AHEAD = 400
"""So many events further on a call that began earlier may end."""

Watcher = Callable[[Event, "Process | None", "Verdict | None"], Any]
Before = Callable[[Traced, Process], Any]


@frozen
class Difference:
    """A call whose answer on the model is not the kernel's."""

    event: Traced
    verdict: Verdict
    process: int


@frozen
class End:
    """How a process ended: its last layout beside its real one, if its maps at the end are known."""

    pid: int
    name: str
    how: str
    vmas: int
    layout: Layout | None


@define
class Replayed:
    """What a replay gave.  `counts`: verdicts by kind; `placed`, `predicted`: addresses that the kernel chose, and how
    many of them the rule for free space gives (only asked with `predict`)."""

    log: StraceLog
    followed: KernelProfile
    counts: Counter[str] = field(factory=Counter)
    differences: list[Difference] = field(factory=list)
    left: list[Difference] = field(factory=list)
    ends: list[End] = field(factory=list)
    processes: dict[int, Process] = field(factory=dict)
    notes: list[str] = field(factory=list)
    placed: int = 0
    predicted: int = 0
    elsewhere: list[Difference] = field(factory=list)
    most_vmas: int = 0
    at_once: int | None = None
    """How many VMAs were exact with all memory written at once, where a second run came closer."""

    @property
    def exact(self) -> int:
        """How many real VMAs the model has exactly, of all processes whose maps at the end are known."""
        return sum(end.layout.exact for end in self.ends if end.layout is not None)

    @property
    def real(self) -> int:
        """How many VMAs these processes really had."""
        return sum(end.layout.real for end in self.ends if end.layout is not None)


def release_of(log: StraceLog) -> KernelProfile:
    """The profile of the kernel that the log was taken on; the default where that is not told or not known."""
    try:
        return profile(log.about.get("kernel", DEFAULT))
    except ProfileError:
        return profile(DEFAULT)


def replay(
    log: StraceLog, release: str | KernelProfile | None = None, *, predict: bool = False, map_count: int | None = None,
    start: Sequence[Entry] | None = None, end: Sequence[Entry] | None = None, trace: bool = False,
    watcher: Watcher | None = None, before: Before | None = None, until: int | None = None,
    unwritten: Iterable[tuple[int, int]] = (),
) -> Replayed:  # fmt: skip
    """Make the calls of `log` on the model of `release` (the log's own kernel if not given).

    `predict`: let the rule for free space choose too, and note where it chooses otherwise.  `map_count`: the limit of
    VMAs.  `start`, `end`: the maps of the first process where the log has none.  `until`: stop before the call on that
    line.  `watcher` is called with each event, its process and verdict, `before` with each call and its process right
    before it is made.  `unwritten`: ranges of addresses (bytes) that the program is not taken to write to as soon as it
    can.  O(calls · log VMAs).
    """
    own = release_of(log)
    followed = own if release is None else release if isinstance(release, KernelProfile) else profile(release)
    run = _Run(log, followed, own, predict, map_count, trace, watcher, before, Ranges(unwritten))
    run.start_with(start)
    run.events(until)
    run.finish(end)
    return run.found


def replay_with_accesses(log: StraceLog, release: str | KernelProfile | None = None, **options: Any) -> Replayed:
    """`replay`, once more where the maps at the end show that memory was written later than it could have been.

    Accesses are no system calls.  What the log can't tell is read off the two layouts: VMAs that became one, or have no
    VM_ACCOUNT, had not been written yet.  The second run counts where it comes closer to the real layout.
    """
    found = replay(log, release, **options)
    shown = _shown_unwritten(found)
    if not shown:
        return found
    again = replay(log, release, **options, unwritten=shown)
    again.at_once = found.exact
    return again if again.exact > found.exact else found


def _shown_unwritten(found: Replayed) -> list[tuple[int, int]]:
    """Ranges that the real layouts show not to have been written when the replay took them as written."""
    ranges: set[tuple[int, int]] = set()
    for end in found.ends:
        for pair in end.layout.pairs if end.layout is not None else ():
            if pair.real is not None and (pair.reason == "merged_unseen" or pair.detail == "-ac"):
                ranges.add((pair.real.start, pair.real.end))
    apart: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if apart and start < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(stop, apart[-1][1]))
        else:
            apart.append((start, stop))
    return apart


class _Run:
    def __init__(
        self, log: StraceLog, followed: KernelProfile, own: KernelProfile, predict: bool, map_count: int | None,
        trace: bool, watcher: Watcher | None, before: Before | None, unwritten: Ranges,
    ) -> None:  # fmt: skip
        self.unwritten = unwritten
        self.log, self.followed, self.own = log, followed, own
        self.predict, self.trace, self.watcher, self.before = predict, trace, watcher, before
        self.found = Replayed(log, followed)
        self.map_count = map_count if map_count is not None else _number(log.about.get("max_map_count"))
        self.min_addr = _number(log.about.get("mmap_min_addr"))
        self.done: set[int] = set()
        self.seen: set[int] = {event.pid for event in log.events}
        self.births = _births(log.events)
        self.threads = {pid for pid, births in self.births.items() if births[-1].what.flags & CLONE["CLONE_THREAD"]}
        """Process ids that are another one's threads."""
        self.first: int | None = None

    # --- processes

    def _space(self, entries: Sequence[Entry] = ()) -> AddressSpace:
        mm = begin(entries, self.followed, trace=self.trace)
        if self.map_count is not None:
            mm.limits.map_count = self.map_count
        if self.min_addr is not None:
            mm.limits.mmap_min_addr = self.min_addr
        mm.seeks_own_choice = self.predict
        return mm

    def _process(self, pid: int, at: int) -> Process:
        """The process of a pid, made when it is first met: from its parent's, if the log tells who that is."""
        processes = self.found.processes
        there = processes.get(pid)
        if there is not None:
            return there
        births = [birth for birth in self.births.get(pid, ()) if birth.began <= at]
        birth = births[-1] if births else None
        parent = processes.get(birth.pid) if birth is not None else None
        if birth is None or parent is None:
            made = Process(self._space(), pid, follows=self.own, unwritten=self.unwritten)
            if self.first is None:
                self.first = pid
            elif birth is None:
                self.found.notes.append(f"process {pid} is in the log without its beginning")
        elif birth.what.flags & CLONE["CLONE_VM"]:
            made = parent
            parent.threads += 1
        else:
            made = parent.fork(pid)
        processes[pid] = made
        return made

    def start_with(self, entries: Sequence[Entry] | None) -> None:
        if entries is None:
            return
        pid = self.log.events[0].pid if self.log.events else 0
        self.first = pid
        self.found.processes[pid] = Process(
            self._space(entries), pid, known_start=True, follows=self.own, unwritten=self.unwritten
        )

    # --- events

    def events(self, until: int | None) -> None:
        events = self.log.events
        for index, event in enumerate(events):
            if until is not None and event.line >= until and isinstance(event, Traced):
                return
            if isinstance(event, Traced):
                if event.line in self.done:
                    self.done.discard(event.line)
                    continue
                self._watched(event, self._traced(event, index))
            else:
                if isinstance(event, MapsSeen):
                    self._maps(event)
                elif isinstance(event, Ended):
                    self._ended(event)
                self._watched(event, None)

    def _watched(self, event: Event, verdict: Verdict | None) -> None:
        if self.watcher is not None:
            self.watcher(event, self.found.processes.get(event.pid), verdict)

    def _traced(self, event: Traced, index: int) -> Verdict | None:
        process = self._process(event.pid, event.line)
        name = event.what.name
        if name == "execve":
            if event.errno is None:
                self._exec(event)
            return None
        if name == "fork":
            child = event.answer
            if child in self.seen and child not in self.found.processes:
                self._process(child, event.line)
            return None
        if event.errno is None and event.answer is not None and event.what.name in ("mmap", "mremap"):
            self._make_room(event, index, process)
        return self._made(event, process)

    def _made(self, event: Traced, process: Process) -> Verdict:
        if self.before is not None:
            self.before(event, process)
        verdict = process.make(event)
        self._note(event, verdict, process)
        return verdict

    def _make_room(self, event: Traced, index: int, process: Process) -> None:
        """Where the kernel put something in a place that is taken, a call of another thread had freed it: one that
        began before, though strace saw it end only later.  It is made first."""
        call: Any = event.what.call
        if (
            call is None
            or event.answer is None
            or getattr(call, "fixed", False)
            or getattr(call, "flags", 0) & MREMAP_FIXED
        ):
            return
        length = getattr(call, "new_len", getattr(call, "length", 0))
        if event.answer == call.addr or not process.mm.intersecting(event.answer, event.answer + length):
            return
        for later in self.log.events[index + 1 : index + LOOK_AHEAD]:
            if isinstance(later, Traced) and later.began < event.line and later.line not in self.done:
                other = self.found.processes.get(later.pid)
                if other is process and later.what.name in ("munmap", "mremap", "brk", "mmap"):
                    self._watched(later, self._made(later, process))
                    self.done.add(later.line)

    def _note(self, event: Traced, verdict: Verdict, process: Process) -> None:
        found = self.found
        found.counts[verdict.kind] += 1
        count = process.mm.map_count
        if count > found.most_vmas:
            found.most_vmas = count
        if verdict.kind == "same":
            if verdict.placed and self.predict:
                found.placed += 1
                if verdict.chosen == event.answer:
                    found.predicted += 1
                else:
                    found.elsewhere.append(Difference(event, verdict, process.pid))
            return
        if verdict.kind in ("differs", "unknown"):
            found.differences.append(Difference(event, verdict, process.pid))
        elif verdict.kind == "left":
            found.left.append(Difference(event, verdict, process.pid))

    def _exec(self, event: Traced) -> None:
        """A new program: an address space of its own, which the maps that follow tell."""
        old = self.found.processes[event.pid]
        name = event.what.words[0].partition('"')[2].partition('"')[0].rpartition("/")[2]
        new = Process(
            self._space(), event.pid, name, follows=self.own, opened=dict(old.opened), segments=old.segments,
            unwritten=self.unwritten,
        )  # fmt: skip
        self.found.processes[event.pid] = new

    def _maps(self, event: MapsSeen) -> None:
        process = self._process(event.pid, event.line)
        if event.when == "after execve":
            process.mm, process.known_start = self._space(event.entries), True
            return
        layout = compare(process.mm, event.entries)
        self.found.ends.append(End(event.pid, process.name, "", process.mm.map_count, layout))

    def _ended(self, event: Ended) -> None:
        process = self.found.processes.pop(event.pid, None)
        if process is None:
            return
        if process.pid != event.pid or event.pid in self.threads:
            return
        last = next((n for n in range(len(self.found.ends) - 1, -1, -1) if self.found.ends[n].pid == event.pid), None)
        if last is not None and not self.found.ends[last].how:
            seen = self.found.ends[last]
            self.found.ends[last] = End(seen.pid, seen.name, event.how, seen.vmas, seen.layout)
        else:
            self.found.ends.append(End(event.pid, process.name, event.how, process.mm.map_count, None))

    def finish(self, end: Sequence[Entry] | None) -> None:
        for pid, process in self.found.processes.items():
            if pid != process.pid:
                continue
            known = end if pid == self.first and end is not None else None
            layout = compare(process.mm, known) if known is not None else None
            self.found.ends.append(End(pid, process.name, "the log ends", process.mm.map_count, layout))


def _births(events: Sequence[Event]) -> dict[int, list[Traced]]:
    """Process id → the calls that returned it."""
    found: dict[int, list[Traced]] = {}
    for event in events:
        if isinstance(event, Traced) and event.what.name == "fork" and event.answer:
            found.setdefault(event.answer, []).append(event)
    return found


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
