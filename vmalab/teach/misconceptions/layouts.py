"""Address spaces as somebody would draw them: rows cut, moved, put down and joined, without any kernel.

Pure functions on rows; addresses in bytes.  Each is O(rows).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import evolve

from vmalab.linux.addr import PAGE_SHIFT
from vmalab.machines.outcome import Row, Snapshot

Rows = tuple[Row, ...]


def clip(rows: Iterable[Row], start: int, end: int) -> Rows:
    """The parts of `rows` in [start, end)."""
    return tuple(
        _part(row, max(row.start, start), min(row.end, end)) for row in rows if row.start < end and start < row.end
    )


def without(rows: Iterable[Row], start: int, end: int) -> Rows:
    """`rows` with nothing in [start, end)."""
    found: list[Row] = []
    for row in rows:
        if row.end <= start or end <= row.start:
            found.append(row)
            continue
        if row.start < start:
            found.append(_part(row, row.start, start))
        if end < row.end:
            found.append(_part(row, end, row.end))
    return tuple(found)


def shifted(rows: Iterable[Row], distance: int) -> Rows:
    """`rows`, each `distance` bytes further on, with its pages."""
    pages = distance >> PAGE_SHIFT
    return tuple(
        evolve(
            row, start=row.start + distance, end=row.end + distance, runs=tuple(run.shift(pages) for run in row.runs)
        )
        for row in rows
    )


def put(rows: Iterable[Row], new: Sequence[Row]) -> Rows:
    """`rows` with the rows `new` put down over them."""
    found = tuple(rows)
    for row in new:
        found = (*without(found, row.start, row.end), row)
    return tuple(sorted(found, key=lambda row: row.start))


def refilled(rows: Iterable[Row], start: int, end: int, pages_of: Iterable[Row] = ()) -> Rows:
    """`rows` with other pages present in [start, end): those that the rows `pages_of` have there."""
    new = [run for row in clip(pages_of, start, end) for run in row.runs]
    found = []
    for row in rows:
        low, high = row.start >> PAGE_SHIFT, row.end >> PAGE_SHIFT
        kept = [run for part in without((row,), start, end) for run in part.runs]
        runs = kept + [run.clip(low, high) for run in new if run.start < high and low < run.end]
        found.append(evolve(row, runs=tuple(sorted(runs, key=lambda run: run.start))))
    return tuple(found)


def joined(rows: Iterable[Row]) -> Rows:
    """`rows` with neighbours that look alike made one, whatever keeps them apart."""
    found: list[Row] = []
    for row in rows:
        before = found[-1] if found else None
        if (
            before is not None
            and before.end == row.start
            and (before.perms, before.backing) == (row.perms, row.backing)
        ):
            found[-1] = evolve(before, end=row.end, runs=(*before.runs, *row.runs))
        else:
            found.append(row)
    return tuple(found)


def cut(rows: Iterable[Row], *edges: int) -> Rows:
    """`rows` split at each of the byte addresses `edges` that lies inside one."""
    found = tuple(rows)
    for edge in edges:
        found = tuple(
            part
            for row in found
            for part in (
                (_part(row, row.start, edge), _part(row, edge, row.end)) if row.start < edge < row.end else (row,)
            )
        )
    return found


def shape(rows: Snapshot | Iterable[Row]) -> tuple[tuple[int, int, str, str | None], ...]:
    """What a drawing says: where each VMA is, its permissions and what backs it."""
    return tuple((row.start, row.end, row.perms, row.backing) for row in rows)


def outline(rows: Snapshot | Iterable[Row]) -> tuple[tuple[int, int, str], ...]:
    """What of a drawing is compared: where each VMA is, and what may be done to it (`rw-`)."""
    return tuple((row.start, row.end, row.perms[:3]) for row in rows)


def _part(row: Row, start: int, end: int) -> Row:
    if (start, end) == (row.start, row.end):
        return row
    first, last = start >> PAGE_SHIFT, end >> PAGE_SHIFT
    runs = tuple(run.clip(first, last) for run in row.runs if run.start < last and first < run.end)
    pgoff = None if row.pgoff is None else row.pgoff + ((start - row.start) >> PAGE_SHIFT)
    return evolve(row, start=start, end=end, runs=runs, pgoff=pgoff)
