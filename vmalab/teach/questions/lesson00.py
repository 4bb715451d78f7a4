"""The questions of lesson 00."""

from __future__ import annotations

from vmalab.teach.questions.question import Choice, MultipleChoice
from vmalab.teach.questions.ran import on

QUESTIONS = (
    MultipleChoice(
        "00-neighbour",
        "Here is a VMA of two pages, with another one right behind it. We ask `mremap` to make it four pages long, with no flags. What happens?",
        (
            Choice("It grows over its neighbour.", "`mremap` never overwrites a neighbour when it grows.",
                   lambda ran: ran.errno is None and (0, 4) in ran.ranges),
            Choice("It moves to where there is room.", "It moves a mapping only if it is told that it may: exercise 0.2 is about that.",
                   lambda ran: ran.errno is None and ran.row(0) is None),
            Choice("It fails.", "There is no room, and without a flag it may not move. Nothing has changed.",
                   lambda ran: ran.errno == "ENOMEM" and ran.ranges == [(0, 2), (2, 4)]),
        ),
        "c",
        on("6.17", "mmap(0, 2, rw) mmap(2, 2, r) mremap(0, 2, 4, 0)"),
    ),
)  # fmt: skip
