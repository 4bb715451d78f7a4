"""Words on an answer: `Feedback`, and the three ways to make one.

What is right or wrong is found out by those who ask: `vmalab.teach.problems`, and the exercises of `vmalab.teach`.
"""

from __future__ import annotations

import sys
import textwrap
from html import escape

from attrs import frozen

from vmalab.pictures.card import card

WIDTH = 100


@frozen
class Feedback:
    """What there is to say to an answer: sentences, one a line.  `started` is False where nobody has answered yet.

    `require()` makes a test of it: it shows what there is to say, and raises NotSolved where the answer is not right.
    """

    solved: bool
    said: tuple[str, ...]
    started: bool = True

    @property
    def verdict(self) -> str:
        """The verdict in a few words, behind its sign."""
        return "✓ Solved." if self.solved else "… Not there yet." if self.started else "○ No answer yet."

    def __repr__(self) -> str:
        lines = [line for text in self.said for line in textwrap.wrap(text, WIDTH, subsequent_indent="  ")]
        return "\n".join([self.verdict, *lines])

    def _repr_html_(self) -> str:
        kind = "ok" if self.solved else "wait"
        said = "".join(f"<p>{escape(text)}</p>" for text in self.said)
        head = f'<span class="vml-result {kind}">{self.verdict}</span>'
        return card(f'<div class="vml-checked {kind}">{head}{said}</div>', what="what became of the answer")

    def __bool__(self) -> bool:
        return self.solved

    def require(self) -> None:
        """Show it; raise NotSolved with it where the answer is not right.  Gives nothing, so nobody takes it for
        marks."""
        if not self.solved:
            raise NotSolved(repr(self))
        sys.stdout.write(f"{self!r}\n")


class NotSolved(AssertionError):
    """An answer is not right; the text is what there is to say to it."""

    def _render_traceback_(self) -> list[str]:
        """In a notebook: what there is to say, and no traceback."""
        return str(self).splitlines()


def solved(*said: str) -> Feedback:
    """The answer is right."""
    return Feedback(True, said)


def not_yet(*said: str) -> Feedback:
    """The answer is not right; `said` tells what is good about it, then what is missing."""
    return Feedback(False, said)


def no_answer(*said: str) -> Feedback:
    """Nobody has answered; `said` tells what is expected."""
    return Feedback(False, said, started=False)
