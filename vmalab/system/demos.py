"""Real programs in miniature: what they do to a process, moment by moment.

    demo("realloc")      glibc's realloc of a large block, beside malloc, copy and free
    demo("collector")    a garbage collector that moves a heap under a running program
    demo("map_count")    as many VMAs as a process may have, and what can't be done then
    demo("pgoff")        a mapping of /dev/zero, which shows its vm_pgoff: moved unwritten, and written

They run on this machine's kernel, in the live machine's process (`machines/live/driver/demos.py` has the programs);
where that can't be, a recording is shown (`data/demos/`).  Here live the words and how a story shows itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from html import escape
from typing import Any

from attrs import frozen

from vmalab.errors import LiveUnavailable, MachineError, RecordingError, UsageError
from vmalab.machines.document import rows_from_json
from vmalab.machines.live import Live
from vmalab.machines.outcome import Snapshot
from vmalab.pictures.card import card
from vmalab.pictures.display import snapshot_html
from vmalab.pictures.scale import Scale, make_scale
from vmalab.pictures.sceneparts import present_words
from vmalab.pictures.textband import snapshot_lines
from vmalab.programs import data


@frozen
class Moment:
    """One moment of a story: what happened, in words, and the VMAs that it is about."""

    say: str
    after: Snapshot


class Story:
    """A demonstration as it went on one kernel; shows itself as pictures with words, and as text.

    `machine`: whose kernel it was.  `note`: why it is a recording, if it is one.
    """

    def __init__(self, title: str, machine: str, moments: tuple[Moment, ...], note: str = "") -> None:
        self.title, self.machine, self.moments, self.note = title, machine, moments, note

    def __repr__(self) -> str:
        lines = [f"{self.title} ({self.machine})", *([self.note] if self.note else [])]
        for number, moment in enumerate(self.moments, 1):
            lines.append(f"{number}. {moment.say}")
            lines += [f"     {row.start:x}-{row.end:x} {row.perms}, {present_words(row)}" for row in moment.after]
        return "\n".join(lines)

    @cached_property
    def scale(self) -> Scale:
        """One for all moments, so that what grows is seen to grow."""
        return make_scale((row.start, row.end) for moment in self.moments for row in moment.after)

    def pictured(self) -> str:
        """The same as text, with a picture of each moment in the characters of a terminal."""
        lines = [f"{self.title} ({self.machine})", *([self.note] if self.note else [])]
        for number, moment in enumerate(self.moments, 1):
            lines += [f"{number}. {moment.say}", *snapshot_lines(moment.after, scale=self.scale)]
            lines += [f"     {row.start:x}-{row.end:x} {row.perms}, {present_words(row)}" for row in moment.after]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        note = f"<p>{escape(self.note)}</p>" if self.note else ""
        told = "".join(
            f"<li><p>{escape(moment.say)}</p>"
            f"{snapshot_html(moment.after, f'moment {number}', style=False, scale=self.scale)}</li>"
            for number, moment in enumerate(self.moments, 1)
        )
        machine = f'<span class="vml-machine">{escape(self.machine)}</span>'
        head = f'<header class="vml-head"><b>{escape(self.title)}</b>{machine}</header>'
        return card(f"{head}{note}<ol>{told}</ol>", what="a story in pictures")


def demo(name: str, *, live: Live | None = None) -> Story:
    """The demonstration `name` on this machine's kernel, or a recording of it with the reason why.

    `live`: a live machine to use; one is made if there is none.  Raises UsageError for a name that there is not.
    """
    if name not in TITLES:
        raise UsageError(f"there is no demonstration {name!r}: there are {', '.join(TITLES)}")
    try:
        with live or Live() as machine:
            return _story(name, machine.demo(name), f"this machine, Linux {machine.release}")
    except (LiveUnavailable, MachineError) as error:
        return recorded(name, f"No kernel shows it here: {error}. This was recorded.")


def recorded(name: str, note: str = "") -> Story:
    """The demonstration as it was recorded.  Raises RecordingError if the file is not to be read."""
    path = data.folder("demos") / f"{name}.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return _story(name, document["moments"], f"Linux {document['release']}, recorded", note)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordingError(f"{path.name} in data/demos can't be read as a recorded demonstration: {error}") from None


def _story(name: str, told: list[dict[str, Any]], machine: str, note: str = "") -> Story:
    moments = tuple(
        Moment(MOMENTS[name][moment["moment"]](moment["numbers"]), rows_from_json(moment["vmas"])) for moment in told
    )
    return Story(TITLES[name], machine, moments, note)


# --- words ---------------------------------------------------------------------------------------------------


def _says(text: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda numbers: text.format(**numbers)


def _faults(numbers: Mapping[str, Any]) -> str:
    count = numbers["faults"]
    return "no page fault" if count == 0 else "1 page fault" if count == 1 else f"{count} page faults"


def _grown(numbers: Mapping[str, Any]) -> str:
    moved = f"It moved from {numbers['old']} to {numbers['new']}" if numbers["moved"] else "It grew where it was"
    intact = "what was written is there" if numbers["intact"] else "what was written is lost"
    return (
        f"realloc to {numbers['kib']} KiB. {moved}, with {_faults(numbers)}, and {intact}: glibc called mremap, which "
        "moves page-table entries and copies nothing. (A few faults may be the demonstration's own.)"
    )


def _copied(numbers: Mapping[str, Any]) -> str:
    return (
        f"The same by hand, with malloc, memcpy and free: {_faults(numbers)}. Every page that is copied into is a new "
        "page, and both blocks are there until the old one is freed."
    )


TITLES = {
    "realloc": "realloc of a large block",
    "collector": "A collector that moves a heap under a running program",
    "map_count": "As many VMAs as a process may have",
    "pgoff": "What a private mapping of /dev/zero shows of vm_pgoff",
}
"""The demonstrations and their titles."""

MOMENTS: Mapping[str, Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "realloc": {
        "malloc": _says(
            "malloc of {kib} KiB: so large a block gets a mapping of its own, with 16 bytes in front for glibc."
        ),
        "written": _says("The program writes to every page of it, so all are present."),
        "realloc": _grown,
        "copied": _copied,
    },
    "collector": {
        "heap": _says("A heap of {pages} pages, an object in each."),
        "pause": _says(
            "The pause: mremap with MREMAP_DONTUNMAP takes all pages to a shadow at page 64, in one call. The heap "
            "stays mapped where it was, and is empty."
        ),
        "registered": _says(
            "The heap is registered with userfaultfd, and the program goes on: whoever touches a missing page there "
            "waits for the collector."
        ),
        "read": _says(
            "The program reads object {index}. The page is missing; the collector gets the fault, copies the object "
            "from the shadow, mends it (here it adds 1000) and hands the page over. The program sees {value}. Faults "
            "so far: {faults}."
        ),
        "all_read": _says("It reads all of them. Each page was asked for once: {faults} faults."),
        "shadow_gone": _says(
            "Nobody needs the shadow any more, so it is unmapped. The heap is whole, and every object mended."
        ),
    },
    "map_count": {
        "few": _says(
            "A process with {count} VMAs, one of them of six pages at page 0. This system allows a process {most} "
            "(vm.max_map_count)."
        ),
        "full": _says(
            "Elsewhere, every second page of a large reserve was made readable, which cuts it ever smaller, until "
            "mprotect failed with {refused}. There are {count} VMAs now."
        ),
        "middle": _says(
            "munmap of page 2, in the middle of the six: {result}. It would leave two VMAs where there is one."
        ),
        "end": _says("munmap of page 5, the last one: {result}. That makes no VMA more."),
        "more": _says(
            "mmap asks for one page, and for another one beside nothing: {first}, then {second}. It refuses only when "
            "the limit is passed already, so a process may have one VMA more: {count}."
        ),
    },
    "pgoff": {
        "mapped": _says(
            "Nine pages of /dev/zero, mapped privately, with the offset that anonymous memory would have there: the "
            "page number of its address. The offset column of /proc/self/maps, in pages: {offsets}."
        ),
        "away": _says("Pages 3 to 5, unwritten, moved to page 100. Offsets: {offsets}. They took the one of there."),
        "home": _says("They moved back. Offsets: {offsets}. One VMA: all continue one another."),
        "written": _says("They moved to page 100 again, and page 100 was written. Offsets: {offsets}."),
        "back": _says(
            "They moved back. Offsets: {offsets}. Memory that was written keeps its offset, which does not continue "
            "that of its neighbours here, and so there are three VMAs."
        ),
    },
}
"""Demonstration → moment → its words."""
