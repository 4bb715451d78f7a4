"""Problems for one class: drawn from the course's seed, so that their answers are in no file.

A notebook holds what is asked; the judge works the answer out from the seed, as `vmalab.teach.problems` does.
"""

from __future__ import annotations

import re
from hashlib import sha256

from vmalab.teach.problems import TOPICS, Problem, problem

LEVELS = (1, 2, 3)
"""A lesson gets a problem of each; its level is its points."""


def names(lesson: str) -> list[str]:
    """The names of the problems that a lesson gets, such as `"problem 04.2"` (topic and level); none for lesson 00."""
    return [f"problem {lesson}.{level}" for level in LEVELS if lesson in TOPICS]


def drawn(name: str, seed: int) -> Problem | None:
    """The problem called `name` of the course with this seed; None where `name` is an exercise's."""
    found = re.fullmatch(r"problem (\d\d)\.(\d)", name)
    if found is None:
        return None
    # so large that nobody finds it by trying
    own = int.from_bytes(sha256(f"{seed} {name}".encode()).digest()[:6], "big")
    return problem(int(found[2]), own, found[1])


def asked(one: Problem) -> str:
    """What a problem asks, as the text of a notebook, without the seed."""
    lines = repr(one).splitlines()[1:]
    how = "Write the letter of the right answer." if one.choices else HOW_DRAWN if one.goal is None else HOW_PROGRAM
    return "```text\n" + "\n".join(lines) + f"\n```\n\n{how}"


HOW_DRAWN = 'Write the VMAs as above, such as `"[0-2 rw] [3-5 r]"`.'
HOW_PROGRAM = "Write the calls as above, one after the other in one text, or give a model that has made just these."
