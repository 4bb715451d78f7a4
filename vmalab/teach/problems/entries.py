"""Questions of the kind "how many page-table entries does it move"."""

from __future__ import annotations

from vmalab.linux.call import Mremap
from vmalab.teach.misconceptions.costs import COSTS, Moved, really_moved
from vmalab.teach.misconceptions.facts import FACTS
from vmalab.teach.problems.asked_calls import Asked
from vmalab.teach.problems.choices import FILLED, Choice, Held, choose
from vmalab.teach.problems.dice import Dice
from vmalab.teach.problems.near import near_entries
from vmalab.teach.problems.said import entries_said


def entries_offered(asked: Asked, dice: Dice, level: int) -> tuple[Choice, ...] | None:
    """The choices of a question about what the last call moves.

    None where it fails, where all believe what is right, and above level 1 where there is nothing to move.
    """
    if not asked.last.ok or not isinstance(asked.last.call, Mremap):
        return None
    real = really_moved(asked.last)
    if real == Moved() and level > 1:
        return None
    believed: dict[str, list[Held]] = {}
    for name, belief in COSTS.items():
        moved = belief(asked.case)
        if moved is not None and moved != real and FACTS[name](asked.case):
            believed.setdefault(entries_said(moved), []).append(Held(name))
    return choose(entries_said(real), believed, {}, near_entries(asked, dice) if level <= FILLED else iter(()), dice)
