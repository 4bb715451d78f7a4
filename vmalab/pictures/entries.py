"""Which page-table entries are in use at each moment of a call, level by level, and what each step does to them.

Data and words; `vmalab.pictures.svgentries` draws them below the picture of the VMAs, on the same scale.  What is
known: which
pages are present after each step, and how many entries a step moved at which level.  An entry is *in use* where a
present page lies below it.  A table that holds none any more may stay allocated in the kernel; that is not shown, nor
are guard markers, which are entries without a page (they count among the entries that a move moves).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter

from attrs import frozen

from vmalab.linux.addr import PAGE_SHIFT, PMD_SIZE, PUD_SIZE
from vmalab.linux.mm.trace import Step
from vmalab.machines.outcome import Outcome, Snapshot
from vmalab.pictures.scale import Scale
from vmalab.programs.calltext import span

Ranges = list[tuple[int, int]]

LEVELS = (("PUD", PUD_SIZE, "1 GiB"), ("PMD", PMD_SIZE, "2 MiB"), ("PTE", 1 << PAGE_SHIFT, "4 KiB"))
"""The levels from the top: name, how many bytes one entry covers, and that in words."""

SIGNS = {"": "", "new": "+", "gone": "−"}
"""How a bar is marked in the picture."""


@frozen
class Bar:
    """Neighbouring entries of one level: those of bytes [start, end), `count` of them; `mark`: a key of `SIGNS`."""

    start: int
    end: int
    count: int
    x: int
    width: int
    mark: str = ""

    def words(self) -> str:
        """`pages 0 to 511`, and whether that is new."""
        return span(self.start, self.end) + (" (new in this step)" if self.mark == "new" else "")


@frozen
class Level:
    """One level at one moment: its bars in order, how many of its entries the step moved, and how many are huge."""

    name: str
    covers: str
    bars: tuple[Bar, ...]
    moved: int | None
    """None where the step moves no entries at all."""
    huge: int = 0
    """How many of its entries map 2 MiB themselves, with no page of PTEs below."""

    @property
    def in_use(self) -> int:
        """How many entries have a present page below them."""
        return sum(bar.count for bar in self.bars if bar.mark != "gone")

    def words(self, most: int | None = None) -> str:
        """All of it; of the entries in use and of those that are not any more at most `most` places are named."""
        count = self.in_use
        said = f"{self.name} ({self.covers} each): {count} entr{'y' if count == 1 else 'ies'} in use"
        if self.huge:
            said += f", {'it maps a huge page' if count == 1 else f'{self.huge} of them map a huge page each'}"
        if count:
            said += ": " + _places([bar for bar in self.bars if bar.mark != "gone"], most)
        gone = [bar for bar in self.bars if bar.mark == "gone"]
        if gone:
            said += ". No longer in use: " + _places(gone, most)
        if self.moved:
            said += f". The step moves {self.moved} of this level"
        elif self.moved == 0 and any(bar.mark for bar in self.bars):
            said += ". Of this level the step moves none by itself"
        return said + "."


def _places(bars: Sequence[Bar], most: int | None) -> str:
    named = [bar.words() for bar in bars[:most]]
    left = len(bars) - len(named)
    return "; ".join([*named, f"and {left} more place{'s' * (left > 1)}"] if left else named)


@frozen
class Tables:
    """All levels at one moment."""

    scale: Scale
    levels: tuple[Level, ...]

    def text(self, most: int | None = None) -> str:
        """The text alternative: a line for each level, from the top."""
        return "\n".join(level.words(most) for level in self.levels)


def tables_of(outcome: Outcome, scale: Scale) -> tuple[Tables, ...]:
    """The entries before the call and after each of its steps; `()` for a machine that tells no steps.

    O(runs) for each step that changes something.
    """
    if not outcome.steps:
        return ()
    frames = outcome.frames
    bars: Bars = {}
    used = _Used(scale, frames[0].snapshot, bars)
    quiet = Tables(scale, used.levels(used, None))
    found = [quiet]
    for frame in frames[1:]:
        moved = _moved(frame.step)
        if frame.step is not None and frame.step.ptes:
            now = _Used(scale, frame.snapshot, bars)
            found.append(Tables(scale, now.levels(used, moved)))
            used, quiet = now, Tables(scale, now.levels(now, None))
        else:
            found.append(quiet if moved is None else Tables(scale, used.levels(used, moved)))
    return tuple(found)


def _moved(step: Step | None) -> dict[str, int] | None:
    if step is None or step.key != "pages_moved":
        return None
    return {name: step.values[name.lower()] for name, _, _ in LEVELS}


Bars = dict[tuple[int, int, int, str], Bar]
"""Bars made before, by their blocks, the bytes of one and the mark: what stays from moment to moment is one object."""


class _Used:
    """The entries in use in one snapshot, as ranges of block numbers for each level."""

    def __init__(self, scale: Scale, snapshot: Snapshot, bars: Bars) -> None:
        self.scale, self._bars = scale, bars
        runs = [run for row in snapshot for run in row.runs]
        self.huge = sum(run.end - run.start for run in runs if run.huge) >> PMD_SIZE.bit_length() - 1 - PAGE_SHIFT
        self.ranges = [
            # what a huge page holds has no PTE
            _merged((run.start >> shift, (run.end - 1 >> shift) + 1) for run in runs if shift or not run.huge)
            for shift in (size.bit_length() - 1 - PAGE_SHIFT for _, size, _ in LEVELS)
        ]

    def levels(self, before: _Used, moved: dict[str, int] | None) -> tuple[Level, ...]:
        found = []
        for (name, size, covers), now, was in zip(LEVELS, self.ranges, before.ranges, strict=True):
            same = set() if now is was else set(now).intersection(was)
            # a range that is the same in both touches nothing else of either
            now_only = [pair for pair in now if pair not in same] if now is not was else []
            was_only = [pair for pair in was if pair not in same] if now is not was else []
            fresh = _without(now_only, was_only)
            stays = [*same, *_without(now_only, fresh)] if now is not was else now
            marked = [("", stays), ("new", fresh), ("gone", _without(was_only, now_only))]
            bars = [self._bar(*pair, size, mark) for mark, ranges in marked for pair in ranges]
            if now is not was:
                bars.sort(key=attrgetter("start"))
            huge = self.huge if size == PMD_SIZE else 0
            found.append(Level(name, covers, tuple(bars), None if moved is None else moved[name], huge))
        return tuple(found)

    def _bar(self, first: int, last: int, size: int, mark: str) -> Bar:
        bar = self._bars.get((first, last, size, mark))
        if bar is None:
            start, end = first * size, last * size
            x = self.scale.x(start)
            bar = Bar(start, end, last - first, x, self.scale.x(end) - x, mark)
            self._bars[first, last, size, mark] = bar
        return bar


def _merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """`ranges`, which come in order, with those that touch joined."""
    found: Ranges = []
    for start, end in ranges:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _without(ranges: Sequence[tuple[int, int]], other: Sequence[tuple[int, int]]) -> Ranges:
    """What of `ranges` no range of `other` covers; both in order and apart.  O(n + m)."""
    found: Ranges = []
    at = 0
    for start, end in ranges:
        while at < len(other) and other[at][1] <= start:
            at += 1
        here = at
        while here < len(other) and other[here][0] < end:
            if start < other[here][0]:
                found.append((start, other[here][0]))
            start = max(start, other[here][1])
            here += 1
        if start < end:
            found.append((start, end))
    return found
