"""Half-open ranges of numbers (bytes, pages, entries): joined, and taken out of one another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Ranges = list[tuple[int, int]]


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """`ranges`, which come in order, with those that touch joined."""
    found: Ranges = []
    for start, end in ranges:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def without(ranges: Sequence[tuple[int, int]], other: Sequence[tuple[int, int]]) -> Ranges:
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
