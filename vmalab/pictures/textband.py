"""A scene in box characters, for a terminal: the band before over the band after, in 80 columns.

    before  A rw-p   B r--p            C
            │▓▓▓▓▓▓│┄│░░░░░░│┄┄»┄┄┄┄┄┄┄│░░│┄

▓ is a present page, ░ one that is not, ┄ a gap, » a fold, ╱ a gap that moved and maps nothing, ✕ what was lost.  Where
the terminal's encoding has no such characters, `plain` gives letters of ASCII for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from vmalab.linux.addr import PAGE_SHIFT
from vmalab.machines.outcome import Outcome, Snapshot
from vmalab.pictures.scale import Scale
from vmalab.pictures.scene import scene_of, scene_of_snapshot
from vmalab.pictures.sceneparts import Band, Box, Scene
from vmalab.programs.calltext import page_number, place

COLUMNS = 80
TITLE = 8
"""Columns of the title of a band."""

PLAIN = str.maketrans({
    "▓": "#", "░": ".", "┄": "-", "»": ">", "╱": "/", "✕": "x", "│": "|", "↘": ">", "→": ">", "≠": "!", "✓": "+",
    "−": "-", "…": "~", "–": "-", "“": '"', "”": '"', **{chr(0x2080 + digit): str(digit) for digit in range(10)},
})  # fmt: skip


def plain(text: str, encoding: str | None) -> str:
    """`text`, with ASCII for what `encoding` can't write."""
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return text.translate(PLAIN)
    return text


def outcome_lines(outcome: Outcome, columns: int = COLUMNS) -> list[str]:
    """Before and after a call, what moved, what was lost and what survived."""
    return scene_lines(scene_of(outcome), columns)


def snapshot_lines(snapshot: Snapshot, title: str = "now", scale: Scale | None = None) -> list[str]:
    """An address space as it is; `scale`: one that others are shown on too."""
    return scene_lines(scene_of_snapshot(snapshot, moment=title, scale=scale), COLUMNS)


def scene_lines(scene: Scene, columns: int = COLUMNS) -> list[str]:
    """All bands of a scene, and under them the page numbers; no line is longer than `columns`."""
    if not scene.scale.stretches:
        return []
    wide = columns - TITLE - 1

    def column(x: int) -> int:
        return round(x * (wide - 1) / max(scene.scale.width, 1))

    lines = []
    for number, band in enumerate(scene.bands):
        lines += _band(scene, band, column, wide, last=number == len(scene.bands) - 1 and len(scene.bands) > 1)
    lines.append(_axis(scene, column, wide))
    lines += [f"{'':{TITLE}}{text}"[: columns - 1] for text in _travels(scene)]
    return [line.rstrip() for line in lines]


def _band(scene: Scene, band: Band, column: Callable[[int], int], wide: int, *, last: bool) -> list[str]:
    cells = ["┄"] * wide
    for stretch in scene.scale.stretches:
        if stretch.folded:
            cells[column(stretch.x + stretch.width // 2)] = "»"
    if last:
        for hole in (one for one in scene.places if one.kind == "empty"):
            a, b = column(hole.x), column(hole.x + hole.width)
            cells[a + 1 : b] = "╱" * max(b - a - 1, 0)
    for box in band.boxes:
        _draw(scene, box, column, cells)
    named = _labels([(column(box.x) + 1, _name(box, column)) for box in band.boxes], wide)
    lines = [f"{'':{TITLE}}{named}", f"{band.title:<{TITLE}}{''.join(cells)}"]
    lost = [one for one in scene.places if one.kind == "lost"]
    if last and lost:
        ghosts = [" "] * wide
        for one in lost:
            a, b = column(one.x), max(column(one.x + one.width), column(one.x) + 2)
            ghosts[a:b] = ["✕"] * (min(b, wide) - a)
        lines.append(f"{'lost':<{TITLE}}{''.join(ghosts)}")
    return lines


def _name(box: Box, column: Callable[[int], int]) -> str:
    room = column(box.x + box.width) - column(box.x) - 1
    long = f"{box.name} {box.row.perms}"
    return long if len(long) <= room else box.name


def _draw(scene: Scene, box: Box, column: Callable[[int], int], cells: list[str]) -> None:
    a, b = column(box.x), max(column(box.x + box.width), column(box.x) + 1)
    for at in range(a + 1, min(b, len(cells))):
        cells[at] = "░"
    for run in box.row.runs:
        start, end = (scene.scale.x(number << PAGE_SHIFT) for number in (run.start, run.end))
        for at in range(max(column(start) + (column(start) == a), a + 1), min(max(column(end), column(start) + 2), b)):
            cells[at] = "▓"
    for edge in (a, b):
        if edge < len(cells):
            cells[edge] = "│"


def _labels(found: Sequence[tuple[int, str]], wide: int) -> str:
    """Labels at their columns, those left out that have no room before the next."""
    line, stops = "", [*(at for at, _ in found), wide + 1][1:]
    for (at, text), stop in zip(found, stops if found else (), strict=True):
        if (not line or len(line) < at) and at + len(text) < stop + 1 and at + len(text) <= wide:
            line = line.ljust(at) + text
    return line


def _axis(scene: Scene, column: Callable[[int], int], wide: int) -> str:
    edges = [(stretch.x, stretch.start) for stretch in scene.scale.stretches]
    end = scene.scale.stretches[-1]
    edges.append((end.x + end.width, end.end))
    known = [(x, address) for x, address in edges if scene.elsewhere is None or address < scene.elsewhere]
    labels = [(column(x), page_number(address) or f"{address:x}") for x, address in known]
    line = ""
    for at, text in labels:
        at = min(at, wide - len(text))
        if (not line or len(line) < at) and at + len(text) <= wide:
            line = line.ljust(at) + text
    first = labels[0][1] if labels else ""
    return f"{'page' if first.isdecimal() else 'address':<{TITLE}}{line}"


def _travels(scene: Scene) -> list[str]:
    said = []
    for ribbon in scene.ribbons:
        if ribbon.move is not None:
            what = "gap" if ribbon.gap else ribbon.name
            nothing = ", maps nothing" if ribbon.gap else ""
            said.append(f"{what} {_page(ribbon.move.start)} ↘ {_page(ribbon.move.target)}{nothing}")
    lines = [*_joined(said)]
    for kind, word in (("lost", "lost"), ("survived", "survived under the gap")):
        lines += _joined([one.words for one in scene.places if one.kind == kind], f"{word}: ")
    return lines


def _page(address: int) -> str:
    return page_number(address) or place(address)


MOST = 8
"""So many of a kind are told."""


def _joined(said: Sequence[str], before: str = "") -> list[str]:
    """In lines of a terminal."""
    if not said:
        return []
    lines, line = [], before
    for one, more in pairwise([*said[:MOST], ""]):
        text = one + ("; " if more else f"; {len(said) - MOST} more" if len(said) > MOST else "")
        if len(line) + len(text) > COLUMNS - TITLE - 2 and line.strip():
            lines.append(line.rstrip())
            line = " " * len(before)
        line += text
    return [*lines, line.rstrip()]
