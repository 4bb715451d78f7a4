"""A question to predict with: its choices, what each of them means, and what shows which is right.

The words are marked as in a notebook: `code`, *stress*, **more stress**, [a link](address); `marked` makes HTML of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import Any

from attrs import field, frozen

from vmalab.errors import UsageError

LETTERS = "abcdefgh"


@frozen
class Choice:
    """One choice.  `means`: what there is to say to who took it.  `holds`: whether it is so, of what was shown."""

    text: str
    means: str
    holds: Callable[[Any], bool] = field(repr=False)


@frozen
class MultipleChoice:
    """A question with its choices, in order.

    `name`: the lesson's number and a word, `"04-gap"`.
    `right`: the letters of the choices that are so (`"b"`, `"bc"`);
    `several`: any number of them can be.  `shown`: what shows it, run by the tests: the model, a recording, a
    measurement; each `Choice.holds` is asked about what it returns, so `right` is never only claimed.  `because`: what
    there is to say to everybody.

    >>> two = MultipleChoice("00-two", "1 + 1?", (Choice("2", "Yes.", lambda sum: sum == 2),
    ...                      Choice("3", "That is too much.", lambda sum: sum == 3)), "a", lambda: 1 + 1)
    >>> two.found()
    'a'
    """

    name: str
    text: str
    choices: tuple[Choice, ...]
    right: str
    shown: Callable[[], Any] = field(repr=False)
    because: str = ""
    several: bool = False

    def __attrs_post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-z]+(-[0-9a-z]+)+", self.name):
            raise UsageError(f"a question's name is a lesson and a word, such as '04-gap', not {self.name!r}")
        if not 2 <= len(self.choices) <= len(LETTERS):
            raise UsageError(f"{self.name}: a question has 2 to {len(LETTERS)} choices, not {len(self.choices)}")
        if not set(self.right) <= set(self.letters) or (len(self.right) != 1 and not self.several):
            raise UsageError(f"{self.name}: right is one of {', '.join(self.letters)}, not {self.right!r}")

    @property
    def lesson(self) -> str:
        """The lesson it belongs to: what stands before the first hyphen of its name."""
        return self.name.partition("-")[0]

    @property
    def letters(self) -> str:
        """The letters of its choices."""
        return LETTERS[: len(self.choices)]

    def found(self) -> str:
        """The letters of the choices that hold of what `shown` returns: this runs it."""
        seen = self.shown()
        return "".join(letter for letter, one in zip(self.letters, self.choices, strict=True) if one.holds(seen))


_MARKS = (
    (re.compile(r"\*\*(.+?)\*\*"), r"<b>\1</b>"),
    (re.compile(r"\*(.+?)\*"), r"<em>\1</em>"),
    (re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)"), r'<a href="\2">\1</a>'),
)


def marked(text: str) -> str:
    """Marked words as HTML.

    >>> marked("`a < b` is *so*")
    '<code>a &lt; b</code> is <em>so</em>'
    """
    parts = re.split(r"`([^`]+)`", text)
    for at, part in enumerate(parts):
        said = escape(part)
        if at % 2:
            said = f"<code>{said}</code>"
        else:
            for pattern, html in _MARKS:
                said = pattern.sub(html, said)
        parts[at] = said
    return "".join(parts)


def plain(text: str) -> str:
    """Marked words without their marks."""
    return re.sub(r"\[([^\]]+)\]\([^)\s]+\)", r"\1", text).replace("`", "").replace("*", "")
