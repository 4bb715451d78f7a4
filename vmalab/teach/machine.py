"""What this machine can show, in plain words.  A program on its kernel: `on_this_machine`, from `vmalab.here`.

What is printed here differs from machine to machine: the lessons tag these cells `nbval-ignore-output`.
"""

from __future__ import annotations

from html import escape

from vmalab import here
from vmalab.answers import number
from vmalab.display import card
from vmalab.here import SAID, on_this_machine
from vmalab.machines.live import Abilities
from vmalab.machines.recorded import releases
from vmalab.profile import FIRST, LAST

__all__ = ["ThisMachine", "on_this_machine", "this_machine"]


class ThisMachine:
    """What this machine can show, as lines of (what, whether, note)."""

    def __init__(self, headline: str, lines: list[tuple[str, bool, str]]) -> None:
        self.headline, self.lines = headline, lines

    def __repr__(self) -> str:
        rows = [
            f"  {'yes' if can else 'no ':<3}  {what}{f' ({note})' if note else ''}" for what, can, note in self.lines
        ]
        return "\n".join([self.headline, *rows])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th scope=row>{escape(what)}</th><td>{'✓ yes' if can else '✕ no'}</td><td>{escape(note)}</td></tr>"
            for what, can, note in self.lines
        )
        heads = "".join(f"<th scope=col>{name}</th>" for name in ("what", "here", ""))
        return card(
            f"<p>{escape(self.headline)}</p>"
            f'<table class="vml-table"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>',
            what="a table",
        )


def this_machine() -> ThisMachine:
    """What this machine can show, found out by trying; whatever is missing, the lessons show a recording instead."""
    first, last = f"{FIRST[0]}.{FIRST[1]}", f"{LAST[0]}.{LAST[1] - 1}"
    always = [
        (f"models of Linux {first} to {last}, step by step", True, "everywhere"),
        (
            f"recordings of {len(releases())} real kernels, Linux {releases()[0]} to {releases()[-1]}",
            True,
            "everywhere",
        ),
    ]
    reason = here.why_unavailable()
    if reason is not None:
        return ThisMachine(
            "The live machine is not available here; the lessons show recordings of real kernels in its place.",
            [*always, ("the live machine: this machine's own kernel", False, reason)],
        )
    able = here.abilities()
    lines = [
        *always,
        (f"the live machine: this machine's own kernel, Linux {number(able.release)}", True, ""),
        *((words, bool(getattr(able, name)), _note(able, name)) for name, words in SAID.items()),
    ]
    missing = sum(not can for _, can, _ in lines)
    headline = "This machine can show everything that the lessons ask of a kernel."
    if missing:
        headline = "This machine's kernel answers too. Where it can't do something, the lessons show a recording."
    return ThisMachine(headline, lines)


def _note(able: Abilities, name: str) -> str:
    note = able.notes.get(name, "")
    return f"the kernel says {note}" if note.isupper() else note
