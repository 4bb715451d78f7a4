"""What is said at boxes, as SVG: badges of what a VMA is, seams where two touch, ties of what is the same memory."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vmalab.machines.outcome import Row
from vmalab.pictures.badges import badges_of
from vmalab.pictures.groups import Groups, Part
from vmalab.pictures.seams import LEVELS, Seam, Tie
from vmalab.pictures.svgparts import LEFT, escape, text_width

PERMS = re.compile("[r-][w-][x-][ps]").fullmatch

LEAST = {
    "rights": "rwx", "flags": "fl", "file": "file", "offset": "off", "vm_pgoff": "pg", "anon_vma": "av", "nothing": "?",
}  # fmt: skip
"""What keeps two apart where there is little room."""

PILL = 13
"""Height of a badge (pixels)."""


def badges(row: Row, middle: int, width: int, top: int) -> str:
    """The badges of a VMA, side by side around `middle`: their names, or their letters where there is no room."""
    found = badges_of(row)
    if not found:
        return ""
    for words in ([name for _, name in found], [code for code, _ in found]):
        wide = [round(text_width(word, 11)) + 8 for word in words]
        if sum(wide) + 3 * (len(wide) - 1) <= width - 4:
            break
    else:
        word = found[0][0] + "+" * (len(found) > 1)
        return f'<text class="bt" x="{middle}" y="{top + 10}">{word}</text>' if width >= 12 else ""
    x, out = middle - (sum(wide) + 3 * (len(wide) - 1)) // 2, []
    for word, room in zip(words, wide, strict=True):
        out.append(
            f'<rect class="bd" x="{x}" y="{top}" width="{room}" height="{PILL}" rx="6"/>'
            f'<text class="bt" x="{x + room // 2}" y="{top + 10}">{escape(word)}</text>'
        )
        x += room + 3
    return "".join(out)


def seams(found: Sequence[Seam], top: int, height: int, when: str, live: bool, drawn: Groups) -> list[list[Part]]:
    """The seams of a band: shown while somebody asks *why not one?*."""
    return drawn.of(found, lambda seam: _seam(seam, top, height, when, live))


def _seam(seam: Seam, top: int, height: int, when: str, live: bool) -> Part:
    key, x = f"e{top}-{seam.at:x}", LEFT + seam.x
    lines: Sequence[str] = seam.reasons
    room = max(text_width(line, 11) for line in lines) + 10
    tall = 13 * len(lines) + 6
    y = top + (height - tall) // 2
    if room > seam.room:  # what stands close together is said shortly, at three levels
        kinds = dict.fromkeys(map(_short, seam.reasons))
        forms = ("; ".join(seam.reasons), " ".join(kinds), " ".join(map(LEAST.__getitem__, kinds)), "≠")
        lines = [next((form for form in forms if text_width(form, 11) + 12 <= seam.apart), "≠")]
        room, tall = text_width(lines[0], 11) + 10, 19
        y = top + 2 + seam.number % LEVELS * 22
    name = f' role="group" aria-label="{escape(f"{when}, why not one: {seam.words()}")}"' if live else ""
    words = "".join(
        f'<text class="c" x="{x}" y="{y + 13 + 13 * number}">{escape(line)}</text>' for number, line in enumerate(lines)
    )
    return key, (
        f'<g data-k="{key}" class="vml-seam"{name}><title>{escape(seam.words())}</title>'
        f'<path class="se" d="M{x} {top - 4}v{height + 8}"/>'
        f'<rect class="se" x="{x - room / 2:g}" y="{y}" width="{room:g}" height="{tall}" rx="4"/>{words}</g>'
    )


def _short(reason: str) -> str:
    """What kind of reason: `rights`, `flags`, `file`, `offset`, `vm_pgoff`, `anon_vma`, `nothing`."""
    kind = reason.partition(" ")[0].rstrip(":")
    if kind in ("flags", "offset", "vm_pgoff", "anon_vma", "nothing"):
        return kind
    return "rights" if PERMS(kind) else "file"


def ties(found: Sequence[Tie], top: int, height: int, below: int) -> list[Part]:
    """What is the same memory, tied by a line `below` the boxes (pixels)."""
    parts = []
    for number, tie in enumerate(found):
        a, b, foot = LEFT + tie.x, LEFT + tie.to, top + height
        depth = foot + below + 5 * (number % 2)
        key = f"t{top}-{tie.one}-{tie.other}"
        parts.append((key, (
            f'<g data-k="{key}"><title>{escape(tie.words)}</title>'
            f'<path class="ti" d="M{a} {foot}V{depth}H{b}V{foot}"/><circle class="tic" cx="{a}" cy="{foot}" r="3"/>'
            f'<circle class="tic" cx="{b}" cy="{foot}" r="3"/></g>'
        )))  # fmt: skip
    return parts
