"""Which page-table entries are in use at each moment of a call, level by level, and what each step does to them.

Data and words; `vmalab.pictures.svgentries` draws them below the picture of the VMAs, on the same scale.  What is
known: which
pages are present after each step, and how many entries a step moved at which level.  An entry is *in use* where a
present page lies below it.  A table that holds none any more may stay allocated in the kernel; that is not shown, nor
are guard markers, which are entries without a page (they count among the entries that a move moves).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import attrgetter, itemgetter

from attrs import frozen

from vmalab.linux.addr import PAGE_SHIFT, PMD_SIZE, PUD_SIZE
from vmalab.linux.mm.trace import Step
from vmalab.machines.outcome import Outcome, Row, Snapshot
from vmalab.pictures.ranges import Ranges, merged, without
from vmalab.pictures.scale import Scale
from vmalab.programs.calltext import span

WHOLE = 1 << 64 - PAGE_SHIFT
"""All pages."""

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
    in_use: int
    """How many entries have a present page below them."""
    moved: int | None
    """None where the step moves no entries at all."""
    huge: int = 0
    """How many of its entries map 2 MiB themselves, with no page of PTEs below."""
    marked: tuple[Bar, ...] = ()
    """The bars that are new or gone."""

    def words(self, most: int | None = None) -> str:
        """All of it; of the entries in use and of those that are not any more at most `most` places are named."""
        count = self.in_use
        gone = [bar for bar in self.marked if bar.mark == "gone"]
        said = f"{self.name} ({self.covers} each): {count} entr{'y' if count == 1 else 'ies'} in use"
        if self.huge:
            said += f", {'it maps a huge page' if count == 1 else f'{self.huge} of them map a huge page each'}"
        if count:
            used = (bar for bar in self.bars if bar.mark != "gone")
            said += ": " + _places(list(islice(used, most)), len(self.bars) - len(gone))
        if gone:
            said += ". No longer in use: " + _places(gone[:most], len(gone))
        if self.moved:
            said += f". The step moves {self.moved} of this level"
        elif self.moved == 0 and self.marked:
            said += ". Of this level the step moves none by itself"
        return said + "."


def _places(named: Sequence[Bar], count: int) -> str:
    left = count - len(named)
    return "; ".join([*[bar.words() for bar in named], *([f"and {left} more place{'s' * (left > 1)}"] if left else [])])


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

    O(runs), and for each step that changes something O(log n) for what it changes.
    """
    if not outcome.steps:
        return ()
    frames = outcome.frames
    known: dict[tuple[int, int, int, str], Bar] = {}
    lines = [_Line(*level, scale, known) for level in LEVELS]
    for line in lines:
        line.follow(frames[0].snapshot, [(0, WHOLE)])
    quiet = Tables(scale, tuple(line.level(None) for line in lines))
    found = [quiet]
    for frame in frames[1:]:
        moved = _moved(frame.step)
        if frame.step is not None and frame.step.ptes:
            changed = [(start, end) for start, end, _ in frame.step.ptes]
            levels = [line.follow(frame.snapshot, changed, moved) for line in lines]
            found.append(Tables(scale, tuple(levels)))
            quiet = Tables(scale, tuple(line.level(None) for line in lines))
        else:
            found.append(quiet if moved is None else Tables(scale, tuple(line.level(moved) for line in lines)))
    return tuple(found)


def _moved(step: Step | None) -> dict[str, int] | None:
    if step is None or step.key != "pages_moved":
        return None
    return {name: step.values[name.lower()] for name, _, _ in LEVELS}


class _Line:
    """The entries in use of one level, as ranges of block numbers with their bars, from moment to moment.

    `known`: bars made before, by their blocks, the bytes of one and the mark: what stays is one object.
    """

    def __init__(
        self, name: str, size: int, covers: str, scale: Scale, known: dict[tuple[int, int, int, str], Bar]
    ) -> None:  # fmt: skip
        self.name, self.size, self.covers = name, size, covers
        self._scale, self._known = scale, known
        self._shift = size.bit_length() - 1 - PAGE_SHIFT
        self._ranges: Ranges = []
        self._bars: list[Bar] = []
        self._in_use = self._huge = 0

    def level(self, moved: dict[str, int] | None) -> Level:
        """The level as it is, with nothing marked."""
        return self._made(tuple(self._bars), moved)

    def follow(
        self, snapshot: Snapshot, pages: Ranges, moved: dict[str, int] | None = None
    ) -> Level:  # fmt: skip
        """The level after a step that changed the entries of `pages` and left `snapshot`; what it changes is marked."""
        shift, ranges, shown, marked = self._shift, self._ranges, [], []
        blocks = merged(sorted((start >> shift, (end - 1 >> shift) + 1) for start, end in pages if start < end))
        plain, fresh, at = [], [], 0
        for start, stop, now in self._changes(snapshot, blocks):
            was = ranges[start:stop]
            new, gone = without(now, was), without(was, now)
            marks = [("", without(now, new)), ("new", new), ("gone", gone)]
            bars = sorted((self._bar(*pair, mark) for mark, some in marks for pair in some), key=attrgetter("start"))
            marked += [bar for bar in bars if bar.mark]
            shown += [*self._bars[at:start], *bars]
            plain += [*self._bars[at:start], *(self._bar(*pair) for pair in now)]
            fresh += [*ranges[at:start], *now]
            self._in_use += sum(b - a for a, b in now) - sum(b - a for a, b in was)
            at = stop
        shown += self._bars[at:]
        self._bars, self._ranges = plain + self._bars[at:], fresh + ranges[at:]
        if self.size == PMD_SIZE and self._has_huge(snapshot, pages):
            self._huge = sum(run.end - run.start for row in snapshot for run in row.runs if run.huge) >> shift
        return self._made(tuple(shown), moved, tuple(marked))

    def _has_huge(self, snapshot: Snapshot, pages: Ranges) -> bool:
        """Whether huge pages have to be counted again: some were there, or have come in `pages`."""
        return self._huge > 0 or any(
            run.huge
            for start, end in pages
            for row in _between(snapshot.rows, start << PAGE_SHIFT, end << PAGE_SHIFT)
            for run in row.runs
        )

    def _made(self, bars: tuple[Bar, ...], moved: dict[str, int] | None, marked: tuple[Bar, ...] = ()) -> Level:
        count = None if moved is None else moved[self.name]
        return Level(self.name, self.covers, bars, self._in_use, count, self._huge, marked)

    def _changes(self, snapshot: Snapshot, blocks: Ranges) -> list[tuple[int, int, Ranges]]:
        """Which ranges are replaced and by what, where the entries of `blocks` are looked at again; in order."""
        ranges = self._ranges
        found: list[tuple[int, int, Ranges]] = []
        for low, high in blocks:
            start = bisect_left(ranges, low, key=itemgetter(1))  # those that touch it too, for they may join
            stop = bisect_right(ranges, high, lo=start, key=itemgetter(0))
            base = ranges[start:stop]
            if found and start < found[-1][1]:
                first, before, made = found.pop()
                start, base = first, made + ranges[before:stop]
            left = [(a, min(b, low)) for a, b in base if a < low]
            right = [(max(a, high), b) for a, b in base if b > high]
            found.append((start, stop, merged([*left, *self._used(snapshot, low, high), *right])))
        return found

    def _used(self, snapshot: Snapshot, low: int, high: int) -> Iterator[tuple[int, int]]:
        """The blocks of [low, high) below which a page is present, looked for block after block."""
        rows, shift = snapshot.rows, self._shift
        place = bisect_right(rows, low << shift + PAGE_SHIFT, key=attrgetter("end"))
        while place < len(rows) and rows[place].start < high << shift + PAGE_SHIFT:
            runs = rows[place].runs
            at = bisect_right(runs, low << shift, key=attrgetter("end"))
            while at < len(runs) and runs[at].start < high << shift:
                run = runs[at]
                if shift or not run.huge:  # what a huge page holds has no PTE
                    first, last = max(run.start >> shift, low), min((run.end - 1 >> shift) + 1, high)
                    yield first, last
                    low = last
                    at = bisect_right(runs, low << shift, lo=at, key=attrgetter("end"))
                else:
                    at += 1
            place = max(place + 1, bisect_right(rows, low << shift + PAGE_SHIFT, key=attrgetter("end")))

    def _bar(self, first: int, last: int, mark: str = "") -> Bar:
        bar = self._known.get((first, last, self.size, mark))
        if bar is None:
            start, end = first * self.size, last * self.size
            x = self._scale.x(start)
            bar = self._known[first, last, self.size, mark] = Bar(
                start, end, last - first, x, self._scale.x(end) - x, mark
            )
        return bar


def _between(rows: Sequence[Row], start: int, end: int) -> Sequence[Row]:
    """The rows that share a byte with [start, end).  O(log n + k)."""
    first = bisect_right(rows, start, key=attrgetter("end"))
    return rows[first : bisect_left(rows, end, lo=first, key=attrgetter("start"))]
