"""A sketch of an address space: what a learner draws as a prediction, with the tools to draw it.

Pure Python, tested without a browser; `Predict` and `Quiz` show it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve

from vmalab.errors import UsageError, VmalabError
from vmalab.linux.addr import page, page_align
from vmalab.linux.call import Call, Mmap, Mremap
from vmalab.linux.flags import PROT_LETTERS
from vmalab.machines.outcome import Outcome, Row, Snapshot
from vmalab.pictures.frames import pictures
from vmalab.pictures.scale import Scale
from vmalab.pictures.scene import scene_of_snapshot
from vmalab.pictures.sceneparts import Box, box_words
from vmalab.pictures.svg import draw
from vmalab.teach.misconceptions.layouts import Rows, clip, cut, joined, put, without
from vmalab.teach.predictions import Verdict, layout_text, parse_layout
from vmalab.widgets.geometry import geometry_of, scale_for_dragging, vmas_of

WINDOW = 16
"""Pages that the picture shows at least."""

TOOLS = {
    "map": ("Put a VMA here", "what lies in the range is replaced"),
    "unmap": ("Clear", "nothing is mapped in the range then"),
    "join": ("Join", "neighbours in the range that touch and look alike become one VMA"),
    "split": ("Split", "VMAs are cut at both ends of the range"),
    "start": ("Nothing changes", "the VMAs are as they are before the call"),
}
"""Tool → its button, and what it does to the chosen range."""


class Sketch:
    """Rows being drawn.  `start`: what to begin with; `room`: other rows that the picture must have room for."""

    def __init__(self, start: Snapshot, room: Sequence[Row] = ()) -> None:
        self.begin = start
        self.room = tuple(room)
        self.rows: Rows = start.rows
        self.range = (0, 1)
        self.perms = "rw"
        self.error = ""
        self._text = ""

    @property
    def text(self) -> str:
        """The sketch as one line; what was typed last, if that could not be read."""
        return self._text if self.error else layout_text(self.rows)

    def write(self, text: str) -> None:
        """Take the whole sketch from one line; one that can't be read is kept, with what is wrong in `error`."""
        try:
            self.rows, self.error = self._backed(parse_layout(text)), ""
        except UsageError as error:
            self._text, self.error = text, str(error)

    def select(self, start: int, end: int) -> None:
        """Choose the pages [start, end) of the arena."""
        first, last = sorted((int(start), int(end)))
        self.range = (max(first, 0), max(last, first + 1, 1))

    def allow(self, letters: str) -> None:
        """The permissions of the next VMA that is put down."""
        if not set(letters) <= set(PROT_LETTERS):
            raise UsageError(f"permissions are letters of {PROT_LETTERS}, not {letters!r}")
        self.perms = "".join(letter for letter in PROT_LETTERS if letter in letters)

    def use(self, tool: str) -> None:
        """Use one of `TOOLS` on the chosen range."""
        start, end = page(self.range[0]), page(self.range[1])
        self.error = ""
        if tool == "map":
            perms = "".join(letter if letter in self.perms else "-" for letter in PROT_LETTERS) + "p"
            self.rows = put(self.rows, (Row(start, end, perms),))
        elif tool == "unmap":
            self.rows = without(self.rows, start, end)
        elif tool == "join":
            one = joined(clip(self.rows, start, end))
            self.rows = tuple(sorted((*without(self.rows, start, end), *one), key=lambda row: row.start))
        elif tool == "split":
            self.rows = cut(self.rows, start, end)
        elif tool == "start":
            self.rows = self.begin.rows
        else:
            raise UsageError(f"there is no tool {tool!r}: there are {', '.join(TOOLS)}")

    def handle(self, message: Mapping[str, Any]) -> bool:
        """Take one message of the browser if it is for the sketch; what can't be taken goes to `error`."""
        what = message.get("do")
        try:
            if what == "select":
                self.select(int(message["start"]), int(message["end"]))
            elif what == "move":
                self.move(int(message["first"]), int(message["start"]))
            elif what == "perms":
                self.allow(str(message["value"]))
            elif what == "write":
                self.write(str(message["value"]))
            elif what == "tool":
                self.use(str(message["value"]))
            else:
                return False
        except (VmalabError, KeyError, ValueError, TypeError) as error:
            self.error = f"Not understood: {error}"
        return True

    # --- what to show ---

    def scale(self, real: Outcome | None = None) -> Scale:
        """The scale of the sketch and of what stands above and below it; `real`: with room for what really happens."""
        shown = [*self.rows, *self.begin, *self.room, *(real.after if real is not None else ())]
        return scale_for_dragging(shown, WINDOW)

    def look(self, title: str, verdict: Verdict | None = None) -> dict[str, Any]:
        """The picture of the sketch, and where things lie in it; with a `verdict` each VMA is judged."""
        scale = self.scale(verdict.real if verdict is not None else None)
        bare = Snapshot(tuple(evolve(row, runs=()) for row in self.rows))
        scene = scene_of_snapshot(bare, title, scale=scale, moment="you")
        if verdict is not None:
            there = {place_of(row) for row in verdict.real.after}
            boxes = tuple(
                judged(box, "right" if place_of(box.row) in there else "wrong") for box in scene.bands[0].boxes
            )
            scene = evolve(scene, bands=(evolve(scene.bands[0], boxes=boxes),))
        return {
            "picture": pictures([draw(scene, live=True, lanes=True)]),
            "geometry": geometry_of(scale),
            "vmas": vmas_of(bare),
        }

    def move(self, first: int, start: int) -> None:
        """Put the VMA that lies at page `first` to page `start`; what lies there is replaced."""
        row = next((row for row in self.rows if row.start <= page(first) < row.end), None)
        if row is None:
            raise UsageError(f"there is no VMA at page {first}")
        target = page(max(start, 0))
        moved = evolve(row, start=target, end=target + row.end - row.start)
        rest = without(self.rows, row.start, row.end)
        self.rows, self.error = put(rest, (moved,)), ""
        self.range = (max(start, 0), max(start, 0) + row.pages)

    def state(self) -> dict[str, Any]:
        """Everything else that the browser shows of it."""
        return {
            "range": list(self.range), "perms": self.perms, "text": self.text, "error": self.error,
            "tools": [[name, *words] for name, words in TOOLS.items()],
        }  # fmt: skip

    def _backed(self, rows: Rows) -> Rows:
        """Rows that were written, with what backs those that were there before."""
        known = {(row.start, row.end): row.backing for row in (*self.begin, *self.rows)}
        return tuple(evolve(row, backing=known.get((row.start, row.end))) for row in rows)


def place_of(row: Row) -> tuple[int, int, str]:
    """By what a predicted VMA is held against a real one."""
    return row.start, row.end, row.perms[:3]


def judged(box: Box, mark: str) -> Box:
    """`box` with a verdict on it."""
    return evolve(box, mark=mark, words=box_words(box.name, box.row, mark))


def room_for(call: Call) -> list[Row]:
    """Where the call aims, so that the picture has room to draw there."""
    if isinstance(call, Mremap) and call.new_addr:
        return [Row(call.new_addr, call.new_addr + max(page_align(call.new_len), 1), "---p")]
    if isinstance(call, Mmap) and call.addr is not None:
        return [Row(call.addr, call.addr + max(page_align(call.length), 1), "---p")]
    return []
