"""The free addresses of a band: all of them, or those that a frame has others than the frame before."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from vmalab.machines.outcome import LeftOut, Row
from vmalab.pictures.changes import START, Change
from vmalab.pictures.scale import Scale
from vmalab.pictures.sceneparts import Gap


def gaps_of(
    rows: Iterable[Row], scale: Scale, left_out: Sequence[LeftOut] = (),
    known: dict[tuple[int, int], Gap] | None = None, within: tuple[int, int] | None = None,
) -> tuple[Gap, ...]:  # fmt: skip
    """The free stretches between the VMAs, and before and after them as far as the line goes; `left_out`: what lies in
    some of them and is not shown.  `known`: gaps on this scale that were made before, by their bytes.  `within`: only
    from this byte to that one."""
    if not scale.stretches:
        return ()
    known = {} if known is None else known
    position, stop = within or (scale.stretches[0].start, scale.stretches[-1].end)
    found = []
    for start, end in (*((row.start, row.end) for row in rows), (stop, stop)):
        if position < start:
            gap = known.get((position, start))
            if gap is None:
                x = scale.x(position)
                hidden = sum(out.count for out in left_out if position <= out.start < start)
                gap = Gap(position, start, x, scale.x(start) - x, bool(scale.folds(position, start)), hidden)
                known[position, start] = gap
            found.append(gap)
        position = max(position, end)
    return tuple(found)


def gaps_after(
    gaps: tuple[Gap, ...], changes: Iterable[Change], rows: tuple[Row, ...], scale: Scale,
    left_out: Sequence[LeftOut], known: dict[tuple[int, int], Gap],
) -> tuple[Gap, ...]:  # fmt: skip
    """The gaps between `rows`, where those before the changes are known.  O(changes · log n), and n references."""
    if not gaps and not rows:
        return ()
    for change in changes:
        start, stop = change.place, change.place + len(change.now)
        low = rows[start - 1].end if start else scale.stretches[0].start
        high = rows[stop].start if stop < len(rows) else scale.stretches[-1].end
        made = gaps_of(change.now, scale, left_out, known, (low, high))
        gaps = (*gaps[: bisect_left(gaps, low, key=START)], *made, *gaps[bisect_left(gaps, high, key=START) :])
    return gaps
