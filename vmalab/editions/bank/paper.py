"""Pictures for a page that is not ours: in light colours, with their style sheet inside, and nothing of it a variable.

An LMS shows a picture as an image on its own ground, whatever the reader's system prefers; what makes PDF knows no
custom properties.  In grey a VMA is known by its letter, its words and its pattern.
"""

from __future__ import annotations

import re

from vmalab.machines.outcome import Snapshot
from vmalab.pictures.scene import scene_of_snapshot
from vmalab.pictures.svg import svg
from vmalab.pictures.theme import COLOURS, style_for

FONTS = "DejaVu Sans, Liberation Sans, Arial, sans-serif"
MONOSPACED = "DejaVu Sans Mono, Liberation Mono, monospace"

_FALLBACK = re.compile(r"var\(--jp-[a-z0-9-]+,([^()]*(?:\([^()]*\)[^()]*)*)\)")


def light(text: str) -> str:
    """Styles with each of our colours' names replaced by the light colour, and without what other grounds need.

    >>> light("a{fill:var(--vml-ground)}@media screen{b{fill:red}}")
    'a{fill:#ffffff}'
    """
    text = re.sub(r"@media[^{]+\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}", "", text)
    text = re.sub(r"--vml-[a-z-]+:[^;}]*;", "", text)
    text = re.sub(r"var\(--vml-([a-z-]+)\)", lambda found: COLOURS[found[1]][0], text)
    text = _by_kind(text)
    text = _FALLBACK.sub(lambda found: found[1], text)
    text = re.sub(r"font-family:[^;}]*monospace", f"font-family:{MONOSPACED}", text)
    return re.sub(r"font-family:[^;}]*sans-serif", f"font-family:{FONTS}", text)


def _by_kind(text: str) -> str:
    """Rules that take the outline's colour of their box (`--e`), one for each kind of box.

    >>> _by_kind(".vml-pic .rw{--e:red}.vml-pic .p{fill:var(--e)}")
    '.vml-pic .rw .p{fill:red}'
    """
    kinds = re.findall(r"\.vml-pic (\.[\w-]+)\{--e:([^;}]+);?\}", text)
    text = re.sub(r"\.vml-pic \.[\w-]+\{--e:[^}]*\}", "", text)

    def spelled(found: re.Match[str]) -> str:
        rules = (f".vml-pic {kind} {found[1]}{{{found[2].replace('var(--e)', colour)}}}" for kind, colour in kinds)
        return "".join(rules)

    return re.sub(r"\.vml-pic (\.[\w-]+)\{([^}]*var\(--e\)[^}]*)\}", spelled, text)


def paper_svg(snapshot: Snapshot, title: str, *, width: str = "100%") -> str:
    """An address space as one SVG element that needs nothing else, with its words as title and description."""
    picture = svg(scene_of_snapshot(snapshot, title), standalone=True)
    start, _, rest = picture.partition("<style>")
    _, _, rest = rest.partition("</style>")
    bare = re.sub(r'style="[^"]*"', f'style="background:#ffffff;max-width:{width}"', start, count=1) + rest
    return light(bare.replace("</desc>", "</desc>" + style_for(bare), 1))
