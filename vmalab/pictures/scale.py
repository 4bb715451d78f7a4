"""The folded address line: byte addresses to whole pixels, to scale, with the long stretches folded.

A `Scale` is made once for everything that is to be compared (before and after, all frames of an outcome, two
machines), so that the same address lies at the same place in all of them.  Knows nothing of VMAs or of SVG.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

from attrs import define, field, frozen

from vmalab.linux.addr import PAGE

WIDTH = 720
"""Pixels for the address line, unless there are so many edges that it must be wider."""

BESIDE = 516
"""The same for a picture that stands beside another one."""

FOLD_FREE, FOLD_USED = 60, 72
"""Pixels of a folded stretch: free, and inside a VMA."""

LEAST = 5
"""No stretch is narrower (pixels), however short it is beside the others."""

ENOUGH = 24
"""Pixels a page that are good to look at: free stretches are folded until this is reached."""

MOST = 72
"""Pixels a page at most: a space of two pages does not fill the line."""

TOO_THIN = 6


@frozen
class Stretch:
    """The bytes [start, end) between two neighbouring edges, drawn from pixel `x`, `width` wide.

    `used`: some VMA lies there.  `folded`: it is drawn shorter than the scale says, with a break mark.
    """

    start: int
    end: int
    x: int
    width: int
    used: bool
    folded: bool


@define
class Scale:
    """Addresses to pixels and back, piecewise linear."""

    stretches: tuple[Stretch, ...]
    width: int
    per_page: float
    """Pixels of one page where nothing is folded."""
    enlarged: bool
    """Whether some short stretch had to be drawn wider than the scale says."""
    _edges: dict[int, int] = field(init=False, factory=dict)
    _starts: list[int] = field(init=False, factory=list)
    _folded: tuple[Stretch, ...] = field(init=False, default=())

    def __attrs_post_init__(self) -> None:
        for stretch in self.stretches:
            self._edges[stretch.start] = stretch.x
            self._edges[stretch.end] = stretch.x + stretch.width
            self._starts.append(stretch.start)
        self._folded = tuple(stretch for stretch in self.stretches if stretch.folded)

    def x(self, address: int) -> int:
        """The pixel of byte `address`; addresses beyond the ends lie at the ends.  O(1) at an edge, else O(log n)."""
        at = self._edges.get(address)
        if at is not None:
            return at
        if not self.stretches:
            return 0
        stretch = self.stretches[max(bisect_right(self._starts, address) - 1, 0)]
        done = min(max(address - stretch.start, 0), stretch.end - stretch.start)
        return stretch.x + round(stretch.width * done / (stretch.end - stretch.start))

    def folds(self, start: int, end: int) -> list[Stretch]:
        """The folded stretches inside [start, end)."""
        return [stretch for stretch in self._folded if start <= stretch.start and stretch.end <= end]


def make_scale(
    areas: Iterable[tuple[int, int]], edges: Iterable[int] = (), *, window: tuple[int, int] | None = None,
    width: int = WIDTH, fold_free: int = FOLD_FREE,
) -> Scale:  # fmt: skip
    """A scale for `areas` (the bytes [start, end) of all VMAs to be shown), with further `edges` to be on it.

    Free stretches inside `window` are not folded; others become `fold_free` pixels wide.  Deterministic; O(n log n).

    >>> scale = make_scale([(0, 2 * PAGE), (1000 * PAGE, 1002 * PAGE)])
    >>> [(s.x, s.width, s.folded) for s in scale.stretches]
    [(12, 144, False), (156, 60, True), (216, 144, False)]
    """
    areas = set(areas)
    points = {edge for area in areas for edge in area} | set(edges) | set(window or ())
    line = sorted(points)
    if len(line) < 2:
        return Scale((), width, float(MOST), False)
    used = _covered(line, areas)
    lengths = [(b - a) / PAGE for a, b in pairwise(line)]
    kept = [bool(window) and window[0] <= a < window[1] for a in line[:-1]] if window else [False] * len(lengths)
    margin = 12
    room = max(width - 2 * margin, LEAST * len(lengths))
    folded = _choose_folds(lengths, used, kept, room, fold_free)
    widths, per_page, enlarged = _widths(lengths, used, folded, room, fold_free)
    stretches, x = [], float(margin)
    for i, wide in enumerate(widths):
        left, right = round(x), round(x + wide)
        stretches.append(Stretch(line[i], line[i + 1], left, right - left, used[i], folded[i]))
        x += wide
    return Scale(tuple(stretches), max(width, round(x) + margin), per_page, enlarged)


def _covered(line: Sequence[int], areas: Iterable[tuple[int, int]]) -> list[bool]:
    depth: dict[int, int] = {}
    for start, end in areas:
        if start < end:
            depth[start] = depth.get(start, 0) + 1
            depth[end] = depth.get(end, 0) - 1
    covered, level = [], 0
    for point in line[:-1]:
        level += depth.get(point, 0)
        covered.append(level > 0)
    return covered


def _choose_folds(lengths: list[float], used: list[bool], kept: list[bool], room: float, fold_free: int) -> list[bool]:
    """Which stretches to fold: the longest first, and only while that makes the rest easier to see."""
    folded = [False] * len(lengths)
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    thinnest = min((length for length, on in zip(lengths, used, strict=True) if on), default=min(lengths))
    rest, taken = sum(lengths), 0
    again = True
    while again:
        again = False
        per_page = min((room - taken) / rest, MOST) if rest else MOST
        for i in order:
            if folded[i] or kept[i]:
                continue
            wide = per_page * lengths[i]
            if used[i]:
                fold = wide > 3 * FOLD_USED and thinnest * per_page < TOO_THIN
            else:
                fold = wide > 1.5 * fold_free and per_page < ENOUGH
            cost = FOLD_USED if used[i] else fold_free
            if fold and taken + cost < room / 2:
                folded[i] = again = True
                taken += cost
                rest -= lengths[i]
                per_page = min((room - taken) / rest, MOST) if rest else MOST
    return folded


def _widths(
    lengths: list[float], used: list[bool], folded: list[bool], room: float, fold_free: int
) -> tuple[list[float], float, bool]:
    """The width of every stretch: linear, but not under LEAST; with the pixels a page, and whether LEAST was needed."""
    room -= sum(FOLD_USED if on else fold_free for on, fold in zip(used, folded, strict=True) if fold)
    straight = sorted(length for length, fold in zip(lengths, folded, strict=True) if not fold)
    least = min(LEAST, room / len(straight)) if straight else LEAST
    rest, per_page, short = sum(straight), float(MOST), 0
    for short, length in enumerate(straight):
        per_page = min((room - least * short) / rest, MOST)
        if per_page * length >= least:
            break
        rest -= length
    widths = [
        (FOLD_USED if on else fold_free) if fold else max(length * per_page, least)
        for length, on, fold in zip(lengths, used, folded, strict=True)
    ]
    return widths, per_page, short > 0
