"""`RunMap`: page numbers mapped to values, stored as runs, so that cost follows the runs and never the pages.

Used for the entries of the page tables and for the page cache of a file.  Knows nothing of VMAs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen
from sortedcontainers import SortedDict


@frozen
class Run:
    """Pages [start, end) (page numbers) of one `kind`; page p holds the 64-bit word `value + stride * (p - start)`.

    `huge`: how PMD entries map them, 2 MiB each: `"own"`, or `"shared"` where a fork has write-protected them; `""`
    where each page has a PTE of its own.
    """

    start: int
    end: int
    kind: str
    value: int = 0
    stride: int = 0
    huge: str = ""

    def at(self, number: int) -> int:
        """The word of page `number`."""
        return self.value + self.stride * (number - self.start)

    def clip(self, start: int, end: int) -> Run:
        """The part of this run in [start, end), which must share a page with it."""
        first, last = max(self.start, start), min(self.end, end)
        if first == self.start and last == self.end:
            return self
        return Run(first, last, self.kind, self.at(first), self.stride, self.huge)

    def shift(self, pages: int) -> Run:
        """The same run `pages` further on (or back, if negative)."""
        return Run(self.start + pages, self.end + pages, self.kind, self.value, self.stride, self.huge)

    def mapped(self, huge: str) -> Run:
        """The same pages with the same contents, mapped as `huge` says."""
        return Run(self.start, self.end, self.kind, self.value, self.stride, huge)

    def joins(self, after: Run) -> bool:
        """Whether `after`, which starts at or after this run's end, only continues it."""
        return (
            self.end == after.start
            and self.kind == after.kind
            and self.huge == after.huge
            and self.stride == after.stride
            and self.at(self.end) == after.value
        )


def joined(runs: Iterable[Run]) -> tuple[Run, ...]:
    """The same pages in as few runs as possible; `runs` come in order."""
    found: list[Run] = []
    for run in runs:
        if found and found[-1].joins(run):
            run = Run(found[-1].start, run.end, run.kind, found[-1].value, run.stride, run.huge)
            found.pop()
        found.append(run)
    return tuple(found)


class RunMap:
    """A map from page number to `Run`, with half-open range operations.

    Every operation is O(log n + k) for n runs, k of them in the range.

    >>> table = RunMap()
    >>> table.put(Run(0, 1 << 28, "anon", 7))
    >>> _ = table.clear(10, 20)
    >>> [(run.start, run.end) for run in table]
    [(0, 10), (20, 268435456)]
    """

    def __init__(self) -> None:
        self._runs: SortedDict[int, Run] = SortedDict()
        self.changed: set[int] | None = None
        """Once somebody keeps one: the starts at which runs came, went or were replaced."""

    def __iter__(self) -> Iterator[Run]:
        return iter(self._runs.values())

    def __len__(self) -> int:
        return len(self._runs)

    def copy(self) -> RunMap:
        """An independent copy; O(n) references, the runs themselves are shared."""
        other = RunMap()
        other._runs = self._runs.copy()
        return other

    def restore(self, kept: RunMap) -> None:
        """Be as `kept` is, a copy from before.  O(n)."""
        if self.changed is not None:
            now, then = self._runs, kept._runs
            self.changed |= {start for start in now.keys() | then.keys() if now.get(start) is not then.get(start)}
        self._runs = kept._runs

    def those_at(self, starts: Iterable[int]) -> dict[int, Run | None]:
        """Each of `starts` with the run that starts there, or None."""
        return {start: self._runs.get(start) for start in starts}

    def at(self, number: int) -> Run | None:
        """The run that holds page `number`."""
        for key in self._runs.irange(maximum=number, reverse=True):
            run = self._runs[key]
            return run if number < run.end else None
        return None

    def any(self, start: int, end: int) -> bool:
        """Whether a page of [start, end) is held.  O(log n)."""
        if start >= end or not self._runs:
            return False
        if self.at(start) is not None:
            return True
        return next(self._runs.irange(minimum=start, maximum=end, inclusive=(False, False)), None) is not None

    def within(self, start: int, end: int) -> list[Run]:
        """The runs in [start, end), clipped to it, in order."""
        if start >= end or not self._runs:
            return []
        found = []
        first = self.at(start)
        if first is not None:
            found.append(first.clip(start, end))
        for key in self._runs.irange(minimum=start, maximum=end, inclusive=(False, False)):
            found.append(self._runs[key].clip(start, end))
        return found

    def clear(self, start: int, end: int) -> list[Run]:
        """Remove [start, end) and return what was there, clipped, in order."""
        gone = self.within(start, end)
        if not gone:
            return gone
        runs = self._runs
        first = self.at(start)
        if first is not None and first.start < start:
            runs[first.start] = first.clip(first.start, start)
        last = self.at(end - 1) if first is None or first.end < end else first
        if last is not None and last.end > end:
            runs[end] = last.clip(end, last.end)
        for run in gone:
            if run.start != start or first is None or first.start == start:
                runs.pop(run.start, None)
        if self.changed is not None:
            self.changed.update([run.start for run in gone])
            self.changed.add(end)
            if first is not None:
                self.changed.add(first.start)
        return gone

    def put(self, run: Run) -> None:
        """Store `run`, replacing what its pages held, and join it with neighbours that it continues."""
        self.clear(run.start, run.end)
        runs = self._runs
        before = self.at(run.start - 1)
        if before is not None and before.joins(run):
            run = Run(before.start, run.end, run.kind, before.value, run.stride, run.huge)
        after = runs.get(run.end)
        if after is not None and run.joins(after):
            del runs[after.start]
            if self.changed is not None:
                self.changed.add(after.start)
            run = Run(run.start, after.end, run.kind, run.value, run.stride, run.huge)
        runs[run.start] = run
        if self.changed is not None:
            self.changed.add(run.start)

    def holes(self, start: int, end: int) -> list[tuple[int, int]]:
        """The parts of [start, end) that no run covers."""
        found, position = [], start
        for run in self.within(start, end):
            if position < run.start:
                found.append((position, run.start))
            position = run.end
        if position < end:
            found.append((position, end))
        return found
