"""What lies between two bands as SVG: the ways of what stayed and of what moved, gaps included, and what a move met.

On the picture's scale; `vmalab.pictures.svg` puts it between the bands.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from vmalab.pictures.groups import GROUP, Groups, Part
from vmalab.pictures.sceneparts import Place, Ribbon, Scene
from vmalab.pictures.svgparts import LEFT, escape, text_width
from vmalab.programs.calltext import size

MANY = 12
"""More ways than these are drawn thinner."""

FLAG = 20
"""Room over the boxes of a player for what happened to them in a step (pixels)."""

LEAST = 9
"""What was met on fewer pixels has its count in the tooltip alone."""

TAB = 15
"""Height of the line over a band that says what was met there (pixels)."""


def ribbons(scene: Scene, above: int, below: int, drawn: dict[Any, Any]) -> list[list[Part]]:
    """The parts of all ribbons: what stayed, in one part for `GROUP` VMAs before the call, and each move."""
    found = scene.ribbons
    first = bisect_left(found, True, key=lambda ribbon: ribbon.move is not None)  # those that stayed come first
    edges = [box.x for box in scene.bands[0].boxes[GROUP::GROUP]]
    cuts = [0, *(bisect_left(found, x, hi=first, key=lambda ribbon: ribbon.x) for x in edges), first]
    stays = [
        _stay(f"stay{number or ''}", found[start:stop], above, below, drawn)
        for number, (start, stop) in enumerate(pairwise(cuts))
    ]
    thin = " th" if len(found) - first > MANY else ""

    def move(ribbon: Ribbon) -> Part:
        return ribbon.key, _gap(ribbon, above, below, bool(thin)) if ribbon.gap else _move(ribbon, above, below, thin)

    return [stays, *drawn.setdefault(("moved", thin), Groups()).of(found[first:], move)]


def _stay(key: str, ribbons: Sequence[Ribbon], above: int, below: int, drawn: dict[Any, Any]) -> Part:
    known: tuple[Sequence[Ribbon], Part] | None = drawn.get(key)
    if known is None or known[0] != ribbons:
        path = "".join(f"M{LEFT + ribbon.x} {above + 2}V{below - 2}h{ribbon.width}V{above + 2}z" for ribbon in ribbons)
        known = drawn[key] = ribbons, (key, f'<g data-k="{key}"><path class="st" d="{path}"/></g>')
    return known[1]


def _path(ribbon: Ribbon, above: int, below: int) -> tuple[str, int, int, int]:
    """The outline of a way, the pixel in the middle of it, and how wide it is above and below."""
    bend, top, foot = (above + below) // 2, above + 2, below - 2
    a, b = LEFT + ribbon.x, LEFT + ribbon.x + max(ribbon.width, 1)
    c, d = LEFT + ribbon.to, LEFT + ribbon.to + max(ribbon.to_width, 1)
    outline = f"M{a} {top}C{a} {bend} {c} {bend} {c} {foot}H{d}C{d} {bend} {b} {bend} {b} {top}z"
    return outline, (a + b + c + d) // 4, b - a, d - c


def _move(ribbon: Ribbon, above: int, below: int, thin: str) -> str:
    assert ribbon.move is not None
    path, middle, wide, to_wide = _path(ribbon, above, below)
    kept = " ko" if ribbon.move.kept else ""
    word = ""
    if min(wide, to_wide) >= 10:
        word = f'<text class="n" x="{middle}" y="{(above + below) // 2 + 4}">{escape(ribbon.name)}</text>'
    drawn = f'<title>{escape(ribbon.words)}</title><path class="mv{kept}{thin}" d="{path}"/>{word}'
    cells = ""
    if ribbon.cells:  # what flies along when the way appears: from and to which pixel, how wide, what the page holds
        flights = ";".join(f"{LEFT + x},{LEFT + to},{wide},{text}" for x, to, wide, text in ribbon.cells)
        cells = f' data-cells="{escape(flights)}" data-way="{above},{below}"'
    return f'<g data-k="{ribbon.key}"{cells}>{drawn}</g>'


def _gap(ribbon: Ribbon, above: int, below: int, thin: bool) -> str:
    """A gap that moved along: hatched, and said on its way where there is room."""
    path, middle, wide, to_wide = _path(ribbon, above, below)
    if thin:  # nobody can point at one of so many
        return f'<g data-k="{ribbon.key}"><path class="gp th" fill="url(#vml-uid-gap)" d="{path}"/></g>'
    word = ""
    if min(wide, to_wide) >= 12:
        word = f'<text class="gw" x="{middle}" y="{(above + below) // 2 + 4}">gap</text>'
    return (
        f'<g data-k="{ribbon.key}"><title>{escape(ribbon.words)}</title>'
        f'<path class="gp" fill="url(#vml-uid-gap)" d="{path}"/>{word}</g>'
    )


# --- what was met ---

STYLES = {"lost": "lo", "survived": "su", "empty": "em"}
DONE = {"lost": "lost", "survived": "survived"}


def places(scene: Scene, top: int, height: int, drawn: dict[Any, Any], above: int = 0) -> list[list[Part]]:
    """What was met at the target, over the band that begins at `top` and so many pixels `above` it; an empty place in
    the band itself."""
    groups: Groups = drawn.setdefault("places", Groups())
    lift = above + (FLAG if "changed" in scene.legend else 0)  # above what the boxes say of the step
    return groups.of(scene.places, lambda place: _place(place, top, height, lift))


def _place(place: Place, top: int, height: int, lift: int) -> Part:
    x, wide, style = LEFT + place.x, max(place.width, 2), STYLES[place.kind]
    key = f"{style}{place.start:x}"
    if place.kind == "empty":
        shape = f'<rect class="em" x="{x + 1}" y="{top + 1}" width="{max(wide - 2, 1)}" height="{height - 2}"/>'
        lines = _fitting(wide, ("maps nothing",), ("maps", "nothing"))
        style, foot = "t", top + height // 2 + 4
    else:
        # a line, or two where one would be too long: always above the edge of the band
        long, short = size(place.end - place.start), f"{'−' if place.kind == 'lost' else ''}{_pages(place)}"
        name, done = place.name, DONE[place.kind]
        lines = _fitting(wide, (f"{name}: {long} {done}",), (f"{name}: {long}", done), (f"{name} {short}",), (short,))
        if not lines and wide >= LEAST:
            lines = (short,)  # what happened to a narrow one is said all the same
        tall = TAB + 11 * (max(len(lines), 1) - 1)
        shape = f'<rect class="{style}" x="{x}" y="{top - 3 - lift - tall}" width="{wide}" height="{tall}" rx="2"/>'
        style, foot = f"{style}t", top - 7 - lift
    words = "".join(
        f'<text class="{style}" x="{x + wide // 2}" y="{foot - 11 * (len(lines) - 1 - number)}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    title = f"{WHOLE[place.kind]}: {place.words}"
    return key, f'<g data-k="{key}"><title>{escape(title)}</title>{shape}{words}</g>'


WHOLE = {
    "lost": "lost at the target",
    "survived": "survived under the moved gap",
    "empty": "the moved gap maps nothing",
}


def _pages(place: Place) -> str:
    return size(place.end - place.start).removesuffix(" page").removesuffix(" pages")


def _fitting(wide: int, *forms: tuple[str, ...]) -> tuple[str, ...]:
    """The first of `forms` whose lines all fit into `wide` pixels; none if not even the last does."""
    return next((form for form in forms if all(text_width(line, 11) <= wide - 3 for line in form)), ())
