"""Where things lie in a picture that is dragged in: its scale, and places for the pointer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vmalab.linux.addr import ARENA_BASE, PAGE
from vmalab.machines.lineage import names_of
from vmalab.machines.outcome import Row, Snapshot
from vmalab.pictures.scale import WIDTH, Scale, make_scale
from vmalab.pictures.sceneframes import key_of
from vmalab.pictures.sceneparts import access
from vmalab.pictures.svg import BAND, LANE, LANE_GAP, tops_of
from vmalab.pictures.svgparts import LEFT
from vmalab.programs.calltext import page_number

UNFOLDED = 54
"""Up to this many pages the picture has no folded gap, so that every page can be hit with the mouse."""

ROOMY = 16
"""Nor where a picture is so wide that each page has so many pixels."""

WIDE_FOLD = 130
"""Pixels of a folded gap here."""

TICK = 8
"""Pages between the ticks where nothing is folded."""


def scale_for_dragging(rows: Sequence[Row], window: int, width: int = WIDTH) -> Scale:
    """A scale with free room to drag in, `width` pixels wide; a gap that must be folded stays wide enough to aim at."""
    ends = [(row.end - ARENA_BASE) // PAGE for row in rows if page_number(row.end) is not None]
    last = max(ends, default=0)
    pages = max(window, last + 8)
    edge = ARENA_BASE + pages * PAGE
    areas = [(row.start, row.end) for row in rows]
    if pages <= max(UNFOLDED, width // ROOMY):
        every = range(ARENA_BASE, edge, TICK * PAGE)  # ticks to aim by
        return make_scale(areas, every, window=(ARENA_BASE, edge), width=width)
    return make_scale(areas, (ARENA_BASE, edge), width=width, fold_free=WIDE_FOLD)


def geometry_of(scale: Scale, bands: int = 1) -> dict[str, Any]:
    """Where things lie in the picture (pixels), and the scale as [first page, last page, x, width] for the pointer."""
    top = tops_of(bands, source=True, lanes=True)[-1]
    return {
        "left": LEFT, "top": top, "band": BAND, "lane": top + BAND + LANE_GAP, "laneHeight": LANE,
        "stretches": [[pages_of(s.start), pages_of(s.end), s.x + LEFT, s.width] for s in scale.stretches],
    }  # fmt: skip


def vmas_of(snapshot: Snapshot) -> list[list[Any]]:
    """For the pointer: [key in the picture, first page, page behind the last, name, by what it is coloured]."""
    return [
        [key_of(row), pages_of(row.start), pages_of(row.end), name, access(row.perms)]
        for row, name in zip(snapshot, names_of(snapshot), strict=True)
    ]


def pages_of(byte: int) -> float:
    """Byte address as a (fraction of a) page of the arena: small enough for a JavaScript number."""
    whole, rest = divmod(byte - ARENA_BASE, PAGE)
    return whole + rest / PAGE if rest else whole


def page_text(page: int) -> str:
    """The field text for a page that was pointed at; pages below the arena have only an address."""
    return str(page) if page >= 0 else f"{ARENA_BASE + page * PAGE:#x}"
