"""The page-table entries of `vmalab.pictures.entries` as SVG: a line of bars for each level, on the scale of the
VMAs above.

In parts like every picture (`vmalab.pictures.svg`), so that the player patches it from step to step.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from vmalab.pictures.entries import SIGNS, Bar, Level, Tables
from vmalab.pictures.groups import Groups, Part
from vmalab.pictures.svg import Drawing
from vmalab.pictures.svgparts import LEFT, RIGHT, escape, sized, text_width

LINE, HIGH, TOP = 42, 22, 8
"""Height of a level with its words, of its bars, and the room above (pixels)."""


def draw_tables(tables: Sequence[Tables]) -> list[Drawing]:
    """The picture of each moment; all have the size of the first one."""
    drawn: dict[int, Drawing] = {}
    bars: dict[str, Groups] = {}
    return [drawn[id(one)] if id(one) in drawn else drawn.setdefault(id(one), _draw(one, bars)) for one in tables]


def _draw(tables: Tables, drawn: dict[str, Groups]) -> Drawing:
    """`drawn`: the bars of each level in the picture before."""
    width, height = LEFT + tables.scale.width + RIGHT, TOP + LINE * len(tables.levels) + 20
    head = (
        f'<svg class="vml-pic" viewBox="0 0 {width} {height}" style="{sized(width)}"'
        ' role="img" aria-label="Page-table entries">'
    )
    groups: list[Sequence[Part]] = []
    for number, level in enumerate(tables.levels):
        top = TOP + number * LINE
        groups.append([(level.name, _title(level, top, tables.scale.width))])
        groups += drawn.setdefault(level.name, Groups()).of(level.bars, partial(_bar, level.name, top))
    return Drawing(head, tuple(groups), _legend(TOP + LINE * len(tables.levels)) + "</svg>", width, height)


def _title(level: Level, top: int, width: int) -> str:
    moved = f'<text class="srct" x="4" y="{top + 35}">{level.moved} moved</text>'
    if level.moved is None:
        used = f"{level.huge} of {level.in_use} huge" if level.huge else f"{level.in_use} in use"
        moved = f'<text class="q" x="4" y="{top + 35}">{used}</text>'
    return (
        f'<g data-k="{level.name}"><text class="h" x="4" y="{top + 9}">{level.name}</text>'
        f'<text class="q" x="4" y="{top + 22}">{level.covers} each</text>{moved}'
        f'<path class="l" stroke-dasharray="1 4" d="M{LEFT} {top + HIGH // 2}h{width}"/></g>'
    )


def _bar(name: str, top: int, bar: Bar) -> Part:
    key = f"{name}{bar.mark}{bar.start:x}"
    width = max(bar.width, 2)
    style = {"": "rw", "new": "rw ch", "gone": "gone"}[bar.mark]
    gone = ": no longer in use" if bar.mark == "gone" else ""
    label = f"{SIGNS[bar.mark]}{bar.count}"
    word = ""
    if text_width(label, 11) <= width - 4:
        word = f'<text class="c" x="{LEFT + bar.x + width // 2}" y="{top + 15}">{label}</text>'
    elif bar.mark:
        word = f'<text class="c" x="{LEFT + bar.x + width // 2}" y="{top + HIGH + 11}">{SIGNS[bar.mark]}</text>'
    return key, (
        f'<g data-k="{key}" class="{style}"><title>{escape(f"{name} of {bar.words()}{gone}")}</title>'
        f'<rect class="b" x="{LEFT + bar.x}" y="{top}" width="{width}" height="{HIGH}" rx="2"/>{word}</g>'
    )


def _legend(top: int) -> str:
    words = f"number: how many entries · {SIGNS['new']} new in this step · {SIGNS['gone']} no longer in use after it"
    return f'<text class="q" x="{LEFT}" y="{top + 12}" aria-hidden="true">{words}</text>'
