"""Where a move begins and ends in the grid of 2 MiB, which is what decides how its entries travel, as SVG.

The scale is the same for every move, so that a longer one looks longer: eight blocks of 2 MiB, of longer ranges the
first ones and the last.
"""

from __future__ import annotations

from collections.abc import Iterator

from vmalab.linux.addr import PAGE, PMD_SIZE
from vmalab.machines.measure.price import Price
from vmalab.pictures.svgparts import escape, sized, text_width
from vmalab.words.costing import grid_words
from vmalab.words.wording import say, word

WIDTH = 720
BLOCK = PMD_SIZE // PAGE
"""Pages between two lines of the grid."""

LEFT, WIDE, SHOWN = 104, 74, 8
"""Where the grid begins, the pixels of a block, and how many of them are shown."""

FIRST = 5
"""So many blocks of a longer range stand before the fold."""

INSET = 7
"""Pixels by which what begins or ends beside a line of the grid is drawn beside it, however few pages that is."""

TOP, HIGH, BETWEEN = 22, 30, 26


def grid(price: Price) -> str:
    """Source and destination, one under the other, and for each block what of it moves how."""
    ends = [start + price.pages for start in (price.source, price.target)]
    count = max(-(-end // BLOCK) for end in ends)
    shown = [*range(SHOWN)] if count <= SHOWN else [*range(FIRST), *range(count - (SHOWN - FIRST) + 1, count)]
    at = {block: LEFT + WIDE * (place + (place >= FIRST and count > SHOWN)) for place, block in enumerate(shown)}
    right = LEFT + WIDE * SHOWN
    foot = TOP + 2 * HIGH + BETWEEN
    lines = {x for left in at.values() for x in (left, left + WIDE)}
    out = [f'<path class="l" d="{"".join(f"M{x} {TOP - 6}V{foot + 6}" for x in sorted(lines))}"/>']
    for block, x in at.items():
        out.append(f'<text class="q c" x="{x}" y="{TOP - 10}">{_mark(block)}</text>')
    for number, start in enumerate((price.source, price.target)):
        y = TOP + number * (HIGH + BETWEEN)
        out.append(f'<text class="h" x="4" y="{y + 19}">{escape(word("cost", ("from", "to")[number]))}</text>')
        out += _range(price, start, at, y)
        if count > SHOWN:
            x = LEFT + WIDE * FIRST + WIDE // 2
            out.append(f'<path class="z" d="M{x - 8} {y + 7}l5 8l-5 8m9 -16l5 8l-5 8"/>')
    out.append(f'<text class="q e" x="{right}" y="{foot + 22}">{escape(word("cost", "grid_axis"))}</text>')
    return (
        f'<svg class="vml-pic" viewBox="0 0 {WIDTH} {foot + 28}" style="{sized(WIDTH)}" role="img"'
        f' aria-label="{escape(grid_words(price))}">{"".join(out)}</svg>'
    )


def _mark(block: int) -> str:
    return f"{block * 2} MiB" if block % 512 or not block else f"{block // 512} GiB"


def _range(price: Price, start: int, at: dict[int, int], y: int) -> Iterator[str]:
    """The pieces of a range, block by block."""
    for block, x in at.items():
        low, high = max(start, block * BLOCK), min(start + price.pages, (block + 1) * BLOCK)
        if low >= high:
            continue
        left, right = x + _inside(low - block * BLOCK), x + _inside(high - block * BLOCK)
        whole = moves_whole(price, low - start, low, high)
        said = piece(price, low - start, high - low, whole)
        style = "rw ch" if whole else "rw"
        label = said if text_width(said, 11) <= right - left - 4 else ""
        yield (
            f'<g class="{style}"><title>{escape(said or word("cost", "empty"))}</title>'
            f'<rect class="b" x="{left}" y="{y}" width="{max(right - left, 3)}" height="{HIGH}" rx="2"/>'
            f'<text class="c" x="{(left + right) // 2}" y="{y + 19}">{escape(label)}</text></g>'
        )


def _inside(pages: int) -> int:
    if pages in (0, BLOCK):
        return WIDE * pages // BLOCK
    return min(max(round(WIDE * pages / BLOCK), INSET), WIDE - INSET)


def moves_whole(price: Price, offset: int, low: int, high: int) -> bool:
    """Whether the pages [low, high) of a block, so many pages after the range begins, move with one entry above them.

    What begins beside a line of the grid does so too if it reaches the next one: nothing else lies in that block.
    Source: try_realign_addr() in mm/mremap.c.
    """
    reaches = high % BLOCK == 0 and (low % BLOCK == 0 or offset == 0)
    return reaches and price.entries.pmd + price.entries.pud > 0


def piece(price: Price, offset: int, pages: int, whole: bool) -> str:
    """What moves of a piece that begins so many pages after the range does."""
    if price.present == "none":
        return ""
    if whole:
        return word("cost", "by_pud" if price.entries.pud else "by_pmd")
    if price.present == "sparse":
        pages = len(range(-(-offset // BLOCK) * BLOCK, offset + pages, BLOCK))
    return say("cost", "by_pte", count=pages) if pages else ""
