"""The records that a scene is made of, and their words: boxes, gaps, bands, ribbons, marks.

`vmalab.pictures.scene` makes them, `vmalab.pictures.svg` draws them, and `Scene.text` says them.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import lru_cache

from attrs import frozen

from vmalab.linux.addr import ARENA_BASE, PAGE, PAGE_SHIFT, PMD_SIZE, page
from vmalab.machines.outcome import Move, Row
from vmalab.pictures.badges import badge_words
from vmalab.pictures.scale import Scale
from vmalab.pictures.seams import Seam, Tie
from vmalab.programs.calltext import page_number, place, size, span


@frozen
class Box:
    """One VMA in one band: `name` is the letter that follows it through the picture.

    `key` tells the box from all others of its picture and stays the same from frame to frame.  `mark` is what
    happened to it in this step (a key of `MARK_WORDS`), or `""`; `looked`: the step looked at it.  `words`: all of it
    in words.  `born`: the pixel where it comes from when it first appears, or None.
    """

    key: str
    name: str
    row: Row
    x: int
    width: int
    words: str
    mark: str = ""
    looked: bool = False
    born: int | None = None


MARK_WORDS = {
    "new": "new in this step",
    "changed": "changed in this step",
    "removed": "removed in this step",
    "differs": "differs from the other side",
    "right": "as you said",
    "wrong": "not so",
    "missed": "not in your prediction",
}

KIND_WORDS = {
    "anon": "private",
    "file": "from the file",
    "zero": "the zero page",
    "guard": "guard",
    "unread": "not read",
}
"""What a page-table run holds, by its kind; another kind is called by its name."""

PLAIN = frozenset({"anon", "unread"})
"""Kinds that are not named where there is no other."""

MOST_GAPS = 48
"""So many gaps are named where the VMAs are named one by one beside them; of more, the rest is counted."""

MOST_STRETCHES = 24
"""So many stretches of present pages are named; of more, the rest is counted."""


@frozen
class Gap:
    """Free addresses [start, end) of one band."""

    start: int
    end: int
    x: int
    width: int
    folded: bool
    hidden: int = 0
    """So many VMAs lie in it that are not shown: then it is not free."""


@frozen
class Band:
    """The address space at one moment.  `beyond`: how many VMAs are not shown."""

    title: str
    boxes: tuple[Box, ...]
    gaps: tuple[Gap, ...] = ()
    gone: tuple[Box, ...] = ()
    """What this step removed, drawn as an outline."""
    elsewhere: int | None = None
    beyond: int = 0
    plain: tuple[Box, ...] | None = None
    """The boxes without what this step says of them; the same object as in the frame before if nothing else differs."""
    signed: tuple[int, ...] = ()
    """The places in `boxes` where they are others than `plain`."""
    seams: tuple[Seam, ...] = ()
    """Where VMAs touch, and what keeps them apart."""
    ties: tuple[Tie, ...] = ()
    """VMAs through which the same memory is seen."""

    def count_words(self) -> str:
        """`1 VMA`, `5 VMAs`, `13 of 1900 VMAs`."""
        count = len(self.boxes)
        of = f" of {count + self.beyond}" if self.beyond else ""
        return f"{count}{of} VMA{'' if count == 1 and not of else 's'}"

    def gap_words(self) -> str:
        """The free addresses between VMAs, in words: `gaps: page 2; pages 5 to 65`.  Nothing where there are none."""
        if not self.boxes:
            return ""
        first, last = self.boxes[0].row.start, self.boxes[-1].row.end
        known = last if self.elsewhere is None else self.elsewhere
        begin = bisect_right(self.gaps, first, key=lambda gap: gap.start)
        stop = bisect_left(self.gaps, min(last, known), lo=begin, key=lambda gap: gap.end)
        inner = [gap for gap in self.gaps[begin:stop] if not gap.hidden]
        said = [span(gap.start, gap.end) for gap in inner[:MOST_GAPS]]
        if len(inner) > MOST_GAPS:
            said.append(f"{len(inner) - MOST_GAPS} more")
        return f"gaps: {'; '.join(said)}" if said else ""

    def words(self) -> str:
        """Every VMA and every gap between them, in words."""
        if not self.boxes:
            return f"{self.title}: no VMAs."
        said = [f"{self.title}: {self.count_words()}."]
        hidden = {gap.end: gap.hidden for gap in self.gaps if gap.hidden}
        end = None
        for box in self.boxes:
            if end is not None and box.row.start > end:
                known = self.elsewhere is None or box.row.start < self.elsewhere
                gap = hidden.get(box.row.start)
                free = f"{gap} VMAs that are not shown." if gap else f"A gap of {size(box.row.start - end)}."
                said.append(free if known else "Somewhere else:")
            said.append(box.words + ".")
            end = box.row.end
        said += [box.words + "." for box in self.gone]
        said += [f"{tie.words}." for tie in self.ties]
        if self.seams:
            shown = "; ".join(seam.words() for seam in self.seams[:MOST_GAPS])
            more = f"; {len(self.seams) - MOST_GAPS} more" if len(self.seams) > MOST_GAPS else ""
            said.append(f"What keeps those that touch apart: {shown}{more}.")
        return " ".join(said)


@frozen
class Ribbon:
    """A VMA's way from the band above to the band below: pixels [x, x + width) to [to, to + width)."""

    key: str
    name: str
    x: int
    to: int
    width: int
    to_width: int
    move: Move | None
    """None for what stayed where it was."""
    words: str = ""
    gap: bool = False
    """Whether these are free addresses that moved along."""
    cells: tuple[tuple[int, int, int, str], ...] = ()
    """Of the present pages that moved, the first ones: pixel from, pixel to, width, and what the page holds."""


@frozen
class Place:
    """What a move met at its target, the bytes [start, end): `kind` `"lost"`, `"survived"` or `"empty"`.

    `name`: the letter of the VMA that lay there before the call; nothing for where a gap has come that maps nothing.
    """

    kind: str
    start: int
    end: int
    x: int
    width: int
    name: str
    words: str
    """`C: page 64 (1 page)`."""


@frozen
class Mark:
    """The bytes [start, end) that the call names: `kind` `"source"` or `"target"`."""

    kind: str
    start: int
    end: int
    x: int
    width: int
    words: str
    """`range: pages 0 to 4 (5 pages)`."""


@frozen
class Scene:
    """Everything in one picture."""

    title: str
    scale: Scale
    bands: tuple[Band, ...]
    ribbons: tuple[Ribbon, ...] = ()
    places: tuple[Place, ...] = ()
    marks: tuple[Mark, ...] = ()
    legend: frozenset[str] = frozenset()
    elsewhere: int | None = None
    """From this byte on addresses are only relative: the kernel's choice was not recorded."""

    def text(self) -> str:
        """The text alternative: all that the picture shows.  O(n)."""
        said = [f"{mark.words[0].upper()}{mark.words[1:]}." for mark in self.marks]
        said += [band.words() for band in self.bands]
        moved = [ribbon.words for ribbon in self.ribbons if ribbon.move is not None]
        if moved:
            said.append(f"Moved: {'; '.join(moved)}.")
        return " ".join([*said, *places_words(self.places)])


# --- words ---

_NAMED = re.compile(r"\[(?:(\d+)(?: to (\d+))?|(?:0x)?([0-9a-f]+)-(?:0x)?([0-9a-f]+)) ([r-][w-][x-][ps])(?: [^\]]*)?\]")


def with_letters(text: str, bands: Iterable[Band]) -> str:
    """`text` with the picture's letter before each VMA that it names: `VMA [0 to 1 rw-p]` → `VMA A [0 to 1 rw-p]`.

    `bands`: those in which the VMA may be found, the likeliest first.  Pages, or hex as in maps.
    """
    shown = tuple(bands)

    def letter(match: re.Match[str]) -> str:
        if match[1]:
            start, end = page(int(match[1])), page(int(match[2] or match[1]) + 1)
        else:
            start, end = int(match[3], 16), int(match[4], 16)
        for band in shown:
            at = bisect_left(band.boxes, start, key=lambda box: box.row.start)
            for box in (*band.boxes[at : at + 1], *band.gone):
                if box.row.start == start and box.row.end == end and box.row.perms == match[5]:
                    return f"{box.name} {match[0]}"
        return match[0]

    return _NAMED.sub(letter, text)


def box_words(name: str, row: Row, mark: str = "", elsewhere: int | None = None) -> str:
    """A VMA in words: where, how long, perms, backing, which pages are present, and what this step did to it."""
    text = (
        f"{name}: {where(row.start, row.end, elsewhere)} ({size(row.end - row.start)}), {row.perms}, "
        f"{backing_words(row)}, {present_words(row)}"
    )
    if badges := badge_words(row):
        text += f"; {badges}"
    return f"{text}; {MARK_WORDS[mark]}" if mark else text


def where(start: int, end: int, elsewhere: int | None) -> str:
    if elsewhere is not None and start >= elsewhere:
        first = (start - elsewhere) // PAGE
        return (
            f"elsewhere, from {first} pages behind the returned address"
            if first
            else "elsewhere, at the returned address"
        )
    return span(start, end) if end > start else "at " + place(start)


def ribbon_words(name: str, move: Move, elsewhere: int | None) -> str:
    target = (
        "an address outside the arena" if elsewhere is not None and move.target >= elsewhere else place(move.target)
    )
    kept = "; the source stays mapped" if move.kept else ""
    return f"{name}: {size(move.end - move.start)} from {place(move.start)} to {target}{kept}"


def gap_ribbon_words(move: Move, elsewhere: int | None) -> str:
    """A gap that moved along: `a gap of 1 page from page 2 to page 66, which maps nothing`."""
    words = ribbon_words("", move, elsewhere).removeprefix(": ")
    return f"a gap of {words}, which maps nothing"


MET = {
    "lost": "Lost at the target",
    "survived": "Survived under a moved gap",
    "empty": "Nothing is mapped where a moved gap came to lie",
}
"""What a move met at its target, by the kind of place."""


def place_words(kind: str, start: int, end: int, name: str) -> str:
    """One place in words: `C: page 64 (1 page)`."""
    said = f"{span(start, end)} ({size(end - start)})"
    return f"{name}: {said}" if name else said


def places_words(places: Iterable[Place]) -> list[str]:
    """A sentence for each kind of place that there is: `Lost at the target: C: page 64 (1 page).`"""
    found: dict[str, list[str]] = {}
    for one in places:
        found.setdefault(one.kind, []).append(one.words)
    return [f"{MET[kind]}: {'; '.join(found[kind])}." for kind in MET if kind in found]


def backing_words(row: Row) -> str:
    """What is behind the memory: `private anonymous`, `file f0, shared, from page 3`."""
    return _backing_words(row.perms[3:] != "s", row.backing, row.pgoff)


@lru_cache(maxsize=1024)
def _backing_words(private: bool, backing: str | None, pgoff: int | None) -> str:
    if backing is None:
        return "private anonymous" if private else "shared anonymous"
    if backing == "shmem":
        text = "shared anonymous (shmem)" if not private else "shmem, private"
    elif backing == "/dev/zero":
        text = "/dev/zero, " + ("private" if private else "shared")
    elif backing.startswith("["):
        text = backing  # the kernel's own name for it, such as [stack]
    else:
        text = f"file {backing}, " + ("private" if private else "shared")
    return f"{text}, from page {pgoff}" if pgoff is not None else text


def present_words(row: Row) -> str:
    """Which pages are present: `2 of 5 pages present (0 and 3)`, with the kinds where not all are private."""
    if not row.seen:
        return "pages unknown"
    if not row.runs:
        return "no page present"
    pages, total = row.pages, sum([run.end - run.start for run in row.runs])
    plain = not {run.kind for run in row.runs} - PLAIN
    text = f"{total} of {pages} pages present" if pages != 1 else "its page present"
    if huge := sum([run.end - run.start for run in row.runs if run.huge]) * PAGE // PMD_SIZE:
        text += f", {huge} huge page{'s' * (huge > 1)}"
    if plain and total == pages:
        return text
    found: list[tuple[int, int, str]] = []
    for run in row.runs:
        if found and found[-1][1] == run.start and (plain or found[-1][2] == run.kind):
            found[-1] = (found[-1][0], run.end, run.kind)
        else:
            found.append((run.start, run.end, run.kind))
    inside = page_number(row.start) is not None
    first = (ARENA_BASE if inside else row.start) >> PAGE_SHIFT
    said = [_stretch(start - first, end - first, "" if plain else KIND_WORDS.get(kind, kind), pages)
            for start, end, kind in found[:MOST_STRETCHES]]  # fmt: skip
    if len(found) > MOST_STRETCHES:
        said.append(f"{len(found) - MOST_STRETCHES} more stretches")
    listed = " and ".join(filter(None, (", ".join(said[:-1]), said[-1])))
    return f"{text} ({listed})" if inside or pages == 1 else f"{text} (counted from its start: {listed})"


def _stretch(start: int, end: int, kind: str, pages: int) -> str:
    where = "" if pages == 1 else str(start) if end - start == 1 else f"{start} to {end - 1}"
    return " ".join(filter(None, (where, kind)))


def access(perms: str) -> str:
    """The group by which a VMA is coloured: `x` (executable), `rw`, `r`, or `no`."""
    return "x" if perms[2] == "x" else "rw" if perms[1] == "w" else "r" if perms[0] == "r" else "no"


def backing_kind(backing: str | None) -> str:
    """The group by which a VMA's roof is patterned: `anon`, `shmem`, `zero` or `file`."""
    return (
        "anon" if backing is None else "shmem" if backing == "shmem" else "zero" if backing == "/dev/zero" else "file"
    )
