"""The scenes of one outcome, frame by frame: what all frames share is worked out once, and what is equal stays the same
object, so that a frame costs what differs in it.

`vmalab.pictures.scene` is the door; here is how a moment becomes bands, ribbons, places and marks.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import chain
from operator import attrgetter

from attrs import evolve, frozen

from vmalab.linux.addr import PAGE, PAGE_SHIFT, page_align
from vmalab.linux.call import Call, Mmap, Mremap
from vmalab.linux.flags import MREMAP_FIXED
from vmalab.linux.mm.trace import Step
from vmalab.machines.lineage import lineage_of, moves_of
from vmalab.machines.outcome import FEW, Frame, Move, Outcome, Row, Snapshot
from vmalab.pictures.changes import START, Change, changes_between, looked_at, marked, removed
from vmalab.pictures.gaps import gaps_after, gaps_of
from vmalab.pictures.legend import legend_of
from vmalab.pictures.scale import Scale, make_scale
from vmalab.pictures.sceneparts import (
    Band,
    Box,
    Gap,
    Mark,
    Place,
    Ribbon,
    Scene,
    box_words,
    gap_ribbon_words,
    ribbon_words,
    where,
)
from vmalab.pictures.seams import Seam, Tie, seams_of, ties_of
from vmalab.pictures.travels import Meeting, arrivals, gaps_moved, travels
from vmalab.programs.calltext import call_text, result_text, size
from vmalab.words.explain import named_in_pages

TOP = 1 << 64
ELSEWHERE_GAP = 1 << 46
"""How far beyond everything else a place is drawn whose address is not known (bytes)."""

MOST_CELLS, LEAST_CELL = 24, 4
"""So many pages fly along a move's way, and none that is narrower (pixels)."""


def ranges_of(call: Call, value: int | None = None) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """The bytes that a call names: its range, and its target; `value` is what the kernel chose, if it did.

    Both are None for a call that names no range: fork, a limit, brk, mlockall, ftruncate.
    """
    if isinstance(call, Mmap):
        where = value if value is not None else call.addr
        return None, None if where is None else _clip(where, call.length)
    if isinstance(call, Mremap):
        fixed = call.flags & MREMAP_FIXED
        where = call.new_addr if fixed else value
        return _clip(call.addr, call.old_len), None if where is None else _clip(where, call.new_len)
    addr, length = getattr(call, "addr", None), getattr(call, "length", None)
    return None if addr is None or length is None else _clip(addr, length), None


def _clip(start: int, length: int) -> tuple[int, int]:
    start = min(max(start, 0), TOP)
    return start, min(max(start + length, start), TOP)


def result_words(outcome: Outcome) -> str:
    """What came back, as the end of a sentence: `returns page 64`, `fails with EFAULT`, `is done`."""
    if outcome.errno:
        return f"fails with {outcome.errno}"
    text = result_text(outcome.call, outcome.value, None)
    return "is done" if text == "done" else f"returns {text}"


@frozen
class Moment:
    """One frame on its way to a scene."""

    title: str
    snapshot: Snapshot
    step: Step | None = None


@frozen(eq=False)
class _Drawn:
    """The unmarked box of a row, and the ribbons of what stayed in it since before the call."""

    row: Row
    box: Box
    stays: tuple[Ribbon, ...]


class SceneFrames:
    """Makes the scenes of one outcome; what all frames share is worked out once."""

    def __init__(self, outcome: Outcome, scale: Scale | None, *, ends_only: bool) -> None:
        self.outcome = outcome
        self.before = outcome.before
        self.elsewhere: int | None = None
        after = self._with_elsewhere(outcome.after)
        frames: Sequence[Frame] = () if ends_only else outcome.frames
        if frames:
            self.moments = [Moment(_title(frame, len(frames)), frame.snapshot, frame.step) for frame in frames]
            self.moments[-1] = Moment(self.moments[-1].title, after, self.moments[-1].step)
        else:
            self.moments = [Moment("now", self.before), Moment("after", after)]
        value = outcome.value if outcome.value is not None else self.elsewhere if outcome.ok else None
        self.moves = moves_of(outcome, value)
        ranges = ranges_of(outcome.call, value)
        shown = {id(snapshot): snapshot for snapshot in (self.before, *(moment.snapshot for moment in self.moments))}
        self._rows: dict[int, Row] = {}  # frames share most of them
        for snapshot in shown.values():
            self._rows.update(zip(map(id, snapshot.rows), snapshot.rows, strict=True))
        self.areas = {(row.start, row.end) for row in self._rows.values()}
        self.edges = {edge for pair in ranges if pair is not None for edge in pair}
        self.areas |= {pair for pair in ranges if pair is not None}
        self.scale = scale or make_scale(self.areas, self.edges)
        self.marks = tuple(
            make_mark(kind, *pair, self.scale, self.elsewhere)
            for kind, pair in zip(("source", "target"), ranges, strict=True)
            if pair is not None and not (kind == "target" and pair == ranges[0])
        )
        few = not outcome.left_out and len(self.before) <= FEW  # nobody follows a letter through more
        given = outcome.letters.given() if outcome.letters is not None and few else None
        self.lineage = lineage_of(outcome, value, given)
        self._voids = frozenset(gaps_moved(outcome, self.moves))
        self._target = self._aims(ranges[1])
        self.meeting = Meeting(self.before.rows, self.lineage.names, *self._target, self.scale)
        self._waiting = {move.start: move for move in sorted((*self.moves, *self._voids), key=START)}
        self._places: tuple[Place, ...] = ()
        self._moved: list[Ribbon] = []
        self._travelled = False  # whether something did since the last frame
        self._forgotten = 0  # so many moves that are done are in what is known of rows
        # most frames change little: what is known of a row, by its identity
        self._plain: tuple[Box, ...] | None = None
        self._seams: dict[object, Seam] = {}
        self._joints: tuple[tuple[Box, ...] | None, tuple[Seam, ...], tuple[Tie, ...]] = None, (), ()
        self._known: dict[int, _Drawn] = {}
        self._gaps: dict[tuple[int, int], Gap] = {}

    def _aims(self, target: tuple[int, int] | None) -> tuple[tuple[int, int] | None, list[tuple[int, int]]]:
        """The bytes that the call may take for itself, and those of them where it puts something."""
        call = self.outcome.call
        if isinstance(call, Mremap) and target is not None and target[0] == call.addr:
            target = None  # it grew or shrank where it was
        elif target is not None:
            target = target[0], target[0] + page_align(target[1] - target[0])
        return target, arrivals(self.outcome, self.moves, target)

    def _with_elsewhere(self, after: Snapshot) -> Snapshot:
        """`after` with the rows that the kernel placed outside the arena."""
        other = self.outcome.elsewhere
        if not other:
            return after
        base = self.outcome.value
        if base is None:
            highest = max((row.end for row in (*self.before, *after)), default=0)
            base = self.elsewhere = (highest + ELSEWHERE_GAP) & -PAGE
        elif any(row.start == base for row in after):
            return after
        return Snapshot((*after.rows, *(_shifted(row, base) for row in other)))

    def scenes(self, *, last_only: bool = False) -> tuple[Scene, ...]:
        """All of them, in order."""
        legend = legend_of(self._rows.values(), self.moves, self.marks, self.scale)
        legend |= {place.kind for place in self._met()} | ({"gap"} if self._voids else set())
        if len(self.moments) > 2:
            legend |= {"changed", "cue"}
        names = self.lineage.names
        scale = self.scale
        first = Band(
            "before",
            tuple(make_box(f"b{key_of(row)}", names[i], row, scale) for i, row in enumerate(self.before.rows)),
            gaps_of(self.before.rows, scale, self.outcome.left_out, self._gaps),
            beyond=self.outcome.beyond,
            seams=seams_of(self.before.rows, names, scale),
            ties=ties_of(self.before.rows, names, scale),
        )
        title = f"{call_text(self.outcome.call)} {result_words(self.outcome)}"
        scenes: list[Scene] = []
        previous = self.before
        for index, moment in enumerate(self.moments):
            if moment.step is not None:
                self.lineage.follow(moment.step)
            elif index:
                self.lineage.finish()
            ended = index == len(self.moments) - 1
            changes = [] if moment.snapshot is previous else changes_between(previous.rows, moment.snapshot.rows)
            self._travel(moment, changes, ended=ended)
            if last_only and not ended:
                continue
            last = scenes[-1] if scenes else None
            band, ribbons = self._band(moment, previous, changes, last, mark=bool(index) and len(self.moments) > 2)
            marks = self.marks + self._cue(moment.step)
            scenes.append(
                Scene(title, self.scale, (first, band), ribbons, self._places, marks, legend, self.elsewhere)
            )  # fmt: skip
            previous = moment.snapshot
        return tuple(scenes)

    def _cue(self, step: Step | None) -> tuple[Mark, ...]:
        """The bytes that a step is about, where it names some."""
        values = step.values if step is not None else {}
        start, end = values.get("start"), values.get("end")
        if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= TOP):
            return ()
        if step is not None and named_in_pages(step):
            start, end = start << PAGE_SHIFT, end << PAGE_SHIFT
        x = self.scale.x(start)
        where_ = where(start, end, self.elsewhere)
        return (Mark("cue", start, end, x, self.scale.x(end) - x, f"the step is about {where_}"),)

    def _band(
        self, moment: Moment, previous: Snapshot, changes: list[Change], last: Scene | None, *, mark: bool
    ) -> tuple[Band, tuple[Ribbon, ...]]:  # fmt: skip
        lineage = self.lineage
        same = moment.snapshot is previous and last is not None
        marks = marked(changes) if mark else {}
        looked = looked_at(moment.step)
        fresh = lineage.done[self._forgotten :]
        if last is not None and same and self._plain is not None and not fresh and not self._travelled:
            # what is equal stays the same object, so that it is drawn once
            return self._shown(moment, self._plain, {}, looked, last.bands[1].gaps, ()), last.ribbons
        rows = moment.snapshot.rows
        for made in fresh:
            self._forget(made, rows)
        self._forgotten, self._travelled = len(lineage.done), False
        found = list(map(self._known.get, map(id, rows)))
        if None in found:
            for row in [row for row in rows if id(row) not in self._known]:
                self._known[id(row)] = self._row(row)
            found = list(map(self._known.get, map(id, rows)))
        self._plain = tuple(map(attrgetter("box"), found))
        ribbons = (*chain.from_iterable(map(attrgetter("stays"), found)), *self._moved)
        if last is not None and last.ribbons == ribbons:
            ribbons = last.ribbons
        gone = tuple(
            make_box(f"g{row.start:x}", lineage.name(row, lineage.of(row)[0]), row, self.scale, "removed")
            for row in (removed(changes, rows) if mark else ())
        )
        if same and last is not None:
            gaps = last.bands[1].gaps
        elif last is None:
            gaps = gaps_of(rows, self.scale, self.outcome.left_out, self._gaps)
        else:
            gaps = gaps_after(last.bands[1].gaps, changes, rows, self.scale, self.outcome.left_out, self._gaps)
        return self._shown(moment, self._plain, marks, looked, gaps, gone), ribbons

    def _shown(
        self, moment: Moment, boxes: tuple[Box, ...], marks: dict[int, str], looked: list[tuple[int, int]],
        gaps: tuple[Gap, ...], gone: tuple[Box, ...],
    ) -> Band:  # fmt: skip
        """The band of a frame: its boxes, with those marked that changed or were looked at."""
        signed, rows = list(boxes), moment.snapshot.rows
        places = {bisect_left(rows, start, key=START) for start in marks}
        for start, end in looked:
            first = max(bisect_right(rows, start, key=START) - 1, 0)
            places.update(range(first, bisect_left(rows, end, lo=first, key=START)))
        for place in sorted(places):
            row = rows[place]
            seen = any(a < row.end and row.start < b for a, b in looked)
            sign = marks.get(row.start, "")
            if seen or sign:
                words = box_words(boxes[place].name, row, sign, self.elsewhere)
                signed[place] = evolve(boxes[place], mark=sign, looked=seen, words=words)
        others = tuple(place for place in sorted(places) if signed[place] is not boxes[place])
        all_ = tuple(signed) if others else boxes
        if self._joints[0] is not boxes:  # the names may be others although the rows are the same
            names = [box.name for box in boxes]
            self._joints = boxes, seams_of(rows, names, self.scale, self._seams), ties_of(rows, names, self.scale)
        _, seams, ties = self._joints
        return Band(
            moment.title, all_, gaps, gone, self.elsewhere, self.outcome.beyond, boxes, others, seams, ties
        )  # fmt: skip

    def _forget(self, made: Move, rows: Sequence[Row]) -> None:
        """What was known of the rows that a move has reached.  O(log n + these)."""
        end = made.target + made.end - made.start
        first = bisect_right(rows, made.target, key=attrgetter("end"))
        for row in rows[first : bisect_left(rows, end, lo=first, key=START)]:
            self._known.pop(id(row), None)

    def _row(self, row: Row) -> _Drawn:
        """The unmarked box of `row`, and the ribbons of what stayed in it since before the call."""
        scale, lineage = self.scale, self.lineage
        origins, move = lineage.of(row)
        born = scale.x(row.start - move.target + move.start) if move is not None else None
        box = make_box(key_of(row), lineage.name(row, origins), row, scale, born=born, elsewhere=self.elsewhere)
        stays = []
        for origin in origins:
            old = self.before.rows[origin]
            start, end = max(old.start, row.start), min(old.end, row.end)
            if start < end and not lineage.in_target(start, end):
                x = scale.x(start)
                wide = scale.x(end) - x
                stays.append(Ribbon(f"s{start:x}", lineage.names[origin], x, x, wide, wide, None))
        return _Drawn(row, box, tuple(stays))

    def _travel(self, moment: Moment, changes: list[Change], *, ended: bool) -> None:
        """The bands of what travels in this frame, and what is met at the target."""
        going = [*self._waiting] if ended else travels(moment.step)
        rows = moment.snapshot.rows
        met = self.meeting.lose(changes, rows, ended=ended) if changes or ended else []
        for made in [self._waiting.pop(start) for start in going if start in self._waiting]:
            self._moved.append(self._ribbon(len(self._moved), made))
            self._travelled = True
            if made in self._voids:
                met += self.meeting.under(made, rows)
        if met:
            self._places = (*self._places, *met)

    def _met(self) -> list[Place]:
        """What the call has met at its target by its end."""
        rows = self.moments[-1].snapshot.rows
        meeting = Meeting(self.before.rows, self.lineage.names, *self._target, self.scale)
        lost = meeting.lose(changes_between(self.before.rows, rows), rows, ended=True)
        return lost + [place for gap in self._voids for place in meeting.under(gap, rows)]

    def _ribbon(self, index: int, made: Move) -> Ribbon:
        gap = made in self._voids
        scale, name = self.scale, "" if gap else self.lineage.name_at(made.start)
        x, to = scale.x(made.start), scale.x(made.target)
        wide, to_wide = scale.x(made.end) - x, scale.x(made.target + made.end - made.start) - to
        words = gap_ribbon_words(made, self.elsewhere) if gap else ribbon_words(name, made, self.elsewhere)
        return Ribbon(f"m{index}", name, x, to, wide, to_wide, made, words, gap, () if gap else self._cells(made))

    def _cells(self, made: Move) -> tuple[tuple[int, int, int, str], ...]:
        """The pages that travel with a move, as far as they are to be seen one by one."""
        row = self.before.at(made.start) if len(self.before) <= FEW else None
        found: list[tuple[int, int, int, str]] = []
        for run in row.runs if row is not None else ():
            for number in range(max(run.start, made.start >> PAGE_SHIFT), min(run.end, made.end >> PAGE_SHIFT)):
                if len(found) == MOST_CELLS:
                    return tuple(found)
                byte = number << PAGE_SHIFT
                x, to = self.scale.x(byte), self.scale.x(byte - made.start + made.target)
                wide = self.scale.x(byte + PAGE) - x
                if wide >= LEAST_CELL:
                    text = str(run.at(number)) if run.kind == "anon" and wide >= 30 else ""
                    found.append((x, to, wide, text))
        return tuple(found)


def _title(frame: Frame, count: int) -> str:
    if not frame.index:
        return "now"
    return "after" if frame.index == count - 1 else f"step {frame.index}"


def key_of(row: Row) -> str:
    return f"v{row.id}" if row.id is not None else f"v{row.start:x}"


def make_box(
    key: str, name: str, row: Row, scale: Scale, mark: str = "", looked: bool = False, born: int | None = None,
    elsewhere: int | None = None,
) -> Box:  # fmt: skip
    x = scale.x(row.start)
    return Box(key, name, row, x, scale.x(row.end) - x, box_words(name, row, mark, elsewhere), mark, looked, born)


def _shifted(row: Row, base: int) -> Row:
    pages = base // PAGE
    return evolve(row, start=row.start + base, end=row.end + base, runs=tuple(run.shift(pages) for run in row.runs))


def make_mark(kind: str, start: int, end: int, scale: Scale, elsewhere: int | None = None) -> Mark:
    x = scale.x(start)
    what = "range" if kind == "source" else "target"
    long = f" ({size(end - start)})" if end > start else ""
    return Mark(kind, start, end, x, scale.x(end) - x, f"{what}: {where(start, end, elsewhere)}{long}")
