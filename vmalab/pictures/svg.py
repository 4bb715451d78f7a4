"""A scene as SVG: the one renderer.  Deterministic: the same scene gives the same string, to the byte.

The picture is made of *parts*, each one SVG element with a key; a player in the browser changes a picture by patching
the parts that differ (`vmalab.pictures.frames`).  What a picture means is settled in `vmalab.pictures.scene`, its
colours in `vmalab.pictures.theme`, its axis and legend in `vmalab.pictures.svgparts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

from attrs import frozen

from vmalab.linux.addr import PAGE, PAGE_SHIFT
from vmalab.pictures.groups import Groups, Part, replaced
from vmalab.pictures.sceneparts import Band, Box, Gap, Mark, Scene, access, backing_kind
from vmalab.pictures.svgmarks import badges, seams, ties
from vmalab.pictures.svgparts import FURNITURE, LEFT, RIGHT, defs, escape, legend, sized, text_width, ticks
from vmalab.pictures.svgtravels import places, ribbons
from vmalab.pictures.theme import picture_css
from vmalab.programs.calltext import size

BAND = 66
"""Height of a band of boxes."""

BETWEEN = 66
"""Height of the room for ribbons between two bands."""

MARKS = 26
"""Height of the room for a bracket with its words."""

AXIS = 20
TIED = 16
"""Room under a band for the lines that tie what is the same memory."""

LANE, LANE_GAP = 30, 8
"""Height of the lane under a single band where a target can be dragged, and the room above it."""

LOOKED = 54
"""Boxes narrower than this (pixels) have only the sign that a step looked at them."""

STRIP_Y, STRIP = 50, 12
SHOW_LABELS, SHOW_LETTER = 30, 13
"""Boxes narrower than this (pixels) show no words, and not even their letter: the tooltip and the table have them."""

BREAK = 22
"""Where in a folded stretch of a VMA the break mark lies: this far from its end, clear of the words."""

LEAST_GAP = 10
"""A gap narrower than this (pixels) has no room for its size: the shortest is `4 B`."""

DIGIT = 6.7
"""Pixels of a digit in a page."""

SHOW_CELLS = 6
"""Pixels a page from which single pages are told apart."""


@frozen
class Drawing:
    """A picture in parts: `head`, then each part in order, then `tail`.  A part is (key, SVG element).

    `groups`: the parts; a group that is the same in several frames is the same object in them.
    """

    head: str
    groups: tuple[Sequence[Part], ...]
    tail: str
    width: int
    height: int

    @property
    def parts(self) -> list[Part]:
        """Every part, in order."""
        return [part for group in self.groups for part in group]

    def svg(self) -> str:
        """The whole picture as one string."""
        return self.head + "".join([part for _, part in self.parts]) + self.tail


def svg(scene: Scene, *, standalone: bool = False) -> str:
    """The picture of `scene` with its text alternative.  `standalone`: with its style sheet, for a file of its own."""
    return draw(scene, standalone=standalone).svg()


def draw_all(scenes: Sequence[Scene], *, lanes: bool = False) -> list[Drawing]:
    """The pictures of all frames of one outcome, for a player: what frames share is drawn once."""
    drawn: dict[object, Any] = {}
    return [draw(scene, live=True, lanes=lanes, drawn=drawn) for scene in scenes]


def draw(
    scene: Scene, *, live: bool = False, standalone: bool = False, lanes: bool = False,
    drawn: dict[object, Any] | None = None,
) -> Drawing:  # fmt: skip
    """The picture in parts.

    `live`: for a player; every VMA can be focused and has a name; ids begin with `vml-uid`, to be replaced by
    the page's own.
    `standalone`: with style sheet and namespace.  `lanes`: leave room for a target under a single band.
    `drawn`: what was drawn before, by identity; only for scenes of one outcome, all of them alive.
    """
    drawn = {} if drawn is None else drawn
    tops = tops_of(len(scene.bands), source=lanes or any(mark.kind == "source" for mark in scene.marks), lanes=lanes)
    width = LEFT + scene.scale.width + RIGHT
    groups: list[Sequence[Part]] = []
    for index, (band, top) in enumerate(zip(scene.bands, tops, strict=True)):
        if index:
            groups += ribbons(scene, tops[index - 1] + BAND, top, drawn)
        # not the band's title: "step 7" would make every VMA of that frame a new part
        when = "before" if index < len(scene.bands) - 1 else "now" if index else band.title
        gaps = drawn.get((index, id(band.gaps)))
        if gaps is None:
            named = band.gap_words() if live else ""
            name = f' role="group" aria-label="{when}, {named}"' if named else ""
            drawing = _gaps(f"gaps{index}", band.gaps, scene, top, not band.boxes, name)
            gaps = drawn[index, id(band.gaps)] = [(f"gaps{index}", drawing)]
        groups += [gaps, [(f"title{index}", _band_title(f"title{index}", band, top))]]
        lift = MARKS if lanes and index else 0  # above the bracket that is dragged
        groups += _boxes(band, scene, top, live, when, lift, drawn.setdefault(("boxes", index), Groups()))
        groups.append([(box.key, _gone(box, top, live)) for box in band.gone])
        groups.append(ties(band.ties, top, BAND, 26 if index or scene.marks else 10))
        groups += seams(band.seams, top, BAND, when, live, drawn.setdefault(("seams", index), Groups()))
        if index:
            groups += places(scene, top, BAND, drawn, MARKS if lanes else 0)
    marks = [mark for mark in scene.marks if not (lanes and mark.kind == "target")]  # the next target goes there
    groups.append([(mark.kind, _bracket(mark, tops, width)) for mark in marks])
    axis = tops[-1] + BAND + (LANE + 2 * LANE_GAP if lanes else MARKS if _below(scene) else 4)
    axis += TIED if any(band.ties for band in scene.bands) else 0
    words, lines = legend(scene.legend, width, axis + AXIS + 12)
    height = axis + AXIS + 10 + 18 * lines
    if live:
        uid = "vml-uid"
    else:
        uid = f"vml{crc32(''.join([scene.title, *[part for group in groups for _, part in group]]).encode()):08x}"
        groups = [[(key, part.replace("#vml-uid", "#" + uid)) for key, part in group] for group in groups]
        words = words.replace("#vml-uid", "#" + uid)
    head = drawn.get("head")
    if head is None:
        furniture = ticks(scene.scale, tops[0], axis, scene.elsewhere)
        head = _head(scene, uid, width, height, live, standalone) + defs(uid, scene.legend) + furniture
        drawn["head"] = head
    return Drawing(head, tuple(groups), words + "</svg>", width, height)


def tops_of(bands: int, *, source: bool, lanes: bool = False) -> list[int]:
    """The upper edge of each band (pixels); `source`: with room above for the bracket of the call's range; `lanes`:
    with room above the last one for the bracket and the handles of the next call's."""
    top = 4 + (MARKS if source else 0)
    tops = [top + i * (BAND + BETWEEN) for i in range(bands)]
    return [*tops[:-1], tops[-1] + (MARKS if lanes and bands > 1 else 0)]


def _below(scene: Scene) -> bool:
    return len(scene.bands) > 1 or any(mark.kind == "target" for mark in scene.marks)


def _head(scene: Scene, uid: str, width: int, height: int, live: bool, standalone: bool) -> str:
    space = ' xmlns="http://www.w3.org/2000/svg"' if standalone else ""
    style = f'class="{"vml " if standalone else ""}vml-pic" viewBox="0 0 {width} {height}" style="{sized(width)}"'
    start = f"<svg{space} {style} "
    if live:
        return f'{start}role="group" aria-label="{escape(scene.title)}">'
    sheet = f"<style>{picture_css()}</style>" if standalone else ""
    return (
        f'{start}role="img" aria-labelledby="{uid}-t" aria-describedby="{uid}-d">'
        f'<title id="{uid}-t">{escape(scene.title)}</title><desc id="{uid}-d">{escape(scene.text())}</desc>{sheet}'
    )


# --- bands ---


def _band_title(key: str, band: Band, top: int) -> str:
    count, beyond = len(band.boxes), band.beyond
    lines = [f"{count} shown of", f"{count + beyond} VMAs"] if beyond else [band.count_words()]
    words = "".join(f'<text class="q" x="4" y="{top + 46 + 13 * i}">{line}</text>' for i, line in enumerate(lines))
    return f'<g data-k="{key}"><text class="h" x="4" y="{top + 30}">{escape(band.title)}</text>{words}</g>'


def _gaps(key: str, gaps: Sequence[Gap], scene: Scene, top: int, free: bool, name: str) -> str:
    middle = top + BAND // 2
    breaks, words = [], []
    for gap in [gap for gap in gaps if gap.folded or gap.width >= LEAST_GAP]:
        x = LEFT + gap.x
        if gap.folded:
            for fold in scene.scale.folds(gap.start, gap.end):
                breaks.append(f"M{LEFT + fold.x + fold.width // 2 - 5} {middle - 8}l5 8l-5 8m5 -16l5 8l-5 8")
        text = f"{gap.hidden} VMAs" if gap.hidden else size(gap.end - gap.start)
        at_end = (gap is gaps[0] and gap.start == scene.scale.stretches[0].start) or (
            gap is gaps[-1] and gap.end == scene.scale.stretches[-1].end
        )
        known = scene.elsewhere is None or gap.end < scene.elsewhere
        if known and not at_end and text_width(text, 11) <= gap.width - 4:
            words.append(f'<text class="t" x="{x + gap.width // 2}" y="{middle - 12}">{text}</text>')
    drawn = f'<path class="l" stroke-dasharray="1 4" d="M{LEFT} {middle}h{scene.scale.width}"/>'
    if free:
        center = LEFT + scene.scale.width // 2
        words.append(f'<text class="q c" x="{center}" y="{middle - 10}">no VMAs: every address is free</text>')
    if breaks:
        drawn += f'<path class="z" d="{"".join(breaks)}"/>'
    return f'<g data-k="{key}"{name}>{drawn}{"".join(words)}</g>'


def tooltip(box: Box) -> str:
    """All that is known of a VMA, on several lines."""
    row = box.row
    text = f"{box.words}\n{row.start:#x}-{row.end:#x}"
    if row.vm_pgoff is not None:
        anon = "none (never written)" if row.anon_vma is None else row.anon_vma
        text += f"\nvm_pgoff {row.vm_pgoff:#x}\nanon_vma {anon}"
    if row.flags:
        text += "\nVmFlags " + " ".join(row.flags)
    return text


def _boxes(
    band: Band, scene: Scene, top: int, live: bool, when: str, lift: int, groups: Groups
) -> list[list[Part]]:  # fmt: skip
    """The parts of all boxes of a band; `groups`: those of the frame before."""

    def drawn(box: Box) -> Part:
        return box.key, _box(box, scene, top, live, when, lift)

    found = groups.of(band.boxes if band.plain is None else band.plain, drawn)
    return replaced(found, {place: groups.part(band.boxes[place], drawn) for place in band.signed})


def _box(box: Box, scene: Scene, top: int, live: bool, when: str, lift: int) -> str:
    row, width = box.row, max(box.width, 1)
    kind = access(row.perms)
    classes = f"{kind} {STYLES.get(box.mark, 'ch')}" if box.mark else kind
    if live:
        born = "" if box.born is None else f' data-born="{LEFT + box.born}"'
        name = f"{when}, {box.words}" + ("; looked at in this step" if box.looked else "")
        extra = f' tabindex="-1" role="img" aria-label="{escape(name)}"{born}'
    else:
        extra = ""
    out = [
        f'<g data-k="{box.key}" class="{classes}"{extra} transform="translate({LEFT + box.x} {top})">',
        f"<title>{escape(tooltip(box))}</title>",
        f'<rect class="b" width="{width}" height="{BAND}" rx="{3 if width > 9 else 1}"/>',
    ]
    roof = backing_kind(row.backing)
    if roof != "anon":
        out.append(f'<rect x="1" y="1" width="{max(width - 2, 1)}" height="7" fill="url(#vml-uid-{roof})"/>')
    folds = scene.scale.folds(row.start, row.end)
    middle = width // 2 if not folds or width > 150 else (width - BREAK) // 2
    if width >= SHOW_LABELS:
        out.append(
            f'<text class="n" x="{middle}" y="22">{_fit(box.name, width, 13)}</text>'
            f'<text class="c m" x="{middle}" y="34">{escape(row.perms)}</text>'
        )
        label = row.backing or "anon"
        if row.pgoff:
            label = f"{label} +{row.pgoff}"
        marks = badges(row, middle, 2 * middle, 37)
        out.append(marks)
        if not marks and text_width(label, 11) <= 2 * middle - 4:
            out.append(f'<text class="t" x="{middle}" y="45">{escape(label)}</text>')
    elif width >= SHOW_LETTER:
        out.append(badges(row, middle, width, 36))
        out.append(f'<text class="n" x="{middle}" y="30">{_fit(box.name, width, 13)}</text>')
    out.append(_pages(box, scene, width))
    for fold in folds:
        x = fold.x - box.x + fold.width - BREAK
        out.append(
            f'<path class="k" d="M{x} -3l6 12l-6 12l6 12l-6 12l6 12l-6 15h8l6 -15l-6 -12l6 -12l-6 -12l6 -12l-6 -12z"/>'
            f'<path class="z" d="M{x} -3l6 12l-6 12l6 12l-6 12l6 12l-6 15m8 0l6 -15l-6 -12l6 -12l-6 -12l6 -12l-6 -12"/>'
        )
    if box.mark or box.looked:
        out.append(_flag(box, middle, width, lift))
    out.append("</g>")
    return "".join(out)


def _fit(name: str, width: int, points: int) -> str:
    return escape(name) if text_width(name, points) <= width - 2 else "…" if width < 22 else escape(name[:1]) + "…"


STYLES = {"differs": "df", "right": "ri", "wrong": "wr", "missed": "df"}
"""How a box is marked, where that is not as what changed in a step."""

VERDICTS = {"right": "✓ right", "wrong": "✕ not so", "missed": "missed"}


def _flag(box: Box, middle: int, width: int, lift: int) -> str:
    """What happened to a VMA in a step, so many pixels above it."""
    if box.mark:
        said = VERDICTS.get(box.mark, box.mark)
        word = f'<text class="ft" x="{middle}" y="{-13 - lift}">{said}</text>'
        return f'<path class="f" d="M{middle} {-2 - lift}l-6 -8h12z"/>{word}'
    word = f'<text class="t" x="{middle}" y="{-13 - lift}">looked at</text>' if width >= LOOKED else ""
    return f'<path class="lk" d="M{middle} {-3 - lift}l-4 -7h8z"/>{word}'


RUN_HEIGHT = {"anon": STRIP, "unread": STRIP, "file": 8, "zero": 4}
"""How high a present page is drawn, by what it is: told apart without colour."""


def _pages(box: Box, scene: Scene, width: int) -> str:
    """The strip of cells at the foot of a box: one a page where there is room, filled where the page is present."""
    row = box.row
    if width < 5:
        return ""
    scale = scene.scale
    out = [f'<rect class="d" x="2" y="{STRIP_Y}" width="{width - 4}" height="{STRIP}"/>']
    inner = width - 4
    left, right = 2, width - 2
    values = []
    for run in row.runs:
        x = scale.x(run.start << PAGE_SHIFT) - box.x
        end = scale.x(run.end << PAGE_SHIFT) - box.x
        x, end = max(x, left), min(end, right)
        end = max(end, min(x + 1, right))
        high = RUN_HEIGHT.get(run.kind, STRIP)
        if run.kind in RUN_HEIGHT:
            out.append(f'<rect class="p" x="{x}" y="{STRIP_Y + STRIP - high}" width="{end - x}" height="{high}"/>')
        else:
            out.append(
                f'<path class="s" d="M{x} {STRIP_Y}L{end} {STRIP_Y + STRIP}M{x} {STRIP_Y + STRIP}L{end} {STRIP_Y}"/>'
            )
        per_page = (end - x) / (run.end - run.start)
        if run.kind == "anon" and per_page >= 26 and not scale.folds(run.start << PAGE_SHIFT, run.end << PAGE_SHIFT):
            for number in range(run.start, run.end):
                text = str(run.at(number))
                if len(text) * DIGIT <= per_page - 3:
                    at = (scale.x(number << PAGE_SHIFT) + scale.x((number + 1) << PAGE_SHIFT)) // 2 - box.x
                    values.append(f'<text class="v m" x="{at}" y="{STRIP_Y + STRIP - 2}">{text}</text>')
    for start, end in row.guards:
        x, stop = max(scale.x(start << PAGE_SHIFT) - box.x, left), min(scale.x(end << PAGE_SHIFT) - box.x, right)
        out.append(
            f'<path class="s" d="M{x} {STRIP_Y}L{stop} {STRIP_Y + STRIP}M{x} {STRIP_Y + STRIP}L{stop} {STRIP_Y}"/>'
        )
    count = row.pages
    if 1 < count and inner >= SHOW_CELLS * count and not scale.folds(row.start, row.end):
        lines = "".join(f"M{scale.x(row.start + n * PAGE) - box.x} {STRIP_Y}v{STRIP}" for n in range(1, count))
        out.append(f'<path class="s" d="{lines}"/>')
    return "".join(out) + "".join(values)


def _gone(box: Box, top: int, live: bool) -> str:
    extra = f' tabindex="-1" role="img" aria-label="{escape(box.words)}"' if live else ""
    middle = box.width // 2
    word = (
        f'<text class="n" x="{middle}" y="22">{_fit(box.name, box.width, 13)}</text>'
        if box.width >= SHOW_LETTER
        else ""
    )
    if box.width >= 60:
        word += f'<text class="t" x="{middle}" y="38">✕ removed</text>'
    elif box.width >= 10:
        word += f'<text class="c" x="{middle}" y="40">✕</text>'
    return (
        f'<g data-k="{box.key}" class="gone"{extra} transform="translate({LEFT + box.x} {top})">'
        f"<title>{escape(box.words)}</title>"
        f'<rect class="b" width="{max(box.width, 1)}" height="{BAND}" rx="3"/>{word}</g>'
    )


# --- the brackets ---


def _bracket(mark: Mark, tops: list[int], width: int) -> str:
    """The call's range above the first band, its target under the last one."""
    x, wide = LEFT + mark.x, mark.width
    if mark.kind == "cue":
        y = tops[-1] - 4
        return (
            f'<g data-k="cue"><title>{escape(mark.words)}</title>'
            f'<rect class="cue" x="{x - 2}" y="{y}" width="{max(wide, 1) + 4}" height="{BAND + 8}" rx="5"/></g>'
        )
    source = mark.kind == "source"
    style = "src" if source else "tgt"
    y, foot, text = (tops[0] - 6, tops[0] - 1, tops[0] - 12) if source else (
        tops[-1] + BAND + 7, tops[-1] + BAND + 1, tops[-1] + BAND + 20
    )  # fmt: skip
    line = (
        f"M{x} {foot}V{y}h{wide}V{foot}" if wide else f"M{x} {foot}V{y}"
    )  # beside the boxes, never through their words
    told = f"{mark.words.partition(':')[0]}: {mark.start:#x}-{mark.end:#x}"
    words = "".join(
        f'<text class="{style}t {kind}" x="{max(min(x, width - RIGHT - text_width(said, 12)), LEFT):g}" y="{text}">'
        f"{escape(said)}</text>"
        for kind, said in (("pg", mark.words), ("hx", told))
    )
    return f'<g data-k="{mark.kind}"><title>{escape(mark.words)}</title><path class="{style}" d="{line}"/>{words}</g>'


__all__ = ["FURNITURE", "Drawing", "draw", "svg", "tooltip"]
