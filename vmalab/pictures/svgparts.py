"""The furniture of a picture: patterns, the axis with its ticks, the legend.  `vmalab.pictures.svg` draws what is
inside."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from html import escape as _escape

from vmalab.pictures.badges import BADGES
from vmalab.pictures.scale import Scale
from vmalab.programs.calltext import page_number

LEFT, RIGHT = 78, 14
"""Room beside the address line: for the bands' titles, and so that the last tick is not cut off."""

ROOFS = {
    "shmem": '<circle cx="2" cy="2" r="1.3"/><circle cx="5.5" cy="5.5" r="1.3"/>',
    "file": '<path d="M-1 8L8 -1M-1 1L1 -1M6 8L8 6" stroke-width="1.6"/>',
    "zero": '<path d="M2 0V7M5.5 0V7" stroke-width="1.4"/>',
}
"""The pattern along the top of a VMA, by what is behind it.  Private anonymous memory has none."""

LEGEND = (
    ("perm rw", "rw: may be written"),
    ("perm r", "r: read only"),
    ("perm x", "x: executable"),
    ("perm no", "---: no access"),
    ("back shmem", "shared anonymous"),
    ("back file", "file"),
    ("back zero", "/dev/zero"),
    ("page anon", "page present"),
    ("page unread", "page present"),
    ("page file", "page of the file"),
    ("page zero", "zero page"),
    ("page guard", "guard"),
    ("absent", "not present"),
    *((f"badge {code}", name) for code, name in BADGES.items()),
    ("badge gu", "guard"),
    ("moved", "moved"),
    ("gap", "moved gap: maps nothing"),
    ("empty", "maps nothing"),
    ("lost", "lost at the target"),
    ("survived", "survived under it"),
    ("source", "range"),
    ("target", "target"),
    ("changed", "changed"),
    ("cue", "subject of the step"),
    ("folded", "folded"),
    ("enlarged", "short stretches drawn wider"),
)
FURNITURE = tuple(key for key, _ in LEGEND)

_NARROW, _WIDE = frozenset("iljt.,:;'|!()[] f"), frozenset("mwMW—")


_SPECIAL = re.compile("[&<>\"']").search


def escape(text: str) -> str:
    """`text` for use between tags and in attributes; most needs nothing, and looking is quicker than replacing."""
    return _escape(text) if _SPECIAL(text) else text


@lru_cache(maxsize=8192)
def text_width(text: str, points: int) -> float:
    """About how wide `text` is in a sans-serif font of `points` pixels: enough to keep labels apart."""
    narrow = wide = 0
    for char in text:
        if char in _NARROW:
            narrow += 1
        elif char in _WIDE:
            wide += 1
    return points * (0.6 * (len(text) - narrow - wide) + 0.34 * narrow + 0.9 * wide)


def sized(width: int, most: int = 1200) -> str:
    """How wide a picture of `width` pixels is shown: never smaller than it was drawn, so that its words can be read (11
    pixels at least); where there is less room it is scrolled."""
    return f"min-width:{width}px;max-width:{max(width, most)}px"


def defs(uid: str, seen: frozenset[str]) -> str:
    """The patterns that the picture uses."""
    used = [
        f'<pattern id="{uid}-{name}" width="7" height="7" patternUnits="userSpaceOnUse" fill="var(--vml-text)" '
        f'stroke="var(--vml-text)" stroke-width="0">{drawing}</pattern>'
        for name, drawing in ROOFS.items()
        if f"back {name}" in seen
    ]
    if "gap" in seen:
        used.append(
            f'<pattern id="{uid}-gap" width="6" height="6" patternUnits="userSpaceOnUse" '
            'patternTransform="rotate(45)"><path d="M0 0V6" stroke="var(--vml-accent)" stroke-width="1.6"/></pattern>'
        )
    return f"<defs>{''.join(used)}</defs>" if used else ""


def ticks(scale: Scale, top: int, axis: int, elsewhere: int | None) -> str:
    """The axis: a tick at every edge, with as many page numbers (and, hidden, hex addresses) as there is room for."""
    if not scale.stretches:
        return ""
    edges = [(stretch.x, stretch.start) for stretch in scale.stretches]
    last = scale.stretches[-1]
    edges.append((last.x + last.width, last.end))
    small = "".join(f"M{LEFT + x} {axis}v4" for x, _ in edges)
    out = [f'<path class="l" d="M{LEFT} {axis}h{scale.width}{small}"/>']
    shown = _spread(scale, edges, lambda address: _tick(address, elsewhere), 11)
    guides = "".join(f"M{LEFT + x} {top}V{axis}" for x, _, _ in shown)
    out.insert(0, f'<path class="g" d="{guides}"/>')
    out.append(_labels("pg", shown, axis))
    out.append(_labels("hx", _spread(scale, edges, hex, 12), axis))
    return (
        "".join(out)
        + f'<text class="q pg" x="4" y="{axis + 14}">page</text><text class="q hx" x="4" y="{axis + 14}">address</text>'
    )


def _tick(address: int, elsewhere: int | None) -> str:
    if elsewhere is not None and address >= elsewhere:
        number = (address - elsewhere) // 4096
        return f"elsewhere + {number}" if number else "elsewhere"
    number_text = page_number(address)
    return f"{address:#x}" if number_text is None else number_text


def _spread(
    scale: Scale, edges: list[tuple[int, int]], tell: Callable[[int], str], points: int
) -> list[tuple[int, int, str]]:  # fmt: skip
    """As many labels as fit side by side, from the left; the last one before those that are in its way.

    (pixel of the edge, pixel of its label, text): long ones among the last are moved to the left so far that the
    picture's edge does not cut them.
    """
    room = scale.width + RIGHT
    shown: list[tuple[int, int, str]] = []
    ends: list[float] = []  # for each, from where on there is room for the next

    def add(x: int, address: int) -> bool:
        """Whether there is room."""
        text = tell(address)
        half = text_width(text, points) / 2
        at = max(min(x, int(room - half) - 4), int(half) - 12)  # the axis has its name on the left
        if ends and at - half < ends[-1]:
            return False
        shown.append((x, at, text))
        ends.append(at + half + 7)
        return True

    for x, address in edges:
        if not ends or x >= ends[-1]:  # most are not even worth a text
            add(x, address)
    if edges and shown[-1][0] != edges[-1][0]:
        while not add(*edges[-1]) and len(shown) > 1:
            shown.pop()
            ends.pop()
    return shown


def _labels(kind: str, shown: list[tuple[int, int, str]], axis: int) -> str:
    words = "".join(f'<text class="c" x="{LEFT + at}" y="{axis + 15}">{text}</text>' for _, at, text in shown)
    return f'<g class="{kind}">{words}</g>'


@lru_cache(maxsize=64)
def legend(seen: frozenset[str], width: int, top: int) -> tuple[str, int]:
    """The legend from (LEFT, top) on, with only what the picture shows; and how many lines it takes."""
    x, line, out = LEFT, 0, []
    limit = min(width, 860) - RIGHT
    for key, words in LEGEND:
        if key not in seen:
            continue
        room = 26 + text_width(words, 11)
        if x + room > limit and x > LEFT:
            x, line = LEFT, line + 1
        y = top + 18 * line
        out.append(
            f'<g transform="translate({x} {y})" class="{_class(key)}">{_swatch(key)}'
            f'<text class="q" x="24" y="9">{escape(words)}</text></g>'
        )
        x += round(room) + 8
    drawn = "".join(out)
    return (f'<g aria-hidden="true">{drawn}</g>' if drawn else ""), (line + 1 if out else 0)


def _class(key: str) -> str:
    return key[5:] if key.startswith("perm ") else "rw"


def _swatch(key: str) -> str:
    kind, _, which = key.partition(" ")
    if kind == "perm":
        return '<rect class="b" width="18" height="11" rx="2"/>'
    if kind == "back":
        return f'<rect x="0" y="2" width="18" height="7" fill="url(#vml-uid-{which})"/>'
    if kind == "badge":
        return f'<rect class="bd" width="20" height="12" rx="6"/><text class="bt" x="10" y="10">{which}</text>'
    if kind == "page":
        high = {"anon": 11, "unread": 11, "file": 7, "zero": 4}.get(which)
        cell = '<rect class="d" x="4" width="11" height="11"/>'
        return cell + (
            f'<rect class="p" x="4" y="{11 - high}" width="11" height="{high}"/>'
            if high
            else '<path class="s" d="M4 0l11 11m0 -11l-11 11"/>'
        )
    return {
        "absent": '<rect class="d" x="4" width="11" height="11"/>',
        "moved": '<path class="mv" d="M0 0C0 6 8 5 8 11H18C18 5 10 6 10 0z"/>',
        "gap": '<path class="gp" fill="url(#vml-uid-gap)" d="M0 0C0 6 8 5 8 11H18C18 5 10 6 10 0z"/>',
        "empty": '<rect class="em" x="1" y="1" width="16" height="10"/>',
        "lost": '<rect class="lo" x="1" y="1" width="16" height="10"/>',
        "survived": '<rect class="su" x="1" y="1" width="16" height="10" rx="4"/>',
        "source": '<path class="src" d="M1 11V2h16v9"/>',
        "target": '<path class="tgt" d="M1 0v9h16V0"/>',
        "changed": '<rect class="chl" x="1.5" y="1.5" width="15" height="9" rx="2"/>',
        "cue": '<rect class="cue" x="1" y="1" width="16" height="10" rx="3"/>',
        "folded": '<path class="z" d="M3 0l5 5.5l-5 5.5m5 -11l5 5.5l-5 5.5"/>',
        "enlarged": '<path class="l" d="M2 6h14M2 6l4 -3m-4 3l4 3M16 6l-4 -3m4 3l-4 3"/>',
    }[kind]
