"""Problems for one student: drawn from a key, so that their answers are in no file.

A notebook holds what is asked; the judge works the answer out from the key, as `vmalab.teach.problems` does.  What is
drawn for two students is of equal kind and equally hard: `KINDS` and `EFFORT` hold both fixed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from vmalab.editions.bank.draw import SEEDS, first_of
from vmalab.editions.secret import derived
from vmalab.errors import VmalabError
from vmalab.teach.problems import TOPICS, Problem

EFFORT: Mapping[int, tuple[int, int]] = {1: (9, 14), 2: (18, 21), 3: (24, 29)}
"""A lesson gets a problem of each of these levels, for as many points; level → least and most effort."""

KINDS: Mapping[str, tuple[str, str, str]] = {
    "01": ("vmas", "draw", "errno"),
    "02": ("errno", "draw", "contents"),
    "03": ("vmas", "draw", "contents"),
    "04": ("vmas", "draw", "errno"),
    "05": ("vmas", "errno", "draw"),
    "06": ("contents", "draw", "vmas"),
    "07": ("entries", "entries", "entries"),
    "08": ("vmas", "draw", "errno"),
    "09": ("vmas", "draw", "vmas"),
}
"""Lesson → the kinds of question of its problems, in order of level."""

_TRIES = 50


def names(lesson: str) -> list[str]:
    """The names of the problems that a lesson gets, such as `"problem 04.2"` (topic and level); none for lesson 00."""
    return [f"problem {lesson}.{level}" for level in EFFORT if lesson in TOPICS]


def drawn(name: str, key: str) -> Problem | None:
    """The problem called `name` of whoever has this key; None where `name` is an exercise's.  Some 50 ms."""
    found = re.fullmatch(r"problem (\d\d)\.([123])", name)
    if found is None or found[1] not in KINDS:
        return None
    topic, level = found[1], int(found[2])
    # few seeds have no problem of such a kind and effort
    seeds = (int(derived(key.encode(), f"{name} {number}")[:16], 16) % SEEDS for number in range(_TRIES))
    one = first_of(seeds, None, topic, KINDS[topic][level - 1], EFFORT[level])
    if one is None:
        raise VmalabError(f"no {name} was found in {_TRIES} tries: this is a bug of vmalab")
    return one


def asked(one: Problem) -> str:
    """What a problem asks, as text, without its title and without the seed."""
    how = "Write the letter of the right answer." if one.choices else HOW_DRAWN if one.goal is None else HOW_PROGRAM
    return "\n".join([*one.text().splitlines()[1:], "", how])


HOW_DRAWN = 'Write the VMAs as above, such as "[0 to 1 rw] [3 to 4 r]".'
HOW_PROGRAM = "Write the calls as above, one after the other in one text, or give a model that has made just these."
