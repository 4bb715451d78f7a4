"""What travels in a move besides VMAs, and what a move meets at its target: gaps that map nothing, memory that is lost,
memory that survives under a gap.

Knows calls, moves and rows; `vmalab.pictures.sceneframes` asks it frame by frame.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from operator import attrgetter, itemgetter

from vmalab.linux.addr import page_align
from vmalab.linux.call import Mmap, Mremap
from vmalab.linux.mm.trace import Step
from vmalab.machines.outcome import Move, Outcome, Row
from vmalab.pictures.changes import START, Change
from vmalab.pictures.ranges import Ranges, merged, without
from vmalab.pictures.scale import Scale
from vmalab.pictures.sceneparts import Place, place_words

Span = tuple[int, int]


def gaps_moved(outcome: Outcome, moves: Sequence[Move]) -> tuple[Move, ...]:
    """The gaps that went along with `moves`: between two VMAs of one move, and behind the last one.  O(moves)."""
    call = outcome.call
    if not isinstance(call, Mremap) or not moves or moves[0].kept:
        return ()
    found = [
        Move(one.end, other.start, one.target + one.end - one.start)
        for one, other in pairwise(moves)
        if one.end < other.start and other.target - other.start == one.target - one.start
    ]
    last, end = moves[-1], call.addr + page_align(call.old_len)
    if outcome.ok and page_align(call.old_len) == page_align(call.new_len) and last.end < end:
        found.append(Move(last.end, end, last.target + last.end - last.start))
    return tuple(found)


def travels(step: Step | None) -> list[int]:
    """Where that begins which travels in this step (bytes): a VMA when its page-table entries move, a gap when it is
    passed."""
    key = step.key if step is not None else ""
    if step is not None and (key in ("gap_kept", "gap_at_end") or step.func == "move_page_tables"):
        return [step.values["start"]]
    return []


class Meeting:
    """What lay at the target of a call, and what became of it.

    `target`: the bytes that the call may take for itself; nothing can be lost elsewhere.  `arrivals`: those of them
    where something is put; `names`: the letters of the rows before the call.
    """

    def __init__(
        self, before: Sequence[Row], names: Sequence[str], target: Span | None, arrivals: Iterable[Span], scale: Scale
    ) -> None:  # fmt: skip
        self.scale = scale
        self.arrivals = merged(sorted(arrivals))
        self.parts: list[tuple[int, int, str]] = []
        if target is not None:
            first = bisect_right(before, target[0], key=attrgetter("end"))
            last = bisect_left(before, target[1], lo=first, key=START)
            self.parts = [
                (max(row.start, target[0]), min(row.end, target[1]), name)
                for row, name in zip(before[first:last], names[first:last], strict=True)
            ]
        self.left: list[Ranges] = [[(start, end)] for start, end, _ in self.parts]
        """What of each part is still there."""

    def lose(self, changes: Iterable[Change], rows: Sequence[Row], *, ended: bool) -> list[Place]:
        """What is lost in a frame that changed so.  `ended`: the call is over, so that what arrived has arrived."""
        areas = [(change.was[0].start, change.was[-1].end) for change in changes if change.was]
        if ended and self.arrivals:
            areas.append((self.arrivals[0][0], self.arrivals[-1][1]))
        found: list[Place] = []
        for number in sorted({number for area in areas for number in self._overlapping(*area)}):
            start, end, name = self.parts[number]
            kept = without(self.left[number], without([(start, end)], mapped(rows, start, end)))
            if ended:
                kept = without(kept, self.arrivals)
            gone = without(self.left[number], kept)
            self.left[number] = kept
            found += [self.place("lost", *span, name) for span in gone]
        return found

    def under(self, gap: Move, rows: Sequence[Row]) -> list[Place]:
        """What lies where a moved gap ends: what survived there, and where nothing is."""
        start, end = gap.target, gap.target + gap.end - gap.start
        found = [
            self.place("survived", max(low, start), min(high, end), self.parts[number][2])
            for number in self._overlapping(start, end)
            for low, high in self.left[number]
            if low < end and start < high
        ]
        return found + [self.place("empty", *span, "") for span in without([(start, end)], mapped(rows, start, end))]

    def place(self, kind: str, start: int, end: int, name: str) -> Place:
        x = self.scale.x(start)
        return Place(kind, start, end, x, self.scale.x(end) - x, name, place_words(kind, start, end, name))

    def _overlapping(self, start: int, end: int) -> range:
        first = bisect_right(self.parts, start, key=itemgetter(1))
        return range(first, max(bisect_left(self.parts, end, lo=first, key=itemgetter(0)), first))


def arrivals(outcome: Outcome, moves: Iterable[Move], target: Span | None) -> list[Span]:
    """Where a call has put something by its end: bytes."""
    found = [(move.target, move.target + move.end - move.start) for move in moves]
    call = outcome.call
    if outcome.ok and target is not None and (isinstance(call, Mmap) or (len(found) == 1 and isinstance(call, Mremap))):
        found = [target] if isinstance(call, Mmap) or page_align(call.old_len) != page_align(call.new_len) else found
    return found


def mapped(rows: Sequence[Row], start: int, end: int) -> Ranges:
    """The parts of bytes [start, end) that some row covers, in order.  O(log n + k)."""
    first = bisect_right(rows, start, key=attrgetter("end"))
    last = bisect_left(rows, end, lo=first, key=START)
    return [(max(row.start, start), min(row.end, end)) for row in rows[first:last]]
