"""A process of one's own while it runs: its VMAs as /proc shows them, and what has changed since the last look."""

from __future__ import annotations

from html import escape
from typing import Any

import traitlets

from vmalab.errors import UsageError, VmalabError
from vmalab.machines.outcome import Change, Snapshot, diff
from vmalab.pictures.card import card
from vmalab.pictures.display import picture_html
from vmalab.pictures.frames import as_json, packed, pictures
from vmalab.pictures.rows import change_words, row_words
from vmalab.pictures.scene import scene_of_snapshot
from vmalab.pictures.sceneparts import Scene
from vmalab.pictures.svg import draw
from vmalab.programs import data
from vmalab.system.subject import CALLS, Subject
from vmalab.system.watch import Seen, named, process, snapshot_of
from vmalab.widgets.base import Widget
from vmalab.words.wording import number_of

RECORDED = "cat-6.18.44.smaps"

MOST_LISTED = 40
"""So many changes are told in words."""

WAITING = (
    "This is cat, as it was recorded on Linux 6.18.44. Start a process, or name one of your own, to see it live; "
    "nothing is looked at before."
)


class Watch(Widget):
    """A process while it runs: its VMAs, and what changed in them since the last look.

    `pid`: a process of yours, looked at when *Look* is pressed, or every second.  Without it *Start a process* makes a
    small Python that maps, writes, protects, moves and unmaps memory when its buttons are pressed.

    `look()`, `start()`, `do("mmap")`, `follow(pid)` and `end()` do the same from Python.  What comes and goes between
    two looks is not seen.  Before the first look it shows a recorded process, the same everywhere; where processes
    can't be looked at (there is no Linux, or the process is not yours) it says so and goes on showing what it showed.
    """

    scripts = ("unpack.js", "player.js", "watch.js")
    render = "renderWatch"

    state = traitlets.Unicode().tag(sync=True)
    look_data = traitlets.Unicode("").tag(sync=True)
    """The picture, packed."""

    def __init__(self, pid: int | None = None) -> None:
        self.pid = pid
        self.subject: Subject | None = None
        self.now = snapshot_of((data.folder("processes") / RECORDED).read_text(encoding="utf-8"))
        self.seen: Seen | None = None
        self.whole = False
        self.title = "cat, recorded"
        self.said, self.problem = WAITING, ""
        self.looks = self.changed = 0
        """How many looks there were, and which was the last one with something new."""
        self.asked: Any = 0
        """The number of the browser's last message."""
        super().__init__(**self._shown())
        self.on_msg(self._heard)

    # --- what people do ---

    def start(self) -> None:
        """Start the small process, and look at it.  One that was started before is ended."""
        self.end()
        self.subject = Subject()
        self._follow(self.subject.pid, "a Python that was started for this")

    def follow(self, pid: int) -> None:
        """Look at a process of yours from now on.  Raises MachineError where that can't be."""
        given: object = pid
        if isinstance(given, bool) or not isinstance(given, int) or given < 1:
            raise UsageError(f"a process has a number from 1 on, not {pid!r}")
        self._follow(pid, named(pid))

    def _follow(self, pid: int, name: str) -> None:
        first = process(pid)
        if self.subject is not None and self.subject.pid != pid:
            self.end()
        self.pid, self.looks = pid, 0
        self.title = f"process {pid}{f' ({name})' if name else ''}"
        self.saw(first)

    def look(self, after: str = "") -> None:
        """Look once more; `after`: what was done before, in words.  Raises MachineError where there is nothing to look
        at any more."""
        if self.pid is None:
            raise UsageError("there is no process to look at yet: start one, or name one of yours")
        if self.looks == 0:
            self.follow(self.pid)
        else:
            self.saw(process(self.pid), after)

    def do(self, what: str) -> str:
        """Let the process that was started do one of `CALLS`, and look; the call and its answer in words."""
        if what not in CALLS:
            raise UsageError(f"it can {', '.join(CALLS)}, not {what!r}")
        if self.subject is None:
            raise UsageError("no process was started: press Start first")
        words, _ = self.subject.do(what)
        self.look(words)
        return words

    def end(self) -> None:
        """End the process that was started."""
        if self.subject is not None:
            self.subject.end()
            self.subject = None
            self.said = f"{self.title} was ended. What stands here is the last look."
            self.refresh()

    def close(self) -> None:
        self.end()
        super().close()

    def saw(self, now: Snapshot, after: str = "") -> None:
        """Show `now`, and what is different from the look before, after which it did what `after` says.

        Where nothing is different the last change stays, and the words are the same at each look: who looks every
        second is told once.
        """
        changes: tuple[Change, ...] = diff(self.now, now) if self.looks else ()
        self.now = now
        self.looks += 1
        count = number_of("VMAs", len(now))
        before = f"{after}. " if after else ""
        if self.looks == 1 or changes:
            self.seen, self.changed = Seen(changes, now), self.looks
        if self.looks == 1:
            self.said = f"{self.title}: {count} at the first look."
        elif changes:
            what = f"{number_of('changes', len(changes))} since the last look"
            self.said = f"{before}{self.title}: {what}; {count} at look {self.looks}."
        else:
            self.said = f"{before}{self.title}: nothing has changed since look {self.changed}; {count}."
        self.refresh()

    # --- the browser ---

    def _heard(self, _widget: object, content: Any, _buffers: object) -> None:
        if not isinstance(content, dict):
            return
        self.problem, self.asked = "", content.get("n", 0)
        with self.hold_sync():  # one message
            try:
                self._act(content)
            except VmalabError as error:
                self.problem = f"{str(error)[0].upper()}{str(error)[1:]}."
            self.refresh()

    def refresh(self) -> None:
        """Send the browser what is known now."""
        shown = self._shown()
        with self.hold_sync():  # one message
            self.look_data, self.state = shown["look_data"], shown["state"]

    def _act(self, content: dict[str, Any]) -> None:
        what = content.get("do")
        if what == "start":
            self.start()
        elif what == "end":
            self.end()
        elif what == "look":
            self.look()
        elif what == "call":
            self.do(str(content.get("value")))
        elif what == "whole":
            self.whole = bool(content.get("value"))
        elif what == "follow":
            text = str(content.get("value")).strip()
            if not (text.isascii() and text.isdecimal() and len(text) < 10):
                raise UsageError(f"a process id is a number, such as {self.pid or 1234}, not {text[:20]!r}")
            self.follow(int(text))

    def _shown(self) -> dict[str, str]:
        changes = self.seen.changes if self.seen is not None else ()
        state = {
            "title": self.title, "said": self.said, "problem": self.problem, "n": self.asked,
            "changes": [change_words(change) for change in changes[:MOST_LISTED]],
            "more": max(len(changes) - MOST_LISTED, 0), "whole": self.whole, "live": self.looks > 0,
            "pid": self.pid or "", "runs": self.subject is not None, "calls": list(CALLS.items()),
            "words": [row_words(row) for row in self.now],
        }  # fmt: skip
        picture = pictures([draw(self._scene(), live=True)])
        return {"state": as_json(state), "look_data": packed(picture, 1)}

    def _scene(self) -> Scene:
        """What changed with its neighbours, or all VMAs."""
        part = self.now if self.whole or self.seen is None else self.seen.around()
        title = self.title if len(part) == len(self.now) else f"what changed in {self.title}, and its neighbours"
        return scene_of_snapshot(part, title)

    # --- words and still pictures ---

    def summary(self) -> str:
        if not self.looks:
            return "not looked yet" if self.pid is None else f"process {self.pid}, not looked at yet"
        return self.said.rstrip(".")

    def still_html(self) -> str:
        changes = self.seen.changes if self.seen is not None else ()
        listed = "".join(f"<li>{escape(change_words(change))}</li>" for change in changes[:MOST_LISTED])
        rows = "".join(f"<li>{escape(row_words(row))}</li>" for row in self.now)
        return card(
            f'<header class="vml-head"><b>{escape(self.title)}</b></header>{picture_html(self._scene())}'
            f"<p>{escape(self.said)}</p>{f'<ul>{listed}</ul>' if listed else ''}"
            f"<details><summary>All VMAs in words</summary><ol>{rows}</ol></details>",
            what="a process and its VMAs",
        )
